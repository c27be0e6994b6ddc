"""The browser tools: what can be done with a page, by words.

Each action finds its target in a fresh outline, acts, and tells what the page is then. Playwright's names
are those of playwright-mcp, so that models know them.
"""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from voice_kernel.errors import Refused, ToolError
from voice_kernel.messages import Output, Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools.browser.life import ACT_MS, BrowserLife, Window
from voice_kernel.tools.browser.outline import Element, Outline, outline_of
from voice_kernel.tools.browser.targets import Purpose, choose, described
from voice_kernel.tools.terminal import clip

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

MAX_MODEL_CHARS = 20_000
MAX_READ_CHARS = 12_000
MAX_WAIT_S = 300.0
STALE_MS = 2_000
MAX_AROUND_CHARS = 40
NETWORK: Effects = frozenset({"network"})


class Nothing(Arguments):
    """No arguments."""


class Url(Arguments):
    """An address."""

    url: str = Field(min_length=1, max_length=4_096, description="Address of the page.")


class Target(Arguments):
    """Something on the page."""

    target: str = Field(
        min_length=1, max_length=500, description="Its visible name, its number, or its ref in the snapshot."
    )


class Click(Target):
    """Arguments of `browser_click`."""

    button: Literal["left", "right", "middle"] = Field(default="left", description="Mouse button.")
    double: bool = Field(default=False, description="Whether to click twice.")


class TypeText(Arguments):
    """Arguments of `browser_type`."""

    target: str = Field(
        default="", max_length=500, description="The field's visible name; empty for the one in focus."
    )
    text: str = Field(max_length=20_000, description="What to type; replaces what is there.")
    submit: bool = Field(default=False, description="Whether to press Enter afterwards.")


class PressKey(Arguments):
    """Arguments of `browser_press_key`."""

    key: str = Field(min_length=1, max_length=60, description="Name of the key, e.g. Enter or Control+a.")


class SelectOption(Target):
    """Arguments of `browser_select_option`."""

    value: str = Field(max_length=500, description="The option's visible text.")


class WaitFor(Arguments):
    """Arguments of `browser_wait_for`."""

    text: str = Field(default="", max_length=500, description="Text that should appear.")
    time: float | None = Field(default=None, gt=0, le=MAX_WAIT_S, description="Seconds to wait.")


class Tabs(Arguments):
    """Arguments of `browser_tabs`."""

    action: Literal["list", "new", "select", "close"] = Field(default="list", description="What to do.")
    index: int | None = Field(default=None, description="Number of the tab, from 1.")


class Picture(Arguments):
    """Arguments of `browser_take_screenshot`."""

    target: str = Field(default="", max_length=500, description="Part of the page; empty for what is seen.")
    full_page: bool = Field(default=False, description="Whether to show the whole page.")


class Dialog(Arguments):
    """Arguments of `browser_handle_dialog`."""

    accept: bool = Field(default=True, description="Whether to accept it.")
    text: str = Field(default="", max_length=2_000, description="The answer to what it asks for.")


class Hands:
    """Acts on the open page.

    Args:
        life: the browser.
        allowed: whether driving a browser is allowed at all.
    """

    def __init__(self, life: BrowserLife, *, allowed: bool) -> None:
        self.life = life
        self._allowed = allowed
        self.badges: dict[int, str] = {}
        """Numbers shown on the page, and the refs they stand for."""

    async def window(self, *, start: bool = False) -> Window:
        """Return the open pages.

        Raises:
            Refused: driving a browser is switched off.
            ToolError: none is open.
        """
        if not self._allowed:
            raise Refused(
                "Driving a web browser is switched off.",
                hint="To allow it, set ALLOW_BROWSER_AUTOMATION=true, then restart the kernel.",
            )
        return await self.life.window() if start else self.life.current()

    async def outline(self, page: Page) -> Outline:
        """Return what is on the page now."""
        return outline_of(await page.aria_snapshot(mode="ai"))

    async def find(self, page: Page, words: str, purpose: Purpose = "click") -> tuple[Locator, str]:
        """Return the one element that words mean, and how it is called.

        Raises:
            ToolError: there is none, or several; names them.
        """
        if words.isdigit() and int(words) in self.badges:
            return page.locator(f"aria-ref={self.badges[int(words)]}"), f"number {words}"
        outline = await self.outline(page)
        choice = choose(words, outline, purpose)
        if choice.element is not None:
            if "disabled" in choice.element.states and purpose != "read":
                raise ToolError(f"{described(choice.element, outline)} is switched off at the moment.")
            return self._locator(page, choice.element), outline.label(choice.element) or words
        if choice.several:
            raise _several(words, choice.several, outline)
        if purpose in ("click", "hover", "read") and choice.name:
            # Words inside a longer text, which are no element of their own for assistive technology.
            for exact in (True, False):
                text = page.get_by_text(choice.name, exact=exact).filter(visible=True)
                many = await text.count()
                if many == 1 and not exact:
                    # Words of a sentence are no target: clicking there would do nothing, silently.
                    around = await text.inner_text(timeout=STALE_MS)
                    if len(around) > max(MAX_AROUND_CHARS, 2 * len(choice.name)):
                        many = 0
                if many and choice.place:
                    return text.nth(choice.place - 1 if choice.place > 0 else many - 1), choice.name
                if many == 1:
                    return text, choice.name
                if many > 1:
                    raise ToolError(
                        f"“{choice.name}” is on the page {many} times.",
                        hint=f"Say which: click the second {choice.name}.",
                    )
        close = ", ".join(f"“{name}”" for name in choice.nearest)
        raise ToolError(
            f"There is no “{words}” on the page.",
            hint=f"Closest: {close}." if close else "Say read the page.",
        )

    def _locator(self, page: Page, element: Element) -> Locator:
        return page.locator(f"aria-ref={element.ref}")


