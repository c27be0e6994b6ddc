"""The gallery of widgets, run as anybody would run it: each component is in it, drawn without a browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import executed

from voice_kernel.widgets.document import components

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MIME = "application/vnd.voice-kernel.widget+json"
CHATKIT = (
    "Card ListView ListViewItem Basic Box Row Col Form Spacer Divider Transition Text Title "
    "Caption Markdown Label Badge Icon Image Button Input Textarea Select DatePicker Checkbox "
    "RadioGroup Chart Table Table.Row Table.Cell Progress"
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The bundles of the executed gallery."""
    folder = tmp_path_factory.mktemp("gallery")
    shutil.copytree(NOTEBOOKS / "widgets", folder / "widgets")
    path = Path(shutil.copy(NOTEBOOKS / "widgets.ipynb", folder))
    notebook = executed(path)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [dict(output.data) for output in outputs if MIME in output.get("data", {})]


def test_no_cell_of_the_saved_gallery_has_outputs() -> None:
    notebook = nbformat.read(NOTEBOOKS / "widgets.ipynb", as_version=4)
    assert [cell.id for cell in notebook.cells if cell.get("outputs")] == []


def test_each_component_is_in_the_gallery(shown: list[dict[str, Any]]) -> None:
    roots = [widget["root"] for bundle in shown for widget in bundle[MIME]["widgets"]]
    kinds = {component["type"] for root in roots for component in components(root)}
    assert [name for name in (*CHATKIT.split(), "Hologram") if name not in kinds] == []


def test_each_has_a_form_that_needs_no_kernel(shown: list[dict[str, Any]]) -> None:
    assert len(shown) >= 14
    for bundle in shown:
        assert "voice-kernel-widget" in bundle["text/html"]
        assert bundle["text/plain"].strip()
        for word in ("<script", "javascript:", "onerror="):
            assert word not in bundle["text/html"]


def test_what_a_tool_streamed_is_there_at_its_end(shown: list[dict[str, Any]]) -> None:
    (turn,) = [bundle for bundle in shown if bundle[MIME]["said"]]
    assert turn[MIME]["said"].startswith("“check in for Bari”")
    assert "100%" in turn["text/html"]
    assert "Printing the pass." in turn["text/html"]
