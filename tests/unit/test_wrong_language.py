"""Words in another language than the session's: it says so, and takes them for nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from voice_kernel import language
from voice_kernel.context import Context
from voice_kernel.events import Hub
from voice_kernel.intents import Grammar
from voice_kernel.messages import About, Problem
from voice_kernel.session import Session
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language.use("en")


async def told(folder: Path, code: str, words: str, *, sure: bool = True) -> Problem:
    """Say words to a session in a language; returns what it says that it cannot do."""
    language.use(code)
    hub = Hub(About(version="test", language=code))
    runner = Runner(hub, lambda task_id: LogFolder(folder).open(f"task-{task_id}"))

    async def nobody() -> bool:
        return False

    async def grammar() -> Grammar:
        return Grammar.shared(code)

    async def context() -> Context:
        return Context()

    toolbox = Toolbox(Registry(), Policy(), Approvals(hub, nobody), runner)
    session = Session(hub, toolbox, grammar, context, lambda: None)
    result = await session.understand(session.begin("text", state="understanding"), words, sure=sure)
    assert (result.outcome, result.tasks) == ("nothing", ())
    assert result.turn.problem is not None
    if result.turn.problem.kind == "OtherLanguage":
        assert result.turn.closest == []
    return result.turn.problem


@pytest.mark.parametrize(
    "words", ["führe Zelle drei aus", "liste die Variablen auf", "Hilfe", "loesche die letzte Zelle"]
)
async def test_german_in_an_english_session_is_told_so_and_how_to_change_it(
    tmp_path: Path, words: str
) -> None:
    problem = await told(tmp_path, "en", words)
    assert problem.message == "That sounds like German, and this session understands English."
    assert problem.hint == "For German, set VOICE_KERNEL_LANGUAGE=de and restart the kernel."


@pytest.mark.parametrize(
    "words", ["run all the cells", "what variables do I have", "delete the last cell", "insert a cell below"]
)
async def test_english_in_a_german_session_is_told_so_in_german(tmp_path: Path, words: str) -> None:
    problem = await told(tmp_path, "de", words)
    assert problem.message == "Das klingt nach Englisch, und diese Sitzung versteht Deutsch."
    assert "VOICE_KERNEL_LANGUAGE=en" in problem.hint


@pytest.mark.parametrize(
    ("code", "words"), [("en", "mumble about the pears"), ("de", "der Hund schläft im Garten")]
)
async def test_words_of_the_sessions_language_are_only_not_understood(
    tmp_path: Path, code: str, words: str
) -> None:
    assert (await told(tmp_path, code, words)).kind == "NotUnderstood"


async def test_speech_that_was_unclear_is_told_which_language_is_listened_for(tmp_path: Path) -> None:
    problem = await told(tmp_path, "en", "Furodites asks.", sure=False)
    assert problem.hint.startswith("It was not clear, and I listen for English.")
