"""The evaluation itself: a model that can do everything passes it, one that only talks does not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from openai_server import OpenAIServer

from voice_kernel.agent.accounts import Accounts
from voice_kernel.agent.provider import ModelSettings

sys.path.insert(0, str(Path(__file__).parents[2] / "evaluation"))

from evaluate import tried
from trials import TRIALS, Trial


def test_every_kind_of_work_is_tried() -> None:
    assert {trial.area for trial in TRIALS} == {"notebook", "data", "shell", "tests", "mcp"}
    assert len({trial.name for trial in TRIALS}) == len(TRIALS)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
async def test_a_model_that_does_it_has_done_it(trial: Trial, server: OpenAIServer, tmp_path: Path) -> None:
    server.says(*trial.script)
    folder = tmp_path / "world"
    folder.mkdir()
    outcome = await tried(trial, ModelSettings("scripted", None, server.url), folder, Accounts())
    assert outcome.done, outcome.why
    assert outcome.steps <= trial.steps
    assert outcome.usage.requests == len(trial.script)


async def test_a_model_that_only_talks_has_done_nothing(server: OpenAIServer, tmp_path: Path) -> None:
    for number, trial in enumerate(TRIALS[:4]):
        server.reset()
        server.says("Of course, it is done!")
        folder = tmp_path / f"world{number}"
        folder.mkdir()
        outcome = await tried(trial, ModelSettings("scripted", None, server.url), folder, Accounts())
        assert not outcome.done
        assert "it is done" in outcome.why
