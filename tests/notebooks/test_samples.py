"""The sample applications, run as anybody would run them: offline, by the sentences their tools state."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from lab import executed

SAMPLES = Path(__file__).parents[2] / "notebooks" / "samples"
WIDGET = "application/vnd.voice-kernel.widget+json"
Cells = dict[str, nbformat.NotebookNode]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Cells]:
    """Execute a sample once; gives its code cells by their last line."""
    folder = tmp_path_factory.mktemp("samples")
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    done: dict[str, Cells] = {}

    def cells_of(name: str) -> Cells:
        if name not in done:
            notebook = executed(folder / f"{name}.ipynb")
            done[name] = {
                cell.source.splitlines()[-1]: cell for cell in notebook.cells if cell.cell_type == "code"
            }
        return done[name]

    return cells_of


def text_of(cell: nbformat.NotebookNode) -> str:
    """Return what a person reads of a cell's outputs."""
    pages = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
    told = re.sub(r"<[^>]*>", " ", html.unescape(" ".join(pages)))
    plain = [
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
        if "text/html" not in output.get("data", {})
    ]
    return " ".join((told + " ".join(plain)).split())


def widgets_of(cell: nbformat.NotebookNode) -> list[dict[str, object]]:
    """Return the JSON of the widgets that a cell shows."""
    shown = [output.data[WIDGET]["widgets"] for output in cell.outputs if WIDGET in output.get("data", {})]
    return [widget["root"] for widgets in shown for widget in widgets]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_saved_sample_has_no_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert [cell.id for cell in notebook.cells if cell.get("outputs")] == []


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_sentence_of_a_sample_surprises(run: Callable[[str], Cells], path: Path) -> None:
    assert not any("UserWarning" in text_of(cell) for cell in run(path.stem).values())


def test_the_customers_card_keeps_in_step_with_what_is_said(run: Callable[[str], Cells]) -> None:
    cells = run("customer_support")
    assert "Seat 15C on VK441." in text_of(cells["%voice change the seat on VK 441 to 15 C"])
    assert "free of charge for gold" in text_of(cells["%voice add two bags"])
    (card,) = widgets_of(cells["card"])
    for now in ("Seat 15C", "Checked bags: 3", "Meal: vegetarian"):
        assert now in str(card)
    assert widgets_of(cells["%voice choose a seat"])[0]["type"] == "Card"


def test_what_an_airline_refuses_is_told_and_what_asks_is_not_done(run: Callable[[str], Cells]) -> None:
    cells = list(run("customer_support").values())
    said = " ".join(text_of(cell) for cell in cells)
    assert "5 bags at most. There are 3 already." in said
    assert "the seats are given to others at once" in said
    assert "Cancelled" not in str(widgets_of(run("customer_support")["card"]))


def test_a_question_is_answered_with_cited_passages(run: Callable[[str], Cells]) -> None:
    cells = run("knowledge_assistant")
    asked = cells["%voice ask the documents how long the batteries last in a power cut"]
    assert "thirty-five minutes. (power_and_network.md, When everything goes dark)" in text_of(asked)
    (found,) = widgets_of(asked)
    assert found["type"] == "ListView"
    assert len(found["children"]) == 3  # type: ignore[arg-type]
    assert "Dogs and drones" in text_of(cells["%voice what do the papers say about bringing a puppy"])
    (preview,) = widgets_of(cells["%voice open the document about safety"])
    assert "defibrillator" in str(preview)


def test_the_notebook_tells_how_often_the_right_passage_is_found(run: Callable[[str], Cells]) -> None:
    said = " ".join(text_of(cell) for cell in run("knowledge_assistant").values())
    share = re.search(r"right passage among the first three of 40 questions: ([\d.]+)%", said)
    assert share is not None
    assert float(share[1]) >= 85


def test_a_fact_is_saved_and_forgotten_and_the_weather_drawn(run: Callable[[str], Cells]) -> None:
    cells = run("facts_and_weather")
    (panel,) = widgets_of(cells["panel"])
    assert "1. I live in Vienna" in str(panel)
    assert "2. I like snow" in str(panel)
    assert "train" not in str(panel)
    assert "Forgotten: My train leaves at seven." in text_of(cells["%voice forget fact two"])
    (weather,) = widgets_of(cells["%voice what is the weather in Vienna"])
    assert "Chart" in str(weather)
    assert "degrees" in text_of(cells["%voice what is the weather in Vienna"])


def test_variants_are_made_approved_and_exported(run: Callable[[str], Cells]) -> None:
    cells = run("marketing_assets")
    asked = cells["%voice make three variants to sell rye bread to early risers"]
    assert "3 variants for rye bread." in text_of(asked)
    (shown,) = widgets_of(cells["shown"])
    assert "for early risers." in str(shown)
    assert shown["status"] == {"text": "5 variants, 2 approved"}
    assert str(shown).count("data:image/png;base64,") == 5
    exported = text_of(cells['sorted(path.name for path in Path("approved").iterdir())'])
    assert exported.count(".png") == exported.count(".md") == 2


def test_the_starter_rolls_shows_its_error_and_gives_a_page_a_session(run: Callable[[str], Cells]) -> None:
    cells = run("starter")
    assert re.search(r"(\d ){4}\d: \d+", text_of(cells["%voice roll five dice"]))
    (overlay,) = widgets_of(cells["card"])
    assert overlay["theme"] == "dark"
    assert "One to twenty dice can be rolled." in str(overlay)
    events = text_of(cells['[event["type"] for event in events]'])
    assert "thread.created" in events
    assert text_of(cells['"42" in str(events)']) == "True"