def register(registry: Registry, hands: Hands) -> None:
    """Register the browser tools.

    Args:
        registry: where.
        hands: act on the page.
    """

    def tool(**options: Any) -> Callable[[Any], Any]:
        return registry.tool(area="browser", untrusted=True, **{"effects": NETWORK, **options})

    @tool()
    async def browser_navigate(task: TaskHandle, args: Url) -> Result:
        """Open a page in the browser."""
        url = hands.life.check(args.url)
        window = await hands.window(start=True)
        hands.badges.clear()
        async with _told(window):
            await window.page.goto(url, wait_until="domcontentloaded")
        return await _seen(window, "Opened")

    @tool(effects=frozenset({"read"}))
    async def browser_snapshot(task: TaskHandle, args: Nothing) -> Result:
        """Read what is on the page: its headings, text, and what can be acted on."""
        window = await hands.window()
        async with _told(window):
            snapshot = await window.page.aria_snapshot(mode="ai")
            outline = outline_of(snapshot)
            title = await window.page.title()
        return Result(
            summary=f"{title or window.page.url}: {_counted(outline)}.",
            text=clip(_read(outline)[:MAX_READ_CHARS]),
            data={
                "url": window.page.url,
                "title": title,
                "snapshot": snapshot[:MAX_MODEL_CHARS],
                **_said(window),
            },
        )

    @tool()
    async def browser_click(task: TaskHandle, args: Click) -> Result:
        """Click something on the page by its visible name."""
        window = await hands.window()
        async with _told(window, args.target):
            locator, name = await hands.find(window.page, args.target)
            await locator.click(button=args.button, click_count=2 if args.double else 1, timeout=ACT_MS)
        return await _seen(window, f"Clicked “{name}”.")

    @tool(target=lambda args: args.target or "the field in focus")
    async def browser_type(task: TaskHandle, args: TypeText) -> Result:
        """Type text into a field, found by its visible name."""
        window = await hands.window()
        async with _told(window, args.target):
            if args.target:
                locator, name = await hands.find(window.page, args.target, "type")
            else:
                locator, name = window.page.locator("*:focus"), "the field in focus"
            await locator.fill(args.text, timeout=ACT_MS)
            if args.submit:
                await locator.press("Enter")
        return await _seen(window, f"Typed into “{name}”.")

    @tool()
    async def browser_press_key(task: TaskHandle, args: PressKey) -> Result:
        """Press a key on the page."""
        window = await hands.window()
        async with _told(window, args.key):
            await window.page.keyboard.press(args.key)
        return await _seen(window, f"Pressed {args.key}.")

    @tool()
    async def browser_select_option(task: TaskHandle, args: SelectOption) -> Result:
        """Choose an option of a list by its visible text."""
        window = await hands.window()
        async with _told(window, args.target):
            locator, name = await hands.find(window.page, args.target, "select")
            await _select(locator, args.value)
        return await _seen(window, f"Chose “{args.value}” in “{name}”.")

    @tool()
    async def browser_hover(task: TaskHandle, args: Target) -> Result:
        """Move the pointer over something on the page."""
        window = await hands.window()
        async with _told(window, args.target):
            locator, name = await hands.find(window.page, args.target, "hover")
            await locator.hover(timeout=ACT_MS)
        return await _seen(window, f"The pointer is over “{name}”.")

    @tool(effects=frozenset({"read"}))
    async def browser_wait_for(task: TaskHandle, args: WaitFor) -> Result:
        """Wait until a text appears on the page, or for some seconds."""
        window = await hands.window()
        async with _told(window, args.text):
            if args.text:
                text = window.page.get_by_text(args.text).first
                await text.wait_for(timeout=(args.time or 30.0) * 1000)
            elif args.time:
                await window.page.wait_for_timeout(args.time * 1000)
            else:
                await window.page.wait_for_load_state("load")
        return await _seen(window, f"“{args.text}” is there." if args.text else "Waited.")

    @tool()
    async def browser_navigate_back(task: TaskHandle, args: Nothing) -> Result:
        """Go back to the previous page."""
        window = await hands.window()
        hands.badges.clear()
        async with _told(window):
            if await window.page.go_back(wait_until="domcontentloaded") is None:
                raise ToolError("There is no page to go back to.")
        return await _seen(window, "Back at")

    @tool()
    async def browser_tabs(task: TaskHandle, args: Tabs) -> Result:
        """List, open, select or close tabs."""
        window = await hands.window(start=args.action == "new")
        pages = window.context.pages
        if args.action == "new":
            window.page = await window.context.new_page()
        elif args.action in ("select", "close") and args.index is not None:
            if not 1 <= args.index <= len(pages):
                raise ToolError(f"There is no tab {args.index}.", hint=f"There are {len(pages)}.")
            chosen = pages[args.index - 1]
            if args.action == "select":
                window.page = chosen
                await chosen.bring_to_front()
            else:
                await chosen.close()
        elif args.action == "close":
            await window.page.close()
        return await _tabs(window)

    @tool(effects=frozenset({"read"}))
    async def browser_take_screenshot(task: TaskHandle, args: Picture) -> Result:
        """Take a picture of the page, or of a part of it."""
        window = await hands.window()
        async with _told(window, args.target):
            if args.target:
                locator, name = await hands.find(window.page, args.target, "read")
                png = await locator.screenshot(timeout=ACT_MS)
            else:
                name = await window.page.title() or window.page.url
                png = await window.page.screenshot(full_page=args.full_page)
        data = {"image/png": base64.b64encode(png).decode(), "text/plain": f"A picture of {name}"}
        return Result(
            summary=f"A picture of {name}.",
            outputs=[Output(kind="display", data=data)],
            data={"url": window.page.url, "bytes": len(png), **_said(window)},
        )

    @tool()
    async def browser_handle_dialog(task: TaskHandle, args: Dialog) -> Result:
        """Accept or dismiss the dialog that the page shows."""
        window = await hands.window()
        dialog, window.dialog = window.dialog, None
        if dialog is None:
            raise ToolError("The page asks nothing.")
        if args.accept:
            await dialog.accept(args.text)
        else:
            await dialog.dismiss()
        return await _seen(window, "Accepted." if args.accept else "Dismissed.")

    @tool(effects=frozenset({"read"}))
    async def browser_close(task: TaskHandle, args: Nothing) -> Result:
        """Close the browser."""
        hands.badges.clear()
        closed = await hands.life.close()
        return Result(summary="The browser is closed." if closed else "No browser was open.")


