"""Errors in plain words, and the code that mends them."""

from __future__ import annotations

import ast

import pytest

from voice_kernel.context import Context, Variable
from voice_kernel.messages import Output
from voice_kernel.tools.diagnosis import Diagnosis, Failure, Known, diagnose, places_in

CONTEXT = Context(
    variables=(
        Variable("total", "int"),
        Variable("sales", "DataFrame", (3, 2), ("price", "region"), library="pandas"),
    ),
    files=("data/", "data/sales.csv", "notes.md"),
)
ATTRIBUTES = {
    "sales": ("groupby", "mean", "merge"),
    "pd": ("read_csv", "DataFrame"),
    "builtins.str": ("upper", "strip"),
}


def of(
    kind: str, message: str, source: str, line: int | None = 1, others: tuple[tuple[str, str], ...] = ()
) -> Diagnosis:
    known = Known(CONTEXT, lambda path: ATTRIBUTES.get(path, ()), others)
    return diagnose(Failure(kind, message, source, line), known)


@pytest.mark.parametrize(
    ("kind", "message", "source", "fixed"),
    [
        ("NameError", "name 'totl' is not defined", "x = totl + 1  # totl", "x = total + 1  # total"),
        ("NameError", "name 'pritn' is not defined", "pritn(1)", "print(1)"),
        ("NameError", "name 'pd' is not defined", "pd.x", "import pandas as pd\npd.x"),
        ("NameError", "name 'os' is not defined", "%%time\nos.getcwd()", "%%time\nimport os\nos.getcwd()"),
        ("KeyError", "'pirce'", "sales['pirce']", "sales['price']"),
        (
            "KeyError",
            "\"['regoin'] not in index\"",
            'sales[["regoin", "price"]]',
            'sales[["region", "price"]]',
        ),
        (
            "AttributeError",
            "'DataFrame' object has no attribute 'gropuby'",
            "sales.gropuby('x')",
            "sales.groupby('x')",
        ),
        (
            "AttributeError",
            "module 'pandas' has no attribute 'read_cvs'",
            "pd.read_cvs('x')",
            "pd.read_csv('x')",
        ),
        ("AttributeError", "'str' object has no attribute 'uper'", "'x'.uper()", "'x'.upper()"),
        ("ModuleNotFoundError", "No module named 'jsno'", "import jsno", "import json"),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: 'sales.csv'",
            "open('sales.csv')",
            "open('data/sales.csv')",
        ),
    ],
)
def test_a_near_miss_is_mended(kind: str, message: str, source: str, fixed: str) -> None:
    found = of(kind, message, source)
    assert found.source == fixed
    assert found.suggestion
    assert found.fixed


@pytest.mark.parametrize(
    ("source", "fixed"),
    [
        ("for x in y\n    pass", "for x in y:\n    pass"),
        ("if x  # why\n    pass", "if x:  # why\n    pass"),
        ("print((1 + 2)", "print((1 + 2))"),
        ("x = [1, 2", "x = [1, 2]"),
        ("print('hello)", "print('hello')"),
        ('x = "hello', 'x = "hello"'),
        ("if x = 3:\n    pass", "if x == 3:\n    pass"),
        ("print 'a'", "print('a')"),
        ("for x in y:\nprint(x)", "for x in y:\n    print(x)"),
        ("x = 1\n    y = 2", "x = 1\ny = 2"),
    ],
)
def test_a_slip_of_syntax_is_mended(source: str, fixed: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        ast.parse(source)
    error = caught.value
    found = of(type(error).__name__, f"{error.msg} (123.py, line {error.lineno})", source, error.lineno)
    assert found.source == fixed
    assert "is no Python" in found.meaning


def test_syntax_that_cannot_be_mended_is_only_located() -> None:
    found = of("SyntaxError", "invalid syntax (1.py, line 2)", "x = 1\ny = = 2", 2)
    assert found.source == ""
    assert found.meaning == "Line 2 is no Python: invalid syntax."


def test_a_missing_module_names_its_package() -> None:
    assert of("ModuleNotFoundError", "No module named 'sklearn'", "import sklearn").package in (
        "scikit-learn",
        "",
    )
    assert (
        of("ModuleNotFoundError", "No module named 'cv2'", "import cv2").package == "opencv-python-headless"
    )
    found = of("ModuleNotFoundError", "No module named 'qq_zz_yy'", "import qq_zz_yy")
    assert (found.package, found.source) == ("qq-zz-yy", "")


def test_a_name_that_another_cell_defines_names_that_cell() -> None:
    found = of("NameError", "name 'model' is not defined", "model.fit()", others=(("cell 4", "model = 3"),))
    assert found.suggestion == "It gets its value in cell 4: run that first."
    assert found.source == ""


def test_nothing_is_guessed_where_two_names_are_as_near() -> None:
    context = Context(variables=(Variable("data1", "int"), Variable("data2", "int")))
    found = diagnose(
        Failure("NameError", "name 'data3' is not defined", "data3", 1), Known(context, lambda path: ())
    )
    assert found.source == ""


@pytest.mark.parametrize(
    ("kind", "message", "says"),
    [
        ("ZeroDivisionError", "division by zero", "divided by zero"),
        ("IndexError", "list index out of range", "past the end"),
        (
            "TypeError",
            "unsupported operand type(s) for +: 'int' and 'str'",
            "between a whole number and a text",
        ),
        ("TypeError", "'int' object is not callable", "A whole number cannot be called."),
        ("TypeError", "f() missing 1 required positional argument: 'y'", "lacks the argument 'y'"),
        ("ValueError", "could not convert string to float: 'abc'", "'abc' is no number"),
        ("AttributeError", "'NoneType' object has no attribute 'head'", "None has no head"),
        ("MyOwnError", "the lamp is off", "The lamp is off."),
        ("MyOwnError", "", "It raised MyOwnError."),
    ],
)
def test_an_error_is_said_in_plain_words(kind: str, message: str, says: str) -> None:
    assert says in of(kind, message, "x").meaning


def test_the_innermost_line_of_a_traceback_comes_first() -> None:
    text = "Cell In[4], line 1\n----> 1 f()\n\nCell In[2], line 3, in f()\n\x1b[31mx\x1b[0m\nKeyError: x"
    assert places_in([Output(kind="error", text=text)]) == [(2, 3), (4, 1)]


@pytest.mark.parametrize(
    "kind", ["NameError", "KeyError", "AttributeError", "SyntaxError", "FileNotFoundError"]
)
@pytest.mark.parametrize("message", ["", "?", "x" * 5000, "'", "name '' is not defined", "[('"])
def test_odd_messages_break_nothing(kind: str, message: str) -> None:
    assert of(kind, message, "x\n(", None).meaning
