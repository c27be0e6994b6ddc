"""Why tests and code failed, in a few words: "expected 200, got 500".

Reads the messages of pytest and of Python. What cannot be said in words is left to the screen.
"""

from __future__ import annotations

import re

from voice_kernel.messages import Problem, TestCase
from voice_kernel.speaking.phrases import Phrases
from voice_kernel.speaking.pronunciation import name_said, pronounced

MAX_CHARS = 100

_COMPARED = re.compile(r"^(?:AssertionError: )?assert (?P<got>.+?) == (?P<expected>.+)$")
_NUMBER = re.compile(r"[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?$")
_TEXT = re.compile(r"""(['"])(?P<words>[^'"]{1,40})\1$""")
_WRAPPED = re.compile(r"(?:Decimal|Fraction|np\.(?:float|int)\d+|approx)\((?P<inside>[^()]*)\)$")
_RAISED = re.compile(
    r"^(?P<kind>[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Failed|Exit)): ?(?P<message>.*)$"
)


def test_failure(case: TestCase, phrases: Phrases) -> str:
    """Return a failed test by its name and, where it can be said, what was wrong."""
    name = name_said(re.sub(r"\[.*\]$", "", case.id), phrases) or pronounced(case.id, phrases)
    why = reason(case.message, phrases)
    return f"{name}, {why}" if why else name


def reason(message: str, phrases: Phrases) -> str:
    """Return why an assertion or a call failed; empty when there are no words for it."""
    line = message.strip().partition("\n")[0].strip()
    compared = _COMPARED.match(line)
    if compared:
        got, expected = _literal(compared["got"], phrases), _literal(compared["expected"], phrases)
        return phrases.expected_got.format(expected, got) if got and expected else ""
    if re.match(r"(AssertionError: )?assert\b", line):
        return ""
    raised = _RAISED.match(line)
    if raised:
        return error_said(raised["kind"], raised["message"], phrases)
    said = pronounced(line, phrases).rstrip(".")
    return said if len(said) <= MAX_CHARS else ""


def error_said(kind: str, message: str, phrases: Phrases) -> str:
    """Return an exception as words: "key error, price"; of long messages the beginning."""
    name = name_said(kind.rpartition(".")[2], phrases)
    line = message.strip().partition("\n")[0]
    said = pronounced(line, phrases).rstrip(".")
    if kind.endswith("AssertionError") and said:
        return _short(said)
    return f"{name}, {_short(said)}" if said else name


def problem_said(problem: Problem, phrases: Phrases) -> str:
    """Return a problem's sentence; that of an exception of the user's code begins with its name."""
    message = problem.message.strip().partition("\n")[0]
    if _is_exception(problem.kind) and problem.kind not in message:
        return f"{error_said(problem.kind, message, phrases)}."
    # "Cell 3 raised KeyError: 'price'" and the like are sentences already.
    said = pronounced(message, phrases)
    return said if not said or said[-1] in ".!?" else f"{said}."


def _is_exception(kind: str) -> bool:
    from voice_kernel import errors

    own = getattr(errors, kind, None)
    return own is None and bool(re.search(r"(Error|Exception|Warning|Interrupt|Exit|StopIteration)$", kind))


def _literal(text: str, phrases: Phrases) -> str:
    text = text.strip()
    wrapped = _WRAPPED.match(text)
    if wrapped:
        text = wrapped["inside"].strip()
    quoted = _TEXT.match(text)
    if quoted:
        text = quoted["words"]
        return pronounced(text, phrases) or text
    text = re.sub(r" ± .*$", "", text)
    if _NUMBER.match(text) or text in ("True", "False", "None"):
        return pronounced(text.replace("_", ""), phrases).lower()
    return ""


def _short(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS].rpartition(" ")[0]
