"""The facts a person wants kept, and the weather of a committed table."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import weather
from chatkit.widgets import WidgetRoot
from facts import MAX_FACTS, Facts, facts_panel
from pydantic import TypeAdapter

ROOT = TypeAdapter(WidgetRoot)


def test_a_fact_is_kept_for_the_next_session_and_only_once(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.json")
    assert facts.save("my train  leaves at seven.")
    assert not facts.save("My train leaves at seven")
    assert Facts(tmp_path / "facts.json").all == ["My train leaves at seven"]


def test_a_fact_is_forgotten_by_the_number_that_is_shown(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.json")
    facts.save("one")
    facts.save("two")
    assert facts.forget(1) == "One"
    for wrong in (0, 2, -1):
        with pytest.raises(ValueError, match="There is no fact"):
            facts.forget(wrong)
    assert Facts(tmp_path / "facts.json").all == ["Two"]


def test_what_is_empty_or_too_much_is_refused(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.json")
    for wrong in ("", " . ", "x" * 301):
        with pytest.raises(ValueError, match="characters"):
            facts.save(wrong)
    facts.all = [str(number) for number in range(MAX_FACTS)]
    with pytest.raises(ValueError, match="forget one first"):
        facts.save("one more")


def test_the_weather_of_a_city_and_a_day_is_always_the_same() -> None:
    assert weather.forecast(" vienna", date(2026, 1, 10)) == weather.forecast("Vienna", date(2026, 1, 10))


@pytest.mark.parametrize("city", weather.cities())
def test_every_city_has_twelve_months_and_days_that_fit_them(city: str) -> None:
    months = weather.cities()[city]
    assert [int(month["month"]) for month in months] == list(range(1, 13))
    for day in weather.forecast(city, date(2026, 1, 1), days=365).days:
        mean = int(months[day.date.month - 1]["high_c"])
        assert abs(day.high_c - mean) <= 3
        assert day.low_c < day.high_c
        assert day.sky != "snow" or day.high_c <= 1


def test_a_city_without_weather_is_told_with_those_that_have_some() -> None:
    with pytest.raises(weather.UnknownCity, match="Vienna, Lisbon, Oslo"):
        weather.forecast("Atlantis", date(2026, 1, 1))


def test_the_panel_and_the_card_are_widgets_of_chatkit(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.json")
    ROOT.validate_python(facts_panel(facts))
    facts.save("I live in Vienna")
    ROOT.validate_python(facts_panel(facts))
    for city in weather.cities():
        ROOT.validate_python(weather.weather_card(weather.forecast(city, date(2026, 1, 31))))
