"""Hands on the open page: finds what words mean there, keeps what a model may reach, tells what was seen."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voice_kernel.errors import Refused, ToolError, VoiceKernelError
from voice_kernel.language import _
from voice_kernel.messages import Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments
from voice_kernel.tools.browser.badges import Badge
from voice_kernel.tools.browser.hold import Hold
from voice_kernel.tools.browser.life import BrowserLife, Window
from voice_kernel.tools.browser.outline import Element, Outline, outline_of
from voice_kernel.tools.browser.recording import Recording, locator_of, text_locator
from voice_kernel.tools.browser.targets import Purpose, choose, described
from voice_kernel.web.addresses import PORTS, Address, address_of

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Locator, Page

STALE_MS = 2_000
LIMIT_S = 60.0
"""What is done to a page takes no longer than this: a script that never ends lets nothing through."""
TITLE_S = 5.0
"""A page that is on its way is waited for no longer, only to be called by its title."""
MAX_AROUND_CHARS = 40
MAX_KNOWN = 2_000
MAX_RECORDINGS = 16
_NUMBER = re.compile(r"(?:(?:the )?(?:number|badge|hint) )?([\w -]+)", re.IGNORECASE)
_UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_POINTED = "found => found.map(e => getComputedStyle(e).cursor === 'pointer')"


Handler = Callable[[TaskHandle, Any], Awaitable[Result]]


class Nothing(Arguments):
    """No arguments."""


@dataclass(frozen=True, slots=True)
class Found:
    """What words have led to.

    Attributes:
        element: to act on.
        name: how it is called.
        code: Playwright's words for it, in a script.
    """

    element: Locator | ElementHandle
    name: str
    code: str

    async def handle(self) -> ElementHandle:
        """Return the element itself."""
        from playwright.async_api import Locator

        if isinstance(self.element, Locator):
            handle = await self.element.element_handle(timeout=STALE_MS)
            assert handle is not None
            return handle
        return self.element


class Hands:
    """Acts on the open page.

    Args:
        life: the browser.
        allowed: whether driving a browser is allowed at all.
    """

    def __init__(self, life: BrowserLife, *, allowed: bool) -> None:
        self.life = life
        self._allowed = allowed
        self.badges: dict[int, Badge] = {}
        """Numbers shown on the page, and what they stand for."""
        self._recordings: dict[str, Recording] = {}
        self._known: dict[tuple[str, str], None] = {}

    @property
    def recording(self) -> Recording:
        """What was done in this conversation."""
        while len(self._recordings) > MAX_RECORDINGS:
            self._recordings.pop(next(iter(self._recordings)))
        return self._recordings.setdefault(self.life.conversation, Recording())

    # ---- hosts: the first visit to a new one is for a person to allow

    def is_known(self, url: str) -> bool:
        """Whether the host of an address was opened before in this conversation."""
        try:
            address = address_of(url) if "://" in url else address_of(self.life.check(url))
        except VoiceKernelError:
            return url.startswith(("about:", "chrome-error:"))
        return (self.life.conversation, _site(address)) in self._known

    def know(self, url: str) -> None:
        """Note that a host was opened with a person's consent."""
        with contextlib.suppress(VoiceKernelError):
            address = address_of(url)
            self._known[(self.life.conversation, _site(address))] = None
            while len(self._known) > MAX_KNOWN:
                self._known.pop(next(iter(self._known)))

    @contextlib.asynccontextmanager
    async def acting(self, task: TaskHandle, window: Window) -> AsyncIterator[None]:
        """Act on a page. What a model sets off does not lead to a host that nobody has agreed to.

        A request for a page is held before it is sent, and so is each redirect. That stays so until a person
        acts.

        Raises:
            Refused: it would have led there.
        """
        driven = task.task is not None and task.task.origin == "model"
        if not driven:
            if window.hold is not None:
                hold, window.hold = window.hold, None
                await hold.stop()
            yield
            self.know(window.page.url)
            return
        if window.hold is None:
            for page in window.context.pages:
                self.know(page.url)  # where a person has brought it
            window.hold = Hold(window.context, self.is_known)
            await window.hold.start()
        hold = window.hold
        window.said += [
            _("The page wanted to go to {host}, and was kept from it.").format(host=_host(url))
            for url in hold.held
        ]
        hold.held.clear()
        try:
            yield
            await hold.settled()
        except Exception:
            if hold.held:  # whatever came of it, this is why
                raise _held(hold.held[0]) from None
            raise
        for page in window.context.pages:
            if page.url and not self.is_known(page.url):  # a form that has opened a tab of its own
                hold.keep(page.url)
                with contextlib.suppress(Exception):  # it may have gone by itself
                    await page.goto("about:blank")
        if hold.held:
            raise _held(hold.held[0])

    def check_allowed(self) -> None:
        """Raise Refused when driving a browser is switched off."""
        if not self._allowed:
            raise Refused(
                _("Driving a web browser is switched off."),
                hint=_("To allow it, set ALLOW_BROWSER_AUTOMATION=true, then restart the kernel."),
            )

    async def window(self, *, start: bool = False, answering: bool = False) -> Window:
        """Return the open pages.

        Args:
            start: whether to open one if none is.
            answering: whether it is for answering what the page asks.

        Raises:
            Refused: driving a browser is switched off.
            ToolError: none is open, or it asks something first.
        """
        self.check_allowed()
        window = await self.life.window() if start else self.life.current()
        if window.dialog is not None and not answering:
            asked = " ".join(window.dialog.message.split())[:300]
            raise ToolError(
                _("The page asks first: “{asked}”.").format(asked=asked),
                hint=_("Say accept the dialog, or dismiss the dialog."),
            )
        return window

    async def outline(self, page: Page) -> Outline:
        """Return what is on the page now."""
        return outline_of(await page.aria_snapshot(mode="ai"))

    async def find(self, page: Page, words: str, purpose: Purpose = "click") -> Found:
        """Return the one element that words mean, and how it is called.

        Raises:
            ToolError: there is none, or several; names them.
        """
        number = _number(words)
        if number in self.badges:
            return await self._badge(number)
        outline = await self.outline(page)
        choice = choose(words, outline, purpose)
        if choice.element is not None:
            if "disabled" in choice.element.states and purpose != "read":
                raise ToolError(
                    _("{described} is switched off at the moment.").format(
                        described=described(choice.element, outline)
                    )
                )
            locator = page.locator(f"aria-ref={choice.element.ref}")
            name = outline.label(choice.element) or words
            return Found(locator, name, locator_of(choice.element, outline))
        if choice.several:
            raise _several(words, choice.several, outline)
        if purpose in ("click", "hover", "read") and choice.name:
            text = await self._text(page, words, choice.name, choice.place)
            if text is not None:
                return text
        if number >= 0 and self.badges:
            raise ToolError(
                _("There is no number {number}.").format(number=number),
                hint=_("They go from 1 to {badges}.").format(badges=max(self.badges)),
            )
        close = ", ".join(f"“{name}”" for name in choice.nearest)
        raise ToolError(
            _("There is no “{words}” on the page.").format(words=words),
            hint=_("Closest: {close}.").format(close=close) if close else _("Say read the page."),
        )

    async def _text(self, page: Page, words: str, name: str, place: int) -> Found | None:
        """Return words inside a longer text, which are no element of their own for assistive technology.

        Raises:
            ToolError: they are there several times, and which was not said.
        """
        for pattern in dict.fromkeys((_tight(words), _tight(name))):
            if pattern is None:
                continue
            text = page.get_by_text(re.compile(pattern, re.IGNORECASE)).filter(visible=True)
            # What the pointer tells of is there to be clicked; the same word beside it is not.
            pointed: list[int] = await text.evaluate_all(_POINTED)
            many = len(pointed)
            chosen = [index for index, is_pointed in enumerate(pointed) if is_pointed] or list(range(many))
            if place and -len(chosen) <= place <= len(chosen):
                chosen = [chosen[place - 1 if place > 0 else place]]
            if len(chosen) == 1:
                one = text.nth(chosen[0])
                shown = " ".join((await one.inner_text(timeout=STALE_MS)).split())
                return Found(one, name, text_locator(shown))
            if chosen:
                raise ToolError(
                    _("“{name}” is on the page {count} times.").format(name=name, count=len(chosen)),
                    hint=_("Say which: click the second {name}. Or say show numbers.").format(name=name),
                )
        loose = page.get_by_text(name).filter(visible=True)
        if await loose.count() == 1:
            # Words of a sentence are no target: clicking there would do nothing, silently.
            around = await loose.inner_text(timeout=STALE_MS)
            if len(around) <= max(MAX_AROUND_CHARS, 2 * len(name)):
                return Found(loose, name, text_locator(" ".join(around.split())))
        return None

    async def _badge(self, number: int) -> Found:
        badge = self.badges[number]
        if not await badge.handle.evaluate("e => e.isConnected"):
            raise ToolError(
                _("Number {number} has gone from the page.").format(number=number),
                hint=_("Say show numbers again."),
            )
        code = f"page.locator({badge.path!r})" if not badge.name else text_locator(badge.name)
        return Found(badge.handle, badge.name or _("number {number}").format(number=number), code)


