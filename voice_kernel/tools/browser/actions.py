"""The browser tools: what can be done with a page, by words.

Each action finds its target in a fresh outline, acts, and tells what the page is then. Playwright's names
are those of playwright-mcp, so that models know them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.language import _, ngettext_
from voice_kernel.messages import Output, Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools.browser.hands import LIMIT_S, Found, Hands, Nothing, answered, said, seen, told
from voice_kernel.tools.browser.life import ACT_MS, Window
from voice_kernel.tools.browser.outline import Outline, outline_of
from voice_kernel.tools.browser.recording import call
from voice_kernel.tools.terminal import clip

if TYPE_CHECKING:
    from playwright.async_api import ElementHandle, Locator

MAX_MODEL_CHARS = 20_000
MAX_READ_CHARS = 12_000
MAX_WAIT_S = 300.0
NETWORK: Effects = frozenset({"network"})
READ: Effects = frozenset({"read"})
ACT: Effects = frozenset({"read", "send"})
"""Of what a page may take for a press of a button: it is told something, in the person's name."""
_HOLDS = "e => [!('value' in e) || e.value !== '' || e.isContentEditable, e.type === 'password']"
_OPTIONS = "e => [...(e.options || [])].map(o => o.text.trim())"


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


def register(registry: Registry, hands: Hands) -> None:
    """Register the browser tools.

    Args:
        registry: where.
        hands: act on the page.
    """

    def tool(**options: Any) -> Callable[[Any], Any]:
        # What a page does to the network is held where it leads to a host that was not agreed to.
        register_it = registry.tool(area="browser", untrusted=True, **{"effects": READ, **options})
        return lambda handler: register_it(answered(handler))

    def reaching(args: Url) -> Effects:
        return ACT if hands.is_known(args.url) else NETWORK

    @tool(effects=reaching)
    async def browser_navigate(task: TaskHandle, args: Url) -> Result:
        """Open a page in the browser."""
        hands.check_allowed()
        url = hands.life.check(args.url)
        window = await hands.window(start=True)
        hands.badges.clear()
        hands.know(url)
        async with told(window), hands.acting(task, window):
            answer = await window.page.goto(url, wait_until="domcontentloaded")
            hands.recording.did(f"page.goto({url!r})")
            if answer is not None and answer.status >= 400:
                window.said.append(
                    _("The site answered with the status {status}.").format(status=answer.status)
                )
        return await seen(window, _("Opened"))

    @tool()
    async def browser_snapshot(task: TaskHandle, args: Nothing) -> Result:
        """Read what is on the page: its headings, text, and what can be acted on."""
        window = await hands.window()
        async with told(window):
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
                **said(window),
            },
        )

    @tool(effects=ACT)
    async def browser_click(task: TaskHandle, args: Click) -> Result:
        """Click something on the page by its visible name."""
        window = await hands.window()
        async with told(window, args.target), hands.acting(task, window):
            found = await hands.find(window.page, args.target)
            times = 2 if args.double else 1
            button = args.button if args.button != "left" else ""
            with hands.recording.doing(
                call(found.code, "dblclick" if args.double else "click", button=button)
            ):
                await found.element.click(button=args.button, click_count=times, timeout=ACT_MS)
        return await seen(window, _("Clicked “{name}”.").format(name=found.name))

    @tool(effects=ACT, target=lambda args: args.target or _("the field in focus"))
    async def browser_type(task: TaskHandle, args: TypeText) -> Result:
        """Type text into a field, found by its visible name."""
        window = await hands.window()
        async with told(window, args.target), hands.acting(task, window):
            if args.target:
                found = await hands.find(window.page, args.target, "type")
            else:
                focus = window.page.locator("*:focus")
                found = Found(focus, _("the field in focus"), "page.locator('*:focus')")
            secret = await _fill(found.element, args.text, found.name)
            typed = call(found.code, "fill", args.text)
            if secret:
                typed = f'{found.code}.fill(os.environ.get("PASSWORD") or getpass())'
            hands.recording.did(typed)
            if args.submit:
                await found.element.press("Enter")
                hands.recording.did(call(found.code, "press", "Enter"))
        return await seen(window, _("Typed into “{name}”.").format(name=found.name))

    @tool(effects=ACT)
    async def browser_press_key(task: TaskHandle, args: PressKey) -> Result:
        """Press a key on the page."""
        window = await hands.window()
        async with told(window, args.key), hands.acting(task, window):
            with hands.recording.doing(f"page.keyboard.press({args.key!r})"):
                await window.page.keyboard.press(args.key)
        return await seen(window, _("Pressed {key}.").format(key=args.key))

    @tool(effects=ACT)
    async def browser_select_option(task: TaskHandle, args: SelectOption) -> Result:
        """Choose an option of a list by its visible text."""
        window = await hands.window()
        async with told(window, args.target), hands.acting(task, window):
            found = await hands.find(window.page, args.target, "select")
            chosen = await _select(found.element, args.value)
            hands.recording.did(call(found.code, "select_option", label=chosen))
        return await seen(window, _("Chose “{value}” in “{name}”.").format(value=args.value, name=found.name))

    @tool()
    async def browser_hover(task: TaskHandle, args: Target) -> Result:
        """Move the pointer over something on the page."""
        window = await hands.window()
        async with told(window, args.target), hands.acting(task, window):
            found = await hands.find(window.page, args.target, "hover")
            await found.element.hover(timeout=ACT_MS)
            hands.recording.did(call(found.code, "hover"))
        return await seen(window, _("The pointer is over “{name}”.").format(name=found.name))

    @tool()
    async def browser_wait_for(task: TaskHandle, args: WaitFor) -> Result:
        """Wait until a text appears on the page, or for some seconds."""
        window = await hands.window()
        async with told(window, args.text, LIMIT_S + (args.time or 0.0)):
            if args.text:
                text = window.page.get_by_text(args.text).first
                await text.wait_for(timeout=(args.time or 30.0) * 1000)
                hands.recording.did(f"expect(page.get_by_text({args.text!r}).first).to_be_visible()")
            elif args.time:
                await window.page.wait_for_timeout(args.time * 1000)
            else:
                await window.page.wait_for_load_state("load")
        return await seen(
            window, _("“{text}” is there.").format(text=args.text) if args.text else _("Waited.")
        )

    @tool()
    async def browser_navigate_back(task: TaskHandle, args: Nothing) -> Result:
        """Go back to the previous page."""
        window = await hands.window()
        hands.badges.clear()
        async with told(window), hands.acting(task, window):
            left = window.page.url
            await window.page.go_back(wait_until="domcontentloaded")
            if window.page.url == "about:blank" and left != "about:blank":  # the tab began with nothing
                await window.page.go_forward(wait_until="domcontentloaded")
            if window.page.url == left:
                raise ToolError(_("There is no page to go back to."))
            hands.recording.did("page.go_back()")
        return await seen(window, _("Back at"))

    @tool()
    async def browser_tabs(task: TaskHandle, args: Tabs) -> Result:
        """List, open, select or close tabs."""
        window = await hands.window(start=args.action == "new")
        pages = window.context.pages
        if args.action == "new":
            window.page = await window.context.new_page()
        elif args.action in ("select", "close") and args.index is not None:
            if not 1 <= args.index <= len(pages):
                raise ToolError(
                    _("There is no tab {index}.").format(index=args.index),
                    hint=_("There are {count}.").format(count=len(pages)),
                )
            chosen = pages[args.index - 1]
            if args.action == "select":
                window.page = chosen
                await chosen.bring_to_front()
            else:
                await chosen.close()
        elif args.action == "close":
            await window.page.close()
        return await _tabs(window)

    @tool()
    async def browser_take_screenshot(task: TaskHandle, args: Picture) -> Result:
        """Take a picture of the page, or of a part of it."""
        window = await hands.window()
        async with told(window, args.target):
            if args.target:
                found = await hands.find(window.page, args.target, "read")
                name, code = found.name, found.code
                png = await found.element.screenshot(timeout=ACT_MS)
            else:
                name, code = await window.page.title() or window.page.url, "page"
                png = await window.page.screenshot(full_page=args.full_page)
            file = f"screenshot-{len(hands.recording) + 1}.png"
            hands.recording.did(call(code, "screenshot", path=file, full_page=args.full_page))
        data = {
            "image/png": base64.b64encode(png).decode(),
            "text/plain": _("A picture of {name}").format(name=name),
        }
        return Result(
            summary=_("A picture of {name}.").format(name=name),
            outputs=[Output(kind="display", data=data)],
            data={"url": window.page.url, "bytes": len(png), **said(window)},
        )

    @tool(effects=ACT)
    async def browser_handle_dialog(task: TaskHandle, args: Dialog) -> Result:
        """Accept or dismiss the dialog that the page shows."""
        window = await hands.window(answering=True)
        dialog, window.dialog = window.dialog, None
        if dialog is None:
            raise ToolError(_("The page asks nothing."))
        async with told(window), hands.acting(task, window):
            if args.accept:
                await dialog.accept(args.text)
            else:
                await dialog.dismiss()
        hands.recording.answered(args.accept, args.text)
        return await seen(window, _("Accepted.") if args.accept else _("Dismissed."))

    @tool()
    async def browser_close(task: TaskHandle, args: Nothing) -> Result:
        """Close the browser."""
        hands.badges.clear()
        closed = await hands.life.close()
        return Result(summary=_("The browser is closed.") if closed else _("No browser was open."))