async def _select(locator: Locator, value: str) -> None:
    """Choose an option, or several of a list that takes several: "red, green and blue"."""
    shown = await locator.evaluate("e => [...(e.options || [])].map(o => o.text.trim())", timeout=ACT_MS)
    by_name = {" ".join(text.casefold().split()): text for text in shown}
    whole = by_name.get(" ".join(value.casefold().split()))
    names = [value] if whole or not shown else re.split(r",\s*(?:and\s+)?|\s+and\s+", value)
    wanted = [by_name.get(" ".join(name.casefold().split())) for name in names]
    if shown and None in wanted:
        missing = names[wanted.index(None)]
        raise ToolError(f"There is no option “{missing}”.", hint=f"There are: {', '.join(shown[:12])}.")
    await locator.select_option(label=[name or value for name in wanted], timeout=ACT_MS)


@contextlib.asynccontextmanager
async def _told(window: Window, what: str = "") -> AsyncIterator[None]:
    """Turn Playwright's errors into sentences for a person."""
    from playwright.async_api import Error
    from playwright.async_api import TimeoutError as TooLate

    try:
        yield
    except TooLate:
        if window.dialog is not None:
            return  # it waits for an answer, which is told with the result
        if not what:
            raise ToolError(f"{window.page.url} did not load in time.", hint="Try again.") from None
        raise ToolError(
            f"“{what}” could not be used in time: it is covered, disabled, or has gone.",
            hint="Say read the page to see what is there.",
        ) from None
    except Error as error:
        raise _problem(error.message, window) from None


