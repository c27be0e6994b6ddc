"""`make eval`: tries the configured model on tasks of our own; prints what it managed, in how many steps.

The model is the one of the settings (environment, .env, TOML). `evaluate.py NAME` tries one task. Everything
the model asks for is approved, in folders that are thrown away: its shell commands do run.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from trials import TRIALS, Trial
from world import world

from voice_kernel.agent.accounts import Accounts, Price
from voice_kernel.agent.commands import described
from voice_kernel.agent.models import configured
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.errors import VoiceKernelError
from voice_kernel.messages import Usage
from voice_kernel.settings import load

LIMIT_S = 600.0


@dataclass(frozen=True)
class Outcome:
    """What became of one trial."""

    done: bool
    why: str
    steps: int
    asked: int
    took_s: float
    usage: Usage


async def tried(trial: Trial, settings: ModelSettings, folder: Path, accounts: Accounts) -> Outcome:
    """Let the model try one thing in a world of its own."""
    began = time.monotonic()
    async with world(settings, folder, servers=trial.area == "mcp") as one:
        one.brain.accounts = accounts
        trial.prepare(one)
        why = ""
        answer = ""
        try:
            async with asyncio.timeout(LIMIT_S):
                answer = await one.ask(trial.words)
        except VoiceKernelError as error:
            why = error.message
        except TimeoutError:
            why = "took too long"
        done = not why and trial.done(one, answer)
        if not done and not why:
            why = f"answered: {' '.join(answer.split())[:120]}"
        return Outcome(done, why, len(one.tasks), one.asked, time.monotonic() - began, one.usage)


async def main(names: list[str]) -> int:
    """Try them all; returns 1 when no model is configured."""
    chosen = load()
    settings = configured(chosen)
    if not settings.configured:
        print("No model is configured: set OPENAI_API_KEY, or VOICE_KERNEL_MODEL_SERVER.")
        return 1
    accounts = Accounts(Price.parse(chosen.model_price))
    print(f"{settings.model or 'default model'} at {settings.server}")
    by_area: dict[str, list[Outcome]] = defaultdict(list)
    for number, trial in enumerate(TRIALS):
        if names and trial.name not in names:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / f"world{number}"
            folder.mkdir()
            outcome = await tried(trial, settings, folder, accounts)
        by_area[trial.area].append(outcome)
        mark = "done" if outcome.done else "NOT "
        figures = f"{outcome.steps:2} steps  {outcome.took_s:6.1f} s"
        print(f"  {mark}  {trial.area:9} {trial.name:24} {figures}  {outcome.why}")
    every = [outcome for outcomes in by_area.values() for outcome in outcomes]
    for area, outcomes in by_area.items():
        print(f"{area:9} {sum(o.done for o in outcomes)} of {len(outcomes)}")
    steps = sum(outcome.steps for outcome in every) / max(1, len(every))
    successes = sum(outcome.done for outcome in every)
    print(f"success {successes} of {len(every)}, {steps:.1f} steps each, {described(accounts.conversation)}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
