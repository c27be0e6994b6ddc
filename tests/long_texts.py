"""Long texts of few words, on which a grammar that tries every way to read them would be at it for days."""

from __future__ import annotations

COMMANDS = (
    "and " * 60,
    "run and " * 60,
    "search for " + "and then save " * 40,
    "add a markdown cell that says " + "x y " * 250,
    "plot a by b by c by d by e by f by g by h by i",
    "cell " * 100,
    "then " * 100,
    "shell " + "dash dot slash " * 30,
)
DICTATION = "bold word, open paren x comma quote data slash y quote close paren new line " * 100
