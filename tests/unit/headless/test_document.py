"""Notebook files: changed, undone and saved without losing anything."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_kernel.errors import NotebookError
from voice_kernel.headless.document import CannotAct, Document

OUTPUTS: list[dict[str, Any]] = [
    {"output_type": "stream", "name": "stdout", "text": "one\n"},
    {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["a", "ValueError: no"]},
]


def content(minor: int = 5) -> dict[str, Any]:
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "markdown",
            "metadata": {"tags": ["intro"]},
            "source": "# Title\n![p](attachment:p.png)",
            "attachments": {"p.png": {"image/png": "aGVsbG8="}},
        },
        {
            "cell_type": "code",
            "metadata": {"collapsed": True},
            "source": "print('one')",
            "outputs": OUTPUTS[:1],
            "execution_count": 1,
        },
        {"cell_type": "raw", "metadata": {"format": "text/latex"}, "source": "\\x"},
        {
            "cell_type": "code",
            "metadata": {},
            "source": "raise ValueError('no')",
            "outputs": OUTPUTS[1:],
            "execution_count": 2,
        },
    ]
    if minor >= 5:
        for number, cell in enumerate(cells):
            cell["id"] = f"cell-{number}"
    return {"cells": cells, "metadata": {"custom": {"kept": 1}}, "nbformat": 4, "nbformat_minor": minor}


def document(minor: int = 5) -> Document:
    return Document(nbformat.from_dict(json.loads(json.dumps(content(minor)))), Path("a.ipynb"))


def as_json(of: Document) -> str:
    return json.dumps(of.notebook, sort_keys=True)


def identify(of: Document) -> list[str]:
    return [of.id_of(cell) for cell in of.cells]


ACTIONS = {
    "insert": lambda d, ids: d.insert(1, ["code", "markdown"], ["x", "y"], step=7),
    "edit": lambda d, ids: d.edit(ids[0], "other", step=7),
    "delete": lambda d, ids: d.delete([ids[0], ids[2]], step=7),
    "move": lambda d, ids: d.move([ids[3]], 0, step=7),
    "code to markdown": lambda d, ids: d.change_kind([ids[1]], "markdown", step=7),
    "markdown to code": lambda d, ids: d.change_kind([ids[0]], "code", step=7),
    "clear": lambda d, ids: d.clear(ids, step=7),
}


@pytest.mark.parametrize("minor", [4, 5])
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_undo_restores_the_notebook_exactly_and_redo_does_it_again(action: Any, minor: int) -> None:
    subject = document(minor)
    before = as_json(subject)
    action(subject, identify(subject))
    after = as_json(subject)
    assert after != before
    nbformat.validate(subject.notebook)
    subject.undo()
    assert as_json(subject) == before
    subject.redo()
    assert as_json(subject) == after
    subject.undo()
    assert as_json(subject) == before


def test_everything_of_one_step_is_undone_at_once_and_only_that() -> None:
    subject = document()
    ids = identify(subject)
    subject.edit(ids[1], "first", step=1)
    before = as_json(subject)
    subject.edit(ids[1], "second", step=2)
    subject.delete([ids[0]], step=2)
    subject.clear([ids[1], ids[3]], step=2)
    subject.insert(0, ["code"], ["new"], step=2)
    cells, count = subject.undo()
    assert as_json(subject) == before
    assert count == 4  # one changed twice, one cleared, one back, one gone
    assert [subject.id_of(cell) for cell in cells] == [ids[0], ids[1], ids[3]]


def test_changes_without_a_step_are_undone_one_by_one() -> None:
    subject = document()
    ids = identify(subject)
    subject.edit(ids[1], "first")
    subject.edit(ids[1], "second")
    subject.undo()
    assert subject.cell(ids[1]).source == "first"


def test_a_new_change_ends_what_could_be_redone() -> None:
    subject = document()
    subject.edit(identify(subject)[1], "first", step=1)
    subject.undo()
    subject.edit(identify(subject)[1], "second", step=2)
    with pytest.raises(CannotAct, match="nothing to redo"):
        subject.redo()


def test_there_may_be_nothing_to_undo() -> None:
    with pytest.raises(CannotAct, match="nothing to undo"):
        document().undo()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changes_are_valid_and_undone_in_turn(data: st.DataObject) -> None:
    subject = document(data.draw(st.sampled_from([4, 5])))
    states = [as_json(subject)]
    for step in range(1, data.draw(st.integers(1, 6)) + 1):
        for _ in range(data.draw(st.integers(1, 3))):
            _draw_action(data, subject, step)
        nbformat.validate(subject.notebook)
        states.append(as_json(subject))
    while True:
        assert as_json(subject) == states.pop()
        try:
            subject.undo()
        except CannotAct:
            break
        while len(states) > 1 and as_json(subject) != states[-1]:
            states.pop()  # a step may have changed nothing that can be seen
    assert as_json(subject) == json.dumps(content(subject.notebook.nbformat_minor), sort_keys=True)


def _draw_action(data: st.DataObject, subject: Document, step: int) -> None:
    ids = identify(subject)
    some = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    kind = data.draw(st.sampled_from(["code", "markdown", "raw"]))
    match data.draw(st.sampled_from(["insert", "edit", "delete", "move", "kind", "clear"])):
        case "insert":
            subject.insert(data.draw(st.integers(0, 9)), [kind], [data.draw(st.text(max_size=5))], step=step)
        case "edit" if ids:
            subject.edit(data.draw(st.sampled_from(ids)), data.draw(st.text(max_size=5)), step=step)
        case "delete":
            subject.delete(some, step=step)
        case "move":
            subject.move(some, data.draw(st.integers(0, 9)), step=step)
        case "kind":
            subject.change_kind(some, kind, step=step)
        case "clear":
            subject.clear(some, step=step)


def test_ids_metadata_and_attachments_survive_moving_and_editing() -> None:
    subject = document()
    subject.move(["cell-0"], 3, step=1)
    subject.edit("cell-0", "new", step=1)
    cell = subject.cells[3]
    assert (cell.id, cell.metadata.tags, list(cell.attachments)) == ("cell-0", ["intro"], ["p.png"])


def test_moved_cells_stand_together_in_their_order() -> None:
    subject = document()
    subject.move(["cell-3", "cell-1"], 0)
    assert identify(subject) == ["cell-1", "cell-3", "cell-0", "cell-2"]


def test_an_edit_of_a_cell_that_has_changed_is_refused() -> None:
    subject = document()
    with pytest.raises(CannotAct) as caught:
        subject.edit("cell-1", "x", expected="something else")
    assert caught.value.problem.kind == "Conflict"
    assert subject.cell("cell-1").source == "print('one')"


def test_a_cell_that_is_gone_is_named_as_such() -> None:
    with pytest.raises(CannotAct) as caught:
        document().delete(["nonsense"])
    assert caught.value.problem.kind == "NoSuchCell"


def test_deleting_the_active_cell_makes_its_neighbour_active() -> None:
    subject = document()
    subject.select(subject.cells[3])
    subject.delete(["cell-3"])
    assert subject.active == 2


def test_a_view_holds_what_was_asked_for() -> None:
    subject = document()
    outline = subject.view()
    assert [(cell.kind, cell.source, cell.outputs) for cell in outline.cells][1] == ("code", "", [])
    assert [cell.failed for cell in outline.cells] == [False, False, False, True]
    whole = subject.view(sources=True, outputs=True, wanted=["cell-3"])
    assert [bool(cell.source) for cell in whole.cells] == [False, False, False, True]
    assert whole.cells[3].outputs[0].data == {"ename": "ValueError", "evalue": "no"}


# ---- the file ---------------------------------------------------------------------------------------


def written(path: Path, indent: int = 1, newline: bool = True, minor: int = 5) -> str:
    notebook = nbformat.from_dict(content(minor))
    text = str(nbformat.writes(notebook, indent=indent)).rstrip("\n") + ("\n" if newline else "")
    path.write_text(text, encoding="utf-8")
    return text


@pytest.mark.parametrize("newline", [True, False])
@pytest.mark.parametrize("indent", [1, 2, 4])
def test_a_saved_file_differs_only_where_something_was_changed(
    tmp_path: Path, indent: int, newline: bool
) -> None:
    path = tmp_path / "a.ipynb"
    before = written(path, indent, newline)
    subject = Document.open(path)
    subject.edit("cell-1", "print('two')")
    subject.save()
    after = path.read_text(encoding="utf-8")
    changed = [
        (old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new
    ]
    assert [(old.strip(), new.strip()) for old, new in changed] == [("\"print('one')\"", "\"print('two')\"")]
    assert after.endswith("\n") == newline


def test_a_file_without_cell_ids_gets_none(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    written(path, minor=4)
    subject = Document.open(path)
    subject.insert(0, ["code"], ["x"])
    subject.save()
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["nbformat_minor"] == 4
    assert not any("id" in cell for cell in saved["cells"])
    nbformat.validate(saved)


def test_nothing_is_written_when_nothing_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    written(path)
    os.utime(path, (1, 1))
    Document.open(path).save()
    assert path.stat().st_mtime == 1


def test_a_save_that_fails_leaves_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ipynb"
    before = written(path)
    subject = Document.open(path)
    subject.edit("cell-1", "x")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotebookError, match="No space left"):
        subject.save()
    assert path.read_text(encoding="utf-8") == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.ipynb"]


def test_a_save_keeps_the_files_mode_and_goes_through_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "real.ipynb", tmp_path / "link.ipynb"
    written(path)
    path.chmod(0o640)
    link.symlink_to(path)
    subject = Document.open(link)
    subject.edit("cell-1", "x")
    subject.save()
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert Document.open(path).cell("cell-1").source == "x"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 1}', "\xff"])
def test_what_is_no_notebook_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(NotebookError, match=r"a\.ipynb"):
        Document.open(path)