async def _fill(element: Locator | ElementHandle, text: str, name: str) -> bool:
    """Type into a field, and see that the text has stayed there: a page may clear or close a field at once.

    Returns:
        Whether it is a field for passwords.

    Raises:
        ToolError: the text has not stayed.
    """
    await element.fill(text, timeout=ACT_MS)
    kept, secret = await element.evaluate(_HOLDS)
    if text and not kept:
        raise ToolError(
            _("“{name}” did not keep the text.").format(name=name),
            hint=_("Say read the page to see what is there."),
        )
    return bool(secret)


async def _select(element: Locator | ElementHandle, value: str) -> list[str]:
    """Choose an option, or several of a list that takes several: "red, green and blue"."""
    shown = await element.evaluate(_OPTIONS)
    by_name = {_plain(text): text for text in shown}
    whole = _one(value, by_name)
    chosen = [whole or value] if whole or not shown else _listed(value, by_name)
    await element.select_option(label=chosen, timeout=ACT_MS)
    return chosen


def _listed(value: str, options: dict[str, str]) -> list[str]:
    """Return the options that are named one after the other; the longest names first, as they may hold "and".

    Raises:
        ToolError: something is left that is no option.
    """
    rest, found = f" {_plain(value)} ", []
    for plain in sorted(options, key=len, reverse=True):
        if plain and f" {plain} " in rest:
            found.append(plain)
            rest = rest.replace(f" {plain} ", " and ", 1)
    if missing := [word for word in rest.split() if word != "and"]:
        shown = ", ".join(list(options.values())[:12])
        raise ToolError(
            _("There is no option “{missing}”.").format(missing=" ".join(missing)),
            hint=_("There are: {shown}.").format(shown=shown),
        )
    return [options[plain] for plain in found]


