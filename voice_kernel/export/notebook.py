"""A conversation as a notebook: a `%voice` cell for every step, with what came out of it.

The cells do the same again when they are run, as far as words mean the same there; the exact calls and
the outcomes are in their metadata.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from voice_kernel.errors import NotebookError
from voice_kernel.language import _
from voice_kernel.messages import Output, Task, Turn
from voice_kernel.script.step import Recorded, Step, steps_of
from voice_kernel.ui.frozen import frozen_html, frozen_text
from voice_kernel.ui.markup import sanitize

if TYPE_CHECKING:
    from nbformat import NotebookNode

KEPT = ("text/plain", "image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")
"""What an output shows besides HTML, which is written anew; nothing that runs."""


def notebook(recorded: Sequence[Recorded], title: str) -> NotebookNode:
    """Return the notebook.

    Args:
        recorded: the turns with their tasks, in order.
        title: what it is a record of, on one line.

    Raises:
        NotebookError: nbformat is not installed.
    """
    try:
        from nbformat import v4
    except ImportError:
        raise NotebookError(
            _("nbformat is not installed here."), hint=_('Run: pip install "voice-kernel[run]"')
        ) from None
    heading = f"# Voice session\n\n    {title}" if title else "# Voice session"  # indented: never markup
    cells = [v4.new_markdown_cell(heading), v4.new_code_cell("%load_ext voice_kernel")]
    for one, step in zip(recorded, steps_of(recorded), strict=True):
        if step.left_out:
            cells.append(v4.new_code_cell(f"# left out, since {step.left_out}: {step.text}"))
            continue
        outputs = [v4.new_output(**output) for output in _outputs(one)]
        cells.append(
            v4.new_code_cell(source_of(step), outputs=outputs, metadata={"voice_kernel": _noted(step)})
        )
    made: NotebookNode = v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
            "language_info": {"name": "python"},
        },
    )
    return made


def source_of(step: Step) -> str:
    """Return the code of a step's cell."""
    # Words that begin with a dash are no options.
    return f"%voice -- {step.text}" if step.text.startswith("-") else f"%voice {step.text}"


def _noted(step: Step) -> dict[str, Any]:
    noted: dict[str, Any] = {"calls": [call.model_dump(mode="json") for call in step.calls]}
    if step.expected is not None:
        noted["tasks"] = [task.model_dump(mode="json", exclude_defaults=True) for task in step.expected]
    return noted


def _outputs(one: Recorded) -> list[dict[str, Any]]:
    """Return what a cell with `%voice` shows: what code put out, then the card, then the error."""
    outputs = [
        made
        for task in one.tasks
        for output in (task.result.outputs if task.result is not None else ())
        if (made := _output(output)) is not None
    ]
    turn, tasks = _in_cell(one)
    card = {"text/html": frozen_html(turn, tasks), "text/plain": frozen_text(turn, tasks)}
    outputs.append({"output_type": "display_data", "data": card, "metadata": {}})
    if turn.state == "failed":
        problem = turn.problem
        message = f"{problem.message} {problem.hint}".strip() if problem is not None else "The turn failed."
        error = {"ename": "TurnFailed", "evalue": message, "traceback": [f"TurnFailed: {message}"]}
        outputs.append({"output_type": "error", **error})
    return outputs


def _in_cell(one: Recorded) -> tuple[Turn, list[Task]]:
    # So that the card leaves out what stands beside it in the cell.
    tasks = [task.model_copy(update={"origin": "magic"}) for task in one.tasks]
    return one.turn.model_copy(update={"origin": "magic"}), tasks


def _output(output: Output) -> dict[str, Any] | None:
    if output.kind == "stream":
        return {"output_type": "stream", "name": "stdout", "text": output.text}
    if output.kind == "error":
        return {"output_type": "error", "ename": "Error", "evalue": "", "traceback": output.text.split("\n")}
    data = {mime: value for mime, value in output.data.items() if mime in KEPT}
    if "text/html" in output.data:
        data["text/html"] = sanitize(output.data["text/html"])
    return {"output_type": "display_data", "data": data, "metadata": {}} if data else None
