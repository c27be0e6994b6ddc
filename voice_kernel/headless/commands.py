"""What a scripted run is to do: words, recordings, and `.voice` scripts with one command a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voice_kernel.errors import NotebookError

MAX_SCRIPT_BYTES = 1_000_000


@dataclass(frozen=True)
class Command:
    """One command: words, or a recording of them."""

    text: str = ""
    audio: Path | None = None
    where: str = ""
    """Where it was written down, e.g. `check.voice:3`; empty for the command line."""

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.text or (self.audio.name if self.audio is not None else "")


def read_script(path: Path) -> list[Command]:
    """Return the commands of a `.voice` script.

    Empty lines and lines that begin with `#` do nothing.

    Raises:
        NotebookError: it cannot be read, or holds no command.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SCRIPT_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise NotebookError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise NotebookError(f"{path} is no text in UTF-8.") from None
    if len(text) > MAX_SCRIPT_BYTES:
        raise NotebookError(f"{path} is too long for a script.")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    commands = [
        Command(text=line, where=f"{path.name}:{number}")
        for number, line in lines
        if line and not line.startswith("#")
    ]
    if not commands:
        raise NotebookError(f"{path} holds no command.", hint="Write one command a line.")
    return commands
