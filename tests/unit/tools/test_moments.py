"""Times as people name them."""

from __future__ import annotations

from datetime import datetime

import pytest

from voice_kernel.errors import ToolError
from voice_kernel.tools.moments import span_of

NOW = datetime(2026, 11, 25, 15, 30, 20).timestamp()  # a Wednesday


def told(text: str) -> str:
    begin, end = (datetime.fromtimestamp(moment) for moment in span_of(text, NOW))
    return f"{begin:%m-%d %H:%M} to {end:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("today", "11-25 00:00 to 11-26 00:00"),
        ("Yesterday", "11-24 00:00 to 11-25 00:00"),
        ("this morning", "11-25 00:00 to 11-25 12:00"),
        ("this  week", "11-23 00:00 to 11-30 00:00"),
        ("last week", "11-16 00:00 to 11-23 00:00"),
        ("this month", "11-01 00:00 to 12-01 00:00"),
        ("last month", "10-01 00:00 to 11-01 00:00"),
        ("tuesday", "11-24 00:00 to 11-25 00:00"),
        ("wednesday", "11-18 00:00 to 11-19 00:00"),
        ("thursday", "11-19 00:00 to 11-20 00:00"),
        ("2d", "11-23 15:30 to 11-25 15:30"),
        ("90m", "11-25 14:00 to 11-25 15:30"),
        ("1.5 hours ago", "11-25 14:00 to 11-25 15:30"),
        ("2 weeks", "11-11 15:30 to 11-25 15:30"),
        ("2026-11-22", "11-22 00:00 to 11-23 00:00"),
        ("2026-11-22T14:30", "11-22 14:30 to 11-22 14:30"),
        ("2026-11-22 14:30:00", "11-22 14:30 to 11-22 14:30"),
    ],
)
def test_a_span_begins_and_ends_where_people_mean(text: str, span: str) -> None:
    assert told(text) == span


@pytest.mark.parametrize("text", ["", "soon", "2 moons", "2026-13-01", "-2d", "\x1b[31m"])
def test_what_is_no_time_says_what_is(text: str) -> None:
    with pytest.raises(ToolError) as wrong:
        span_of(text, NOW)
    assert "yesterday" in wrong.value.hint
    assert "\x1b" not in wrong.value.message


def test_a_length_beyond_all_time_is_all_time() -> None:
    assert span_of("9999999999999w", NOW) == (0.0, NOW)