class PageAsks(Exception):
    """The page asks something, and does nothing else until it is answered."""


def answered(handler: Handler) -> Handler:
    """Let a tool that a page interrupts with a question come to an end that tells the question."""

    @functools.wraps(handler)
    async def tells(task: TaskHandle, args: Any) -> Result:
        try:
            return await handler(task, args)
        except PageAsks as asks:
            window: Window = asks.args[0]
            happened = said(window)
            text = "\n".join(happened.get("happened", []))
            return Result(summary=text, text=text, data={"url": window.page.url, **happened})

    return tells


@contextlib.asynccontextmanager
async def told(window: Window, what: str = "", limit_s: float = LIMIT_S) -> AsyncIterator[None]:
    """Turn Playwright's errors into sentences for a person.

    Raises:
        ToolError: something went wrong, or took longer than `limit_s`.
        PageAsks: the page has asked something meanwhile.
    """
    from playwright.async_api import Error
    from playwright.async_api import TimeoutError as TooLate

    task = asyncio.current_task()
    assert task is not None
    before, asked = task.cancelling(), False

    def stop() -> None:
        nonlocal asked
        asked = asked or task.cancel()

    window.on_dialog = stop
    try:
        async with asyncio.timeout(limit_s):
            yield
    except asyncio.CancelledError:
        if asked and task.uncancel() <= before:
            raise PageAsks(window) from None
        raise
    except TooLate:
        if not what:
            raise ToolError(
                _("{url} did not load in time.").format(url=window.page.url), hint=_("Try again.")
            ) from None
        raise ToolError(
            _("“{what}” could not be used in time: it is covered, disabled, or has gone.").format(what=what),
            hint=_("Say read the page to see what is there."),
        ) from None
    except TimeoutError:
        raise ToolError(
            _("The page does not react."), hint=_("Say close the browser, and open it again.")
        ) from None
    except Error as error:
        raise _problem(error.message, window) from None
    finally:
        window.on_dialog = None


