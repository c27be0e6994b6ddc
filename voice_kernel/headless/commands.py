"""What a scripted run is to do: words, recordings, and `.voice` scripts with one command a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voice_kernel.messages import Call
from voice_kernel.script import voicefile
from voice_kernel.script.outcome import Outcome


@dataclass(frozen=True)
class Command:
    """One command: words, or a recording of them."""

    text: str = ""
    audio: Path | None = None
    where: str = ""
    """Where it was written down, e.g. `check.voice:3`; empty for the command line."""
    calls: tuple[Call, ...] = ()
    """What exactly the words were taken for when they were said; none has them understood now."""
    expected: Outcome | None = None
    """How it ended then: any other end is a failure, and the same failure is none."""

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.text or (self.audio.name if self.audio is not None else "")


def read_script(path: Path) -> list[Command]:
    """Return the commands of a `.voice` script.

    Empty lines and lines that begin with `#` do nothing by themselves; those of an exported session say what
    a command is to call, and how it is to end.

    Raises:
        ScriptError: it cannot be read, or holds no command.
    """
    return [
        Command(step.text, where=step.where, calls=step.calls, expected=step.expected)
        for step in voicefile.read(path)
    ]
