"""The starter's card: prompts, themes and the overlay of an error; the session for a page."""

from __future__ import annotations

from typing import Any

import pytest
from chatkit.widgets import WidgetRoot
from pydantic import TypeAdapter
from starter import Prompt, Starter, start_card

ROOT = TypeAdapter(WidgetRoot)


@pytest.fixture
def shown() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def starter(shown: list[dict[str, Any]]) -> Starter:
    return Starter("Mine", "Hello", [Prompt("Roll a die", "roll", {"count": 1})], shown.append)


def test_a_prompt_calls_its_tool(starter: Starter) -> None:
    card = start_card(starter)
    ROOT.validate_python(card)
    button = card["children"][1]["children"][0]
    assert button["onClickAction"] == {"type": "roll", "payload": {"count": 1}}


def test_every_change_is_shown(starter: Starter, shown: list[dict[str, Any]]) -> None:
    starter.use("dark")
    assert shown[-1]["theme"] == "dark"
    assert starter.note("Four") == "Four"
    assert "Four" in str(shown[-1])
    starter.clear()
    assert "Four" not in str(shown[-1])
    assert len(shown) == 3


def test_an_error_lies_over_the_card_until_it_is_dismissed(
    starter: Starter, shown: list[dict[str, Any]]
) -> None:
    @starter.guarded
    def fail(count: int) -> None:
        """Fail."""
        raise ValueError("No dice.")

    with pytest.raises(ValueError, match="No dice"):
        fail(count=3)
    assert fail.__doc__ == "Fail."
    assert "No dice." in str(shown[-1])
    assert "Roll a die" not in str(shown[-1])
    ROOT.validate_python(shown[-1])
    starter.dismiss()
    assert "Roll a die" in str(shown[-1])
