"""Dictated words, as they would be typed."""

from __future__ import annotations

import time

import pytest
from long_texts import DICTATION

from voice_kernel.context import Context, Variable
from voice_kernel.intents import Grammar

NAMES = Context(
    variables=(Variable("sales_data", "DataFrame", (3, 1), ("unitPrice",)), Variable("X_train", "ndarray"))
)


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("x equals three plus four", "x = 3 + 4"),
        ("X equals 3.", "x = 3"),
        ("a double equals b", "a == b"),
        ("open paren x comma y close paren", "(x, y)"),
        ("Open paren, x comma y, close paren.", "(x, y)"),
        ("camel case learning rate equals zero point zero one", "learningRate = 0.01"),
        ("snake case learning rate", "learning_rate"),
        ("pascal case data loader", "DataLoader"),
        ("constant case max size", "MAX_SIZE"),
        ("kebab case my file", "my-file"),
        ("all caps usa", "USA"),
        ("cap series", "Series"),
        ("snake case layer one equals five", "layer_1 = 5"),
        ("snake case row count end case in rows", "row_count in rows"),
        ("foo no space bar", "foobar"),
        ("df dot head open paren close paren", "df.head()"),
        ("for i in range open paren ten close paren colon", "for i in range(10):"),
        ("for x in y colon new line pass", "for x in y:\n    pass"),
        ("if x colon new line return x new line back tab y", "if x:\n    return x\ny"),
        ("tab return x", "    return x"),
        ("name equals quote Ann quote", 'name = "Ann"'),
        ("path equals quote data slash sales dot csv unquote", 'path = "data/sales.csv"'),
        ("single quote a end quote", "'a'"),
        ("f quote hello open brace name close brace end quote", 'f"hello {name}"'),
        ("d equals open brace quote a quote colon one close brace", 'd = {"a": 1}'),
        ("x open bracket one colon two close bracket", "x[1:2]"),
        ("x equals open bracket one comma two close bracket", "x = [1, 2]"),
        ("return open paren a close paren", "return (a)"),
        ("print open paren star args comma end equals quote quote close paren", 'print(*args, end="")'),
        ("x equals minus five", "x = -5"),
        ("a minus b", "a - b"),
        ("lambda x colon x squared", "lambda x: x ** 2"),
        ("x is not none", "x is not None"),
        ("true", "True"),
        ("comment load the data new line x equals one", "# load the data\nx = 1"),
        ("two thousand five hundred", "2500"),
        ("one million two hundred thousand", "1200000"),
        ("minus one hundred and five", "-105"),
        ("literal dot", "dot"),
        ("df.groupby('a').sum()", "df.groupby('a').sum()"),
        ("sales data dot head parens", "sales_data.head()"),
        ("x train", "X_train"),
        ("unit price", "unitPrice"),
    ],
)
def test_code(grammar: Grammar, said: str, typed: str) -> None:
    assert grammar.write(said, "code", context=NAMES) == typed


@pytest.mark.parametrize(
    ("before", "said", "typed"),
    [
        ("df", "dot head parens", "df.head()"),
        ("x =", "three", "x = 3"),
        ("def f(x):", "new line return x", "def f(x):\n    return x"),
        ("if x:\n    y", "new line z", "if x:\n    y\n    z"),
        ("print(", "x close paren", "print(x)"),
        ("x = 1\n", "y equals two", "x = 1\ny = 2"),
        ("x = 1", "df.head()", "x = 1 df.head()"),
    ],
)
def test_code_goes_on_where_the_cursor_is(grammar: Grammar, before: str, said: str, typed: str) -> None:
    assert grammar.write(said, "code", before) == typed


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("heading two results", "## Results"),
        ("Heading two, results.", "## Results"),
        ("title sales report new paragraph it went well", "# Sales report\n\nit went well"),
        ("bullet first thing new line bullet second thing", "- First thing\n- Second thing"),
        ("Bullet apples. Bullet pears.", "- Apples.\n- Pears."),
        ("numbered item one thing new line numbered item another", "1. One thing\n2. Another"),
        ("check box buy milk", "- [ ] Buy milk"),
        ("block quote to be or not to be", "> To be or not to be"),
        ("bold important", "**important**"),
        ("this is bold very end bold important", "this is **very** important"),
        ("this is italic rather end italic good", "this is *rather* good"),
        ("use code df dot head parens end code to look", "use `df.head()` to look"),
        ("math x end math", "$x$"),
        ("This is fine, really.", "This is fine, really."),
        ("Don't panic: it's fine", "Don't panic: it's fine"),
        ("the price comma in dollars comma was fine period", "the price, in dollars, was fine."),
        ("he said open quote hello close quote", 'he said "hello"'),
        ("cap paris is big", "Paris is big"),
        ("literal bold move", "bold move"),
        ("**typed** as it is", "**typed** as it is"),
        ("this is a bold move", "this is a bold move"),
        ("he dodged a bullet there", "he dodged a bullet there"),
    ],
)
def test_markdown(grammar: Grammar, said: str, typed: str) -> None:
    assert grammar.write(said, "markdown") == typed


def test_markdown_goes_on_where_the_cursor_is(grammar: Grammar) -> None:
    assert grammar.write("bullet pears", "markdown", "- Apples") == "- Apples\n- Pears"
    assert grammar.write("and so on.", "markdown", "We go") == "We go and so on."
    assert grammar.write("heading two end", "markdown", "Some text.") == "Some text.\n\n## End"


def test_the_same_words_always_give_the_same(grammar: Grammar) -> None:
    words = "for item in snake case all items colon new line print open paren item close paren"
    assert len({grammar.write(words, "code") for _ in range(20)}) == 1


@pytest.mark.parametrize(
    "said", ["", "new line", "quote", "camel case", "bold", "end bold", "literal", "cap", "heading one"]
)
@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_half_a_phrase_breaks_nothing(grammar: Grammar, kind: str, said: str) -> None:
    assert grammar.write(said, kind, "x").startswith("x")


@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_no_dictation_is_chewed_on_without_end(grammar: Grammar, kind: str) -> None:
    started = time.process_time()
    assert grammar.write(DICTATION, kind).count("data/y") == 100
    assert time.process_time() - started < 60  # milliseconds; hours, were every way to read it tried