def _problem(message: str, window: Window) -> ToolError:
    line = message.splitlines()[0] if message else ""
    for sign, sentence in (
        ("ERR_NAME_NOT_RESOLVED", _("There is no such host.")),
        ("ERR_CONNECTION_REFUSED", _("Nothing answers at that address.")),
        ("ERR_INTERNET_DISCONNECTED", _("There is no network.")),
        ("ERR_BLOCKED_BY_CLIENT", _("That host is not allowed.")),
        ("ERR_UNSAFE_PORT", _("Browsers open no page at that port.")),
        ("ERR_ADDRESS_UNREACHABLE", _("That address cannot be reached.")),
        ("ERR_CERT", _("The site's certificate is not valid.")),
        ("ERR_TOO_MANY_REDIRECTS", _("The site sends from one address to the next without end.")),
        ("ERR_ABORTED", _("The page was not shown: it is a download, or was stopped.")),
        ("Unknown key", _("There is no such key.")),
        ("Target page, context or browser has been closed", _("The browser was closed.")),
        ("Target crashed", _("The page crashed.")),
        ("is not an <input>", _("Nothing can be typed there.")),
        ("did not find some options", _("There is no such option.")),
    ):
        if sign in message:
            return ToolError(sentence, hint=" ".join(window.said[-1:]))
    return ToolError(_("The browser could not do that."), hint=line[:200])


