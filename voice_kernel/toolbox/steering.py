"""Carries out controls: a yes, a no, cancel, interrupt, be quiet.

They wait for nothing, and only people steer. It does not know how words are understood, nor turns. Belongs to
the loop thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voice_kernel.controls import ABOUT_SPEAKING, CONTROLS
from voice_kernel.errors import Refused
from voice_kernel.events import Hub
from voice_kernel.intents import Parse
from voice_kernel.language import _
from voice_kernel.messages import ControlSpoken, Origin
from voice_kernel.task.runner import Runner
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.questions import Questions


class Steering:
    """What a person steers one session with.

    Args:
        hub: where surfaces are told to carry a control out.
        approvals: the cards that wait.
        questions: the turns that ask.
        runner: the tasks.
        interrupt: interrupts user code on the main thread.
        aloud: carries out a control of what is spoken, given its name, its arguments and the surface on which
            it was said; returns what to answer.
    """

    def __init__(
        self,
        hub: Hub,
        approvals: Approvals,
        questions: Questions,
        runner: Runner,
        interrupt: Callable[[], object],
        aloud: Callable[[str, dict[str, Any], str], str],
    ) -> None:
        self._hub = hub
        self._approvals = approvals
        self._questions = questions
        self._runner = runner
        self._interrupt = interrupt
        self._aloud = aloud

    def carry_out(
        self, name: str, arguments: dict[str, Any], origin: Origin, spoken_at: float, surface_id: str = ""
    ) -> str:
        """Carry out a control at once; returns what to say.

        Raises:
            Refused: the control is not for this origin, or did not count.
        """
        if origin not in ("voice", "text", "magic"):
            raise Refused(_("{name} is for a person only.").format(name=name))
        if name in ("approve", "deny"):
            if origin == "magic":
                raise Refused(
                    _("A cell cannot answer for you."),
                    hint=_("Say it, type it in the panel, or click the card."),
                )
            number = arguments.get("approval")
            if self._questions.open and number is None:
                return self._answered(name == "approve", spoken_at)
            reply = self._approvals.spoken(
                name == "approve", int(number) if number is not None else None, spoken_at
            )
            if reply:
                raise Refused(reply)
            return _("Approved.") if name == "approve" else _("Denied.")
        if name in ("accept_changes", "reject_changes"):
            if origin == "magic":
                raise Refused(
                    _("A cell cannot answer for you."), hint=_("Say it, type it in the panel, or click.")
                )
            if reply := self._approvals.spoken_for_changes(name == "accept_changes", spoken_at):
                raise Refused(reply)
            return _("Accepted.") if name == "accept_changes" else _("Rejected.")
        if name == "cancel_task":
            return self._cancel_said(str(arguments.get("task", "last")))
        if name == "interrupt_kernel":
            self._interrupt()
            return _("Interrupted.")
        if name == "stop_speaking" or name not in ABOUT_SPEAKING:
            self._hub.publish(
                ControlSpoken(control="stop_listening" if name == "stop_listening" else "stop_speaking")
            )
        return self._aloud(name, arguments, surface_id) if name in ABOUT_SPEAKING else _("Stopped.")

    def _answered(self, yes: bool, spoken_at: float) -> str:
        """Take a yes or a no for the question of a turn."""
        if yes and self._approvals.open:
            raise Refused(
                _("A card and a question are open, and it is not clear which one you mean."),
                hint=_("Say the number of the card, or click."),
            )
        if reply := self._questions.spoken(yes, spoken_at):
            raise Refused(reply)
        if not yes and self._approvals.open:
            self._approvals.spoken(False, None, spoken_at)
        return _("Yes.") if yes else _("No.")

    def _cancel_said(self, which: str) -> str:
        open_tasks = self._runner.open_tasks()
        if which == "all":
            chosen = open_tasks
        elif which == "last":
            chosen = open_tasks[-1:]
        else:
            chosen = [task for task in open_tasks if str(task.id) == which]
            if not chosen:
                raise Refused(
                    _("Task {which} is not running.").format(which=which),
                    hint=_('Say "list tasks" to see what is.'),
                )
        if not chosen:
            return _("Nothing is running.")
        for task in chosen:
            self._runner.cancel(task.id)
        return _("Cancelled {tasks}.").format(tasks=", ".join(task.title for task in chosen))

    def means_one(self, parse: Parse) -> bool:
        """Return whether words are a control and nothing else, with something there to be controlled.

        Such words pass dictation; "no", with no card open, is a word like any other.
        """
        controls = {call.tool for call in parse.calls}
        if parse.route != "intents" or not controls or not controls <= CONTROLS:
            return False
        if controls & (ABOUT_SPEAKING - {"stop_speaking"}):
            return False  # "repeat" may well be a word that is dictated
        if controls & {"approve", "deny", "accept_changes", "reject_changes"}:
            return bool(self._approvals.open or self._questions.open)
        return "cancel_task" not in controls or bool(self._runner.open_tasks())
