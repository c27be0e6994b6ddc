"""More that can be done with a page by words: numbers beside things, scrolling, ticking, files, export."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from voice_kernel.errors import Refused, ToolError
from voice_kernel.language import _
from voice_kernel.messages import Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools.browser import badges
from voice_kernel.tools.browser.hands import Hands, Nothing, answered, seen, told
from voice_kernel.tools.browser.life import ACT_MS
from voice_kernel.tools.browser.recording import call
from voice_kernel.tools.terminal import clip

MAX_FILES = 20
READ: Effects = frozenset({"read"})
_ROLL = """([direction, pages, e]) => {
  const scrolls = n => n.scrollHeight > n.clientHeight + 1 &&
    /auto|scroll/.test(getComputedStyle(n).overflowY);
  let box = e;
  while (box && !scrolls(box)) box = box.parentElement;
  box = box || document.scrollingElement || document.documentElement;
  const before = [box.scrollLeft, box.scrollTop];
  const x = box.clientWidth * 0.85 * pages, y = box.clientHeight * 0.85 * pages;
  const to = {up: [0, -y], down: [0, y], left: [-x, 0], right: [x, 0]}[direction];
  if (to) box.scrollBy({left: to[0], top: to[1], behavior: 'instant'});
  else box.scrollTo({top: direction === 'top' ? 0 : box.scrollHeight, behavior: 'instant'});
  const end = box.scrollHeight - box.clientHeight;
  return {moved: before[0] !== box.scrollLeft || before[1] !== box.scrollTop,
          place: end > 0 ? Math.round(100 * box.scrollTop / end) : 100};
}"""


class Badges(Arguments):
    """Arguments of `browser_badges`."""

    visible: bool = Field(default=True, description="Whether to show the numbers, or take them away.")
    only: Literal["", "links", "fields"] = Field(default="", description="What to number; empty for all.")


class Scroll(Arguments):
    """Arguments of `browser_scroll`."""

    direction: Literal["up", "down", "left", "right", "top", "bottom"] = Field(
        default="down", description="Where to."
    )
    pages: float = Field(default=1.0, gt=0, le=100, description="How far, in what is seen at once.")
    target: str = Field(
        default="", max_length=500, description="What to bring into view, or a part that scrolls by itself."
    )


class Check(Arguments):
    """Arguments of `browser_check`."""

    target: str = Field(min_length=1, max_length=500, description="The box's visible name, or its number.")
    checked: bool = Field(default=True, description="Whether it should be ticked afterwards.")


class Upload(Arguments):
    """Arguments of `browser_file_upload`."""

    paths: list[str] = Field(
        min_length=1, max_length=MAX_FILES, description="Files of the working folder, by name."
    )
    target: str = Field(
        default="", max_length=500, description="The field's visible name; empty for the only one."
    )

    @field_validator("paths", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        # As it is spoken: "upload data.csv and notes.txt".
        return re.split(r",\s*|\s+and\s+", given) if isinstance(given, str) else given


class Export(Arguments):
    """Arguments of `browser_export`."""

    path: str = Field(
        default="", max_length=500, description="File to write in the working folder; empty only to show it."
    )


def register(registry: Registry, hands: Hands) -> None:
    """Register these tools.

    Args:
        registry: where.
        hands: act on the page.
    """

    def tool(**options: Any) -> Callable[[Any], Any]:
        register_it = registry.tool(area="browser", untrusted=True, **options)
        return lambda handler: register_it(answered(handler))

    @tool(effects=READ)
    async def browser_badges(task: TaskHandle, args: Badges) -> Result:
        """Show numbers beside everything on the page that can be acted on, or take them away."""
        window = await hands.window()
        hands.badges.clear()
        if not args.visible:
            await badges.hide(window.page)
            return Result(summary=_("The numbers are gone."))
        async with told(window):
            hands.badges.update(await badges.show(window.page, args.only))
        found = hands.badges
        lines = [f"{number}. {badge.called}" for number, badge in found.items()]
        beside = [
            f"{line} ({badge.around})" if badge.name and badge.around else line
            for line, badge in zip(lines, found.values(), strict=True)
        ]
        if not found:
            return Result(summary=_("There is nothing on the page to act on."))
        return Result(
            summary=_("Numbers 1 to {count} are shown: say click and a number.").format(count=len(found)),
            text=clip("\n".join(beside)),
            data={"url": window.page.url, "badges": {str(n): badge.called for n, badge in found.items()}},
        )

    @tool(effects=READ)
    async def browser_scroll(task: TaskHandle, args: Scroll) -> Result:
        """Scroll the page, or bring something into view."""
        window = await hands.window()
        async with told(window, args.target):
            if args.target and "direction" not in args.model_fields_set:
                found = await hands.find(window.page, args.target, "read")
                await found.element.scroll_into_view_if_needed(timeout=ACT_MS)
                hands.recording.did(call(found.code, "scroll_into_view_if_needed"))
                return await seen(window, _("“{name}” is in view.").format(name=found.name))
            inside = None
            if args.target:
                inside = await (await hands.find(window.page, args.target, "read")).handle()
            rolled = await window.page.evaluate(_ROLL, [args.direction, args.pages, inside])
        if not rolled["moved"]:
            top = args.direction in ("up", "top")
            return await seen(window, _("This is the top already.") if top else _("This is the end already."))
        return await seen(
            window,
            _("Scrolled {direction}, {place}% down.").format(direction=args.direction, place=rolled["place"]),
        )

    @tool(effects=READ | {"send"})
    async def browser_check(task: TaskHandle, args: Check) -> Result:
        """Tick a box, choose a radio button, or clear a tick."""
        window = await hands.window()
        async with told(window, args.target), hands.acting(task, window):
            found = await hands.find(window.page, args.target, "check")
            method = "check" if args.checked else "uncheck"
            with hands.recording.doing(call(found.code, method)):
                await getattr(found.element, method)(timeout=ACT_MS)
        return await seen(window, f"{'Ticked' if args.checked else 'Cleared'} “{found.name}”.")

    @tool(effects=frozenset({"network"}), target=lambda args: ", ".join(args.paths))
    async def browser_file_upload(task: TaskHandle, args: Upload) -> Result:
        """Give files of the working folder to the page."""
        window = await hands.window()
        files = [_inside(hands.life.folder(), path) for path in args.paths]
        async with told(window, args.target), hands.acting(task, window):
            if args.target:
                found = await hands.find(window.page, args.target, "click")
                element, code, name = await found.handle(), found.code, found.name
            else:
                fields = await window.page.query_selector_all("input[type=file]")
                if len(fields) != 1:
                    raise ToolError(
                        _("There are {count} fields for files on the page.").format(count=len(fields))
                        if fields
                        else _("There is no field for files on the page."),
                        hint=_("Say which: upload data.csv to the attachment field."),
                    )  # fmt: skip
                element, code, name = fields[0], "page.locator('input[type=file]')", _("the file field")
            if await element.evaluate("e => e.type === 'file'"):
                await element.set_input_files(files)
                hands.recording.did(call(code, "set_input_files", [file.name for file in files]))
            else:  # a button that opens the browser's own window for files
                async with window.page.expect_file_chooser(timeout=ACT_MS) as asked:
                    await element.click(timeout=ACT_MS)
                await (await asked.value).set_files(files)
        names = ", ".join(file.name for file in files)
        return await seen(window, _("Gave {names} to “{name}”.").format(names=names, name=name))

    @tool(effects=lambda args: frozenset({"write"}) if args.path else READ)
    async def browser_export(task: TaskHandle, args: Export) -> Result:
        """Export what was done in the browser as a Playwright script."""
        recording = hands.recording
        if not len(recording):
            raise ToolError(_("Nothing was done in the browser yet."), hint=_("Open a page first."))
        name = Path(args.path).name or "recorded.py"
        script = recording.script(name)
        written = ""
        if args.path:
            target = _place(hands.life.folder(), args.path)
            try:
                with target.open("x", encoding="utf-8") as file:
                    file.write(script)
            except FileExistsError:
                raise ToolError(
                    _("{name} is there already.").format(name=target.name), hint=_("Say another name.")
                ) from None
            written = target.name
        return Result(
            summary=(
                _("A Playwright script of {count} steps, written to {file}.")
                if written
                else _("A Playwright script of {count} steps.")
            ).format(count=len(recording), file=written),
            text=script,
            data={"script": script, "steps": len(recording)},
        )

    @tool(effects=frozenset())
    async def browser_forget(task: TaskHandle, args: Nothing) -> Result:
        """Forget what was done in the browser: the script that is exported begins anew."""
        hands.recording.clear()
        return Result(summary=_("The recording begins anew."))


def _inside(folder: Path, path: str) -> Path:
    """Return a file of the working folder.

    Raises:
        Refused: it is outside: a page must not be given what nobody put there.
        ToolError: there is none.
    """
    file = (folder / re.sub(r"\s+dot\s+", ".", path)).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise Refused(
            _("Only files of the working folder can be uploaded."),
            hint=_("Copy {name} into it.").format(name=file.name),
        )
    if not file.is_file():
        raise ToolError(
            _("There is no file {dumps} in the working folder.").format(dumps=json.dumps(path)[:100])
        )
    return file


def _place(folder: Path, path: str) -> Path:
    target = (folder / path).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise Refused(_("Scripts are written into the working folder only."))
    return target if target.suffix == ".py" else target.with_name(f"{target.name}.py")
