"""What can be a tool, and where it is said that something cannot."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

from voice_kernel.errors import InvalidTool
from voice_kernel.usertools.definition import define
from voice_kernel.usertools.shelf import MAX_TOOLS, Shelf


def in_cell(source: str, name: str) -> Any:
    """Return a function as a cell defines it: its source is known, its file is nobody's."""
    file = f"/tmp/ipykernel_1/{abs(hash(source))}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {}
    exec(compile(source, file, "exec"), namespace)
    return namespace[name]


def test_a_bare_function_is_said_by_its_name_and_described_by_its_docstring() -> None:
    def train_model(epochs: int = 3) -> None:
        """Train the model."""

    tool = define(train_model)
    assert (tool.name, tool.description) == ("train_model", "Train the model.")
    assert tool.effects == {"execute"}
    assert tool.asks == ""
    assert [sentence.template for sentence in tool.sentences] == [
        "[(run|start|führe|starte)] train model [(aus|ausführen|starten)]"
    ]


def test_a_required_argument_is_part_of_what_is_said_and_two_are_too_many() -> None:
    def load(source: str) -> None: ...
    def merge(left: str, right: str) -> None: ...

    assert [sentence.phrases for sentence in define(load).sentences] == [("load source",)]
    assert define(merge).sentences == ()


@pytest.mark.parametrize(
    ("asks", "reason"),
    [
        (False, ""),
        ("", ""),
        (True, "It asks because its author wants it to."),
        ("it costs money.", "It asks because it costs money."),
    ],
)
def test_a_tool_that_asks_says_why(asks: bool | str, reason: str) -> None:
    def buy() -> None: ...

    assert define(buy, asks=asks).asks == reason


def nothing() -> None: ...
def generator() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("function", "options", "says"),
    [
        (int, {}, "not for a class"),
        ("text", {}, "not for a str"),
        (len, {}, "not for"),
        (generator, {}, "with yield"),
        (lambda: None, {}, "name of a tool"),
        (nothing, {"name": "two words"}, "name of a tool"),
        (nothing, {"name": "server__tool"}, "name of a tool"),
        (nothing, {"name": "class"}, "name of a tool"),
        (nothing, {"effects": "read"}, "'read' is not a set of effects"),
        (nothing, {"effects": {"explode"}}, "'explode' is not"),
        (nothing, {"thread": "gpu"}, '"worker", "main" or "process"'),
        (nothing, {"sentences": ["do [it"]}, "cannot be read"),
        (nothing, {"sentences": ["do {it}"]}, "about it, which is no argument"),
        (nothing, {"sentences": ["[do] [it]"]}, "may be left out"),
        (nothing, {"sentences": {"do it": {"rows": 3}}}, "about rows, which is no argument"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_with_a_reason(function: Any, options: Any, says: str) -> None:
    with pytest.raises(InvalidTool, match=says):
        define(function, **options)


def test_an_error_names_the_line_of_the_cell() -> None:
    function = in_cell("x = 1\n\ndef train(rows: int,\n          epochs):\n    pass\n", "train")
    with pytest.raises(InvalidTool) as caught:
        define(function)
    assert caught.value.place == "line 4: epochs):"
    assert str(caught.value).endswith("(line 4: epochs):)")


def test_an_error_in_a_file_names_the_file() -> None:
    with pytest.raises(InvalidTool) as caught:
        define(nothing, name="no name")
    assert __file__ in caught.value.place
    assert "def nothing" in caught.value.place


def test_a_slot_that_is_misspelled_is_answered_with_the_nearest() -> None:
    def train(epochs: int) -> None: ...

    with pytest.raises(InvalidTool) as caught:
        define(train, sentences=["train for {epoch} times"])
    assert caught.value.hint == "Did you mean epochs?"


# ---- the shelf ------------------------------------------------------------------------------------


def test_a_tool_of_the_same_name_replaces_the_first_and_listeners_hear_of_it() -> None:
    shelf, heard = Shelf(), []
    stop = shelf.on_change(lambda: heard.append([tool.description for tool in shelf.tools]))

    def first() -> None:
        """First."""

    def second() -> None:
        """Second."""

    shelf.put(define(first, name="it"))
    shelf.put(define(second, name="it"))
    shelf.clear()
    stop()
    shelf.put(define(first))
    assert heard == [["First."], ["Second."], []]


def test_a_loop_that_defines_tools_by_mistake_ends() -> None:
    shelf = Shelf()
    for number in range(MAX_TOOLS):
        shelf.put(define(nothing, name=f"tool_{number}", sentences=[]))
    shelf.put(define(nothing, name="tool_1", sentences=[]))  # one that is there is replaced
    with pytest.raises(InvalidTool, match="500 tools"):
        shelf.put(define(nothing, name="one_more", sentences=[]))
