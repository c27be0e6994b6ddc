"""Commands of JupyterLab by their names in the command palette.

The front end knows little about most of them: what one may do is judged by the words of its name.
"""

from __future__ import annotations

import re
import unicodedata

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.messages import Result, RunCommand
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effect, Effects, Registry
from voice_kernel.tools.desk import WRITE, Desk


class RunCommandArguments(Arguments):
    """Arguments of `run_command`."""

    label: str = Field(min_length=1, max_length=200, description="The command's name in the command palette.")


_COMMANDS: tuple[tuple[re.Pattern[str], Effect], ...] = (
    (re.compile(r"\b(restart|shut ?down|kill|terminate|log ?out|quit|exit|interrupt)"), "restart"),
    (re.compile(r"\b(install|uninstall|extension|update)"), "install"),
    (
        re.compile(
            r"\b(delete|remove|close|clear|discard|revert|reload|reset|overwrite|trash|erase|trust|rename"
            r"|move to|restore|import|replace all)"
        ),
        "delete",
    ),
    (re.compile(r"\b(run|execute|terminal|console)"), "execute"),
    # As JupyterLab's German pack has them, where verbs come last and may be parts of a word.
    (re.compile(r"neu ?start|herunterfahren|beenden|abbrechen|abmelden|unterbrechen"), "restart"),
    (re.compile(r"installieren|erweiterung|aktualisieren"), "install"),
    (
        re.compile(
            r"lösch|entfern|schließen|leeren|verwerfen|zurücksetzen|neu laden|überschreiben|papierkorb"
            r"|vertrauen|umbenennen|verschieben|wiederherstellen|importieren|alle ersetzen"
        ),
        "delete",
    ),
    (re.compile(r"ausführen|konsole"), "execute"),
)
"""What a command may do, by the words of its label. The front end knows no more about most of them."""


def effects_of_command(args: RunCommandArguments) -> Effects:
    """Return what a command may do, judged by its label: what cannot be undone asks first."""
    label = unicodedata.normalize("NFKC", args.label).lower()
    return WRITE | {effect for pattern, effect in _COMMANDS if pattern.search(label)}


def register(registry: Registry, desk: Desk) -> None:
    """Register `run_command`."""

    @registry.tool(area="lab", effects=effects_of_command, target=lambda args: args.label)
    async def run_command(task: TaskHandle, args: RunCommandArguments) -> Result:
        """Run a command of JupyterLab by its name in the command palette."""
        # What was said may be a misheard name: what it is taken for was not judged by policy.
        reply = await desk.ask(RunCommand(label=args.label, exact=True), task)
        if not reply.ran:
            found = RunCommandArguments(label=reply.text)
            if not effects_of_command(found) <= effects_of_command(args):
                raise ToolError(
                    _("There is no command “{label}”, only “{found}”.").format(
                        label=args.label, found=found.label
                    ),
                    hint=_("Say that name to run it: it asks first."),
                )
            reply = await desk.ask(RunCommand(label=found.label), task)
        return Result(summary=_("Ran “{value}”.").format(value=reply.text or args.label))
