"""`%voice` and `%%voice`: parse the line and call app. Knows options, not what is done with them.

Registering costs next to nothing: everything else is imported by the first use.
"""

from __future__ import annotations

import contextlib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voice_kernel.language import _

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from voice_kernel.app import App

USAGE = """Speak to the notebook in words.

    %voice                        show the panel: hold the button and talk, or type
    %voice run the tests          do what the words say; the cell waits until it is done
    %voice -b run the tests       the same in the background; returns a handle you can await
    %voice --audio clip.wav       do what a recording says
    %voice --model ollama/qwen3   from now on this model answers; with words: only this once
    %%voice                       one command a line; stops at the first that fails
    %%voice --keep-going          ... or goes on, and fails at the end

The turn comes back as a result: `turn = %voice list variables`, then `turn.transcript`, `turn.route`,
`turn.calls`, `turn.outcome`, `turn.outputs`. A turn that fails raises, so that `jupyter execute` fails
too. The interrupt button cancels the turn. `%voice help` says what can be said.
"""

NO_EXPANSION = "_ipython_magic_no_var_expand"
"""What IPython's `no_var_expand` leaves on a magic: its line is then taken as it is."""
CHATKIT = ("chatkit.widgets", "WidgetComponentBase")
"""What every widget of ChatKit's Python types is; a cell that ends in one shows it."""


@dataclass(frozen=True)
class Request:
    """A magic's line, taken apart."""

    text: str = ""
    audio: str = ""
    background: bool = False
    keep_going: bool = False
    model: str | None = None


class UsageError(ValueError):
    """The options of the magic do not fit."""

    def _render_traceback_(self) -> list[str]:
        return [f"%voice: {self}", _("Try %voice? for how it is used.")]


def parse_line(line: str) -> Request:
    """Take a magic's line apart: options first, then the words as they are.

    Raises:
        UsageError: an unknown option, or one without its value.
    """
    rest = line.strip()
    options: dict[str, Any] = {}
    while rest.startswith("-"):
        option, _space, rest = rest.partition(" ")
        rest = rest.lstrip()
        if option in ("-b", "--background"):
            options["background"] = True
        elif option == "--keep-going":
            options["keep_going"] = True
        elif option == "--model":
            options["model"], _space, rest = rest.partition(" ")
            rest = rest.lstrip()
            if not options["model"]:
                raise UsageError(_("--model takes a model: ollama/qwen3, openai, http://host:8000/v1#name."))
        elif option == "--audio":
            try:
                words = shlex.split(rest)
            except ValueError as error:
                raise UsageError(_("--audio: {error}").format(error=error)) from None
            if len(words) != 1:
                raise UsageError(_("--audio takes one file."))
            options["audio"], rest = words[0], ""
        elif option == "--":
            break
        else:
            raise UsageError(_("there is no option {option}.").format(option=option))
    return Request(text=rest, **options)


def register(shell: InteractiveShell) -> None:
    """Add the magics to a shell."""

    def voice(line: str, cell: str | None = None) -> Any:
        from voice_kernel.app import app_of

        return _run(app_of(shell), parse_line(line), cell)

    voice.__doc__ = USAGE
    # Words are words: neither `echo $HOME` nor `{...}` in what was said once, kept in a notebook, is code.
    setattr(voice, NO_EXPANSION, True)
    # IPython's own decorator hides the real signature from type checkers.
    shell.register_magic_function(voice, "line_cell", "voice")  # type: ignore[arg-type]
    _displays(shell).for_type_by_name(*CHATKIT, _show_widget)


def unregister(shell: InteractiveShell) -> None:
    """Take the magics away and end the session."""
    from voice_kernel.app import close_app
    from voice_kernel.usertools.shelf import shelf

    close_app(shell)
    shelf.clear()
    with contextlib.suppress(KeyError):
        _displays(shell).pop(".".join(CHATKIT))
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("voice", None)


def _displays(shell: InteractiveShell) -> Any:
    # IPython types few of its formatters.
    return shell.display_formatter.ipython_display_formatter  # type: ignore[union-attr]


def _show_widget(value: Any) -> None:
    from voice_kernel.widgets.widget import show

    show(value)


def _run(app: App, request: Request, cell: str | None) -> Any:
    if cell is not None:
        if request.text or request.audio or request.background:
            raise UsageError(_("%%voice takes its commands from the lines below it."))
        lines = [line.strip() for line in cell.splitlines()]
        commands = [line for line in lines if line and not line.startswith("#")]
        return app.say_all(commands, keep_going=request.keep_going)
    if request.keep_going:
        raise UsageError(_("--keep-going is for %%voice."))
    if request.audio:
        return app.hear(request.audio, background=request.background)
    if request.text or request.model:
        return app.say(request.text, background=request.background, model=request.model)
    if request.background:
        raise UsageError(_("-b needs words."))
    return app.show_panel()
