"""A real browser over a loopback site, driven as a person's words drive it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from web_site import serve

from voice_kernel.messages import Origin, Result
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools.browser import BrowserLife, Choices, Hands, actions, gestures, hands, life, register

LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time: a person would not wait so long for one click."""
    monkeypatch.setattr(life, "START_S", 2 * LIMIT_S)
    for module in (life, actions, gestures):
        monkeypatch.setattr(module, "ACT_MS", LIMIT_S * 1000)
    monkeypatch.setattr(hands, "STALE_MS", LIMIT_S * 1000)
    monkeypatch.setattr(hands, "TITLE_S", LIMIT_S)


@dataclass
class Desk:
    """Says things to a browser.

    Attributes:
        life: the browser.
        hands: what acts.
        registry: the tools.
        folder: the working folder.
        origin: who speaks.
    """

    life: BrowserLife
    hands: Hands
    registry: Registry
    folder: Path
    origin: Origin = "text"

    async def say(self, tool: str, **arguments: Any) -> Result:
        spec = self.registry.get(f"browser_{tool}")
        assert spec.handler is not None
        task = SimpleNamespace(task=SimpleNamespace(origin=self.origin))
        return await spec.handler(task, spec.validate(arguments))  # type: ignore[arg-type]

    def decision(self, tool: str, **arguments: Any) -> str:
        """Return what policy says of a call that a model makes."""
        spec = self.registry.get(f"browser_{tool}")
        return Policy().decide(spec.effects(spec.validate(arguments)), "model").kind

    async def status(self) -> str:
        return str(await self.life.current().page.locator("#said").inner_text())


def desk_over(folder: Path, *, allowed: bool = True, **choices: Any) -> Desk:
    """Return a desk with a browser that has not started."""
    life = BrowserLife(Choices(**choices), lambda: folder, lambda: "test")
    registry = Registry()
    hands = Hands(life, allowed=allowed)
    register(registry, hands)
    return Desk(life, hands, registry, folder)


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The loopback site."""
    with serve() as address:
        yield address


@pytest.fixture(scope="session")
def other_site() -> Iterator[str]:
    """Another host, as far as policy counts."""
    with serve() as address:
        yield address


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose browser ends with the test."""
    opened = desk_over(tmp_path)
    yield opened
    await opened.life.stop()