def _problem(message: str, window: Window) -> ToolError:
    line = message.splitlines()[0] if message else ""
    for sign, sentence in (
        ("ERR_NAME_NOT_RESOLVED", "There is no such host."),
        ("ERR_CONNECTION_REFUSED", "Nothing answers at that address."),
        ("ERR_INTERNET_DISCONNECTED", "There is no network."),
        ("ERR_BLOCKED_BY_CLIENT", "That host is not allowed."),
        ("ERR_ADDRESS_UNREACHABLE", "That address cannot be reached."),
        ("ERR_CERT", "The site's certificate is not valid."),
        ("ERR_TOO_MANY_REDIRECTS", "The site sends from one address to the next without end."),
        ("ERR_ABORTED", "The page was not shown: it is a download, or was stopped."),
        ("Unknown key", "There is no such key."),
        ("Target page, context or browser has been closed", "The browser was closed."),
        ("Target crashed", "The page crashed."),
        ("is not an <input>", "Nothing can be typed there."),
        ("did not find some options", "There is no such option."),
    ):
        if sign in message:
            return ToolError(sentence, hint=" ".join(window.said[-1:]))
    return ToolError("The browser could not do that.", hint=line[:200])


def _several(words: str, elements: Sequence[Element], outline: Outline) -> ToolError:
    names = [f"{number}. {described(element, outline)}" for number, element in enumerate(elements, 1)]
    return ToolError(
        f"{len(elements)} things on the page fit “{words}”: {'; '.join(names)}.",
        hint=f"Say which: click the second {words.removeprefix('the ')}.",
    )


async def _seen(window: Window, done: str) -> Result:
    """Tell what was done and where the browser is then."""
    page = window.page
    title = ""
    if window.dialog is None:
        with contextlib.suppress(Exception):  # it is on its way to another page, or closed itself
            title = await page.title()
    place = title or page.url
    sentence = f"{done} {place}." if not done.endswith(".") else f"{done} {place}".strip()
    said = _said(window)
    return Result(
        summary=sentence,
        text="\n".join([f"{title}\n{page.url}".strip(), *said.get("happened", [])]),
        data={"url": page.url, "title": title, **said},
    )


def _said(window: Window) -> dict[str, Any]:
    happened, window.said = window.said, []
    return {"happened": happened} if happened else {}


async def _tabs(window: Window) -> Result:
    lines = []
    for number, page in enumerate(window.context.pages, 1):
        mark = "→" if page is window.page else " "
        lines.append(f"{mark} {number}. {await page.title() or 'New tab'}  {page.url}")
    many = len(lines)
    return Result(
        summary=f"{many} tab{'s' if many != 1 else ''}.", text="\n".join(lines), data={"tabs": lines}
    )


def _counted(outline: Outline) -> str:
    kinds = {"link": 0, "button": 0, "heading": 0}
    fields = 0
    for element in outline:
        if element.role in kinds:
            kinds[element.role] += 1
        fields += element.editable
    counts = [*((name, many) for name, many in kinds.items()), ("field", fields)]
    return (
        ", ".join(f"{many} {name}{'s' if many != 1 else ''}" for name, many in counts if many) or "text only"
    )


def _read(outline: Outline) -> str:
    """Return a page as a person would read it: headings, text, and what can be acted on."""
    lines: list[str] = []
    for element in outline:
        text = " ".join((element.name or element.value).split())
        if element.role == "heading":
            lines += ["", "#" * int(element.states.get("level", "1") or 1) + f" {text}"]
        elif element.role in ("generic", "text", "paragraph", "listitem", "cell", "status", "alert"):
            if text:
                lines.append(text)
        elif element.role == "img":
            lines.append(f"[image: {text}]" if text else "")
        elif element.interactive:
            state = "".join(
                f", {name}" for name in ("checked", "selected", "disabled") if name in element.states
            )
            label = outline.label(element)
            holds = element.value if element.value != label else ""
            lines.append(f"[{element.role}{state}] {': '.join(filter(None, (label, holds)))}".rstrip())
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip()
