"""The built panel: the files that a page loads, and the parts that it asks for when they are first needed.

It does not know who asks.
"""

from __future__ import annotations

from pathlib import Path

from voice_kernel.errors import VoiceKernelError
from voice_kernel.language import _
from voice_kernel.messages import Part, Problem, ReadPart

STATIC = Path(__file__).parent / "static"


def built(name: str) -> str:
    """Return a built file.

    Raises:
        VoiceKernelError: the panel was never built (a source tree without `make setup`).
    """
    try:
        return (STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise VoiceKernelError(
            _("The voice panel is not built."),
            hint=_("In the source tree run `make setup`; an installed package has it already."),
        ) from None


def part(request: ReadPart) -> Part:
    """Return a part of the panel, or the problem in its place."""
    try:
        return Part(id=request.id, source=built(f"parts/{request.name}.js"))
    except VoiceKernelError as error:
        problem = Problem(kind=type(error).__name__, message=error.message, hint=error.hint)
        return Part(id=request.id, problem=problem)
