"""Steps as a `.voice` file: one command a line, comments, and what is for programs in comments of its own.

    #!/usr/bin/env -S voice-kernel replay
    #= {"voice_kernel":"0.5.0","format":1}

    run the tests
    #= {"said":"run the tests","calls":[{"tool":"run_tests","arguments":{}}],"tasks":[...]}

A line that begins with `#= {` says what the command above it was taken for and how it ended. Whoever knows
nothing of it reads a comment. It holds only as long as the words are those it was written for: a command
that was edited is understood anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voice_kernel.errors import ScriptError
from voice_kernel.messages import Call
from voice_kernel.script.outcome import TaskOutcome
from voice_kernel.script.step import MAX_CALLS, Step, one_line
from voice_kernel.version import __version__

MAX_SCRIPT_BYTES = 16_000_000
FORMAT = 1
MARK = "#="
SHEBANG = "#!/usr/bin/env -S voice-kernel replay"
"""Makes an exported script a program: it shows what it would do, and does it with `--run`."""
EDITED = "The words were changed since: they are understood anew."


class _Note(BaseModel):
    """What a machine-readable line says of the command above it."""

    model_config = ConfigDict(extra="ignore")

    said: str = ""
    calls: list[Call] = Field(default=[], max_length=MAX_CALLS)
    tasks: list[TaskOutcome] | None = None


class _Head(BaseModel):
    """What it says of the file, above the first command."""

    model_config = ConfigDict(extra="ignore")

    format: int = FORMAT


def read(path: Path) -> list[Step]:
    """Return the steps of a `.voice` file.

    Raises:
        ScriptError: it cannot be read, holds no command, or a line for programs is damaged.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SCRIPT_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ScriptError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ScriptError(f"{path} is no text in UTF-8.") from None
    if len(data) > MAX_SCRIPT_BYTES:
        raise ScriptError(f"{path} is too long for a script.")
    steps = parse(text, path.name)
    if not steps:
        raise ScriptError(f"{path} holds no command.", hint="Write one command a line.")
    return steps


def parse(text: str, name: str = "script") -> list[Step]:
    """Return the steps of a script's text.

    Args:
        text: the script.
        name: what it is called, for messages.

    Raises:
        ScriptError: a line for programs is damaged, or of a later version.
    """
    steps: list[Step] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        where = f"{name}:{number}"
        if line.startswith(MARK) and line[len(MARK) :].lstrip().startswith("{"):
            data = line[len(MARK) :]
            if steps:
                steps[-1] = _noted(steps[-1], _load(_Note, data, where))
            elif _load(_Head, data, where).format > FORMAT:
                raise ScriptError(
                    f"{where}: this script was written by a later version of voice_kernel.",
                    hint="Update voice-kernel, or remove the line.",
                )
        elif line and not line.startswith("#"):
            steps.append(Step(text=line, where=where))
    return steps


def write(steps: Iterable[Step], title: str = "") -> str:
    """Return steps as a script.

    Args:
        steps: in their order; those that are left out become comments.
        title: what it is a script of, on one line.
    """
    lines = [SHEBANG, _mark({"voice_kernel": __version__, "format": FORMAT})]
    lines += [f"# {one_line(title)}"] if title else []
    lines += [
        "#",
        "# One command a line. A line with #= says what the command above it was taken for and how it ended:",
        "# `voice-kernel replay` shows it, and with --run does exactly that again and compares.",
    ]
    for step in steps:
        text = one_line(step.text)
        lines.append("")
        if step.left_out:
            lines.append(f"# left out, since {step.left_out}: {text}")
            continue
        lines.append(text)
        note: dict[str, Any] = {"said": text}
        if step.calls:
            note["calls"] = [call.model_dump(mode="json") for call in step.calls]
        if step.expected is not None:
            note["tasks"] = [task.model_dump(mode="json", exclude_defaults=True) for task in step.expected]
        lines.append(_mark(note))
    return "\n".join(lines) + "\n"


def _noted(step: Step, note: _Note) -> Step:
    if note.said and note.said != one_line(step.text):
        return replace(step, note=EDITED)
    expected = tuple(note.tasks) if note.tasks is not None else None
    return replace(step, calls=tuple(note.calls), expected=expected)


def _load(model: type[Any], data: str, where: str) -> Any:
    try:
        return model.model_validate_json(data)
    except ValidationError:
        raise ScriptError(
            f"{where}: this line is damaged.", hint=f"Remove it; without {MARK} the words alone count."
        ) from None


def _mark(data: dict[str, Any]) -> str:
    # ASCII: no line separator of Unicode can break the line in two for some reader.
    return f"{MARK} {json.dumps(data, separators=(',', ':'))}"