def _one(name: str, options: dict[str, str]) -> str | None:
    """Return the option of that name, else the only one that begins with it, else None."""
    said = _plain(name)
    if said in options:
        return options[said]
    begin = [shown for plain, shown in options.items() if said and plain.startswith(said)]
    return begin[0] if len(begin) == 1 else None


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s]+", " ", text.casefold()).split()) or text.strip()


async def _tabs(window: Window) -> Result:
    lines = []
    for number, page in enumerate(window.context.pages, 1):
        mark = "→" if page is window.page else " "
        lines.append(f"{mark} {number}. {await page.title() or _('New tab')}  {page.url}")
    many = len(lines)
    return Result(
        summary=ngettext_("{count} tab.", "{count} tabs.", many).format(count=many),
        text="\n".join(lines),
        data={"tabs": lines},
    )


def _counted(outline: Outline) -> str:
    kinds = {"link": 0, "button": 0, "heading": 0}
    fields = 0
    for element in outline:
        if element.role in kinds:
            kinds[element.role] += 1
        fields += element.editable
    links, buttons, headings = kinds.values()
    counts = [
        (ngettext_("{count} link", "{count} links", links), links),
        (ngettext_("{count} button", "{count} buttons", buttons), buttons),
        (ngettext_("{count} heading", "{count} headings", headings), headings),
        (ngettext_("{count} field", "{count} fields", fields), fields),
    ]
    return ", ".join(counted.format(count=many) for counted, many in counts if many) or _("text only")


def _read(outline: Outline) -> str:
    """Return a page as a person would read it: headings, text, and what can be acted on."""
    lines: list[str] = []
    for element in outline:
        text = " ".join((element.name or element.value).split())
        if element.role == "heading":
            lines += ["", "#" * int(element.states.get("level", "1") or 1) + f" {text}"]
        elif element.role in ("generic", "text", "paragraph", "listitem", "cell", "status", "alert"):
            if text:
                lines.append(f"[clickable] {text}" if element.states.get("cursor") == "pointer" else text)
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