def _several(words: str, elements: Sequence[Element], outline: Outline) -> ToolError:
    names = [f"{number}. {described(element, outline)}" for number, element in enumerate(elements, 1)]
    return ToolError(
        _("{count} things on the page fit “{words}”: {names}.").format(
            count=len(elements), words=words, names="; ".join(names)
        ),
        hint=_("Say which: click the second {words}.").format(words=words.removeprefix("the ")),
    )


async def _title(window: Window) -> str:
    """Return the title of the page; empty where it has none, closed itself, or asks something."""
    page = window.page
    if window.dialog is not None:
        return ""
    with contextlib.suppress(Exception):
        async with told(window, limit_s=TITLE_S):
            title = await page.title()
            if not title:  # the page has only just come
                await page.wait_for_load_state("domcontentloaded")
                title = await page.title()
            return title
    return ""


async def seen(window: Window, done: str) -> Result:
    """Tell what was done and where the browser is then."""
    page = window.page
    title = await _title(window)
    place = title or page.url
    sentence = f"{done} {place}." if not done.endswith(".") else f"{done} {place}".strip()
    happened = said(window)
    return Result(
        summary=sentence,
        text="\n".join([f"{title}\n{page.url}".strip(), *happened.get("happened", [])]),
        data={"url": page.url, "title": title, **happened},
    )


def said(window: Window) -> dict[str, Any]:
    """Return what happened by itself since the last look, and forget it."""
    happened, window.said, window.begun = window.said, [], 0
    return {"happened": happened} if happened else {}


def _tight(words: str) -> str | None:
    """Return a pattern of a text that is just these words, whatever marks stand around them."""
    parts = re.findall(r"\w+", words)
    if parts:
        return r"^[^\w]*" + r"[^\w]+".join(map(re.escape, parts)) + r"[^\w]*$"
    return f"^\\s*{re.escape(words.strip())}\\s*$" if words.strip() else None


def _number(words: str) -> int:
    """Return the number that words are, in digits or as spoken up to 99; -1 when they are none."""
    said = _NUMBER.fullmatch(words.strip())
    if said is None:
        return -1
    if re.fullmatch(r"\d{1,3}", said[1], re.ASCII):
        return int(said[1])
    tens, _, unit = said[1].lower().replace("-", " ").partition(" ")
    if tens in _UNITS and not unit:
        return _UNITS.index(tens)
    if tens in _TENS and (not unit or unit in _UNITS[1:10]):
        return 10 * _TENS.index(tens) + (_UNITS.index(unit) if unit else 0)
    return -1


def _held(url: str) -> Refused:
    return Refused(
        _("That leads to {host}, which was not opened before.").format(host=_host(url)),
        hint=_("Open it with browser_navigate, which asks first: {url}").format(url=url[:200]),
    )


def _host(url: str) -> str:
    try:
        return address_of(url).host
    except VoiceKernelError:
        return url[:80]


def _site(address: Address) -> str:
    """Return what a consent is given to: a host with or without `www` and encryption, or one of its ports."""
    port = "" if address.port in PORTS.values() else f":{address.port}"
    return address.host.removeprefix("www.") + port
