"""Times as people name them: `yesterday`, `2d`, `monday`, `2026-11-22 14:00`.

Each names a span, so that "since yesterday" begins where the day begins, and "until yesterday" ends where it
ends. Days are those of the local time zone.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from voice_kernel.errors import ToolError
from voice_kernel.language import N_, _

EXAMPLES = N_("today, yesterday, monday, last week, 2d, 90m, 2026-11-22 or 2026-11-22T14:30")
_AGO = re.compile(
    r"(\d+(?:\.\d+)?)\s*(s|sec(?:ond)?s?|m|min(?:ute)?s?|h|hours?|d|days?|w|weeks?)(?: ago)?", re.IGNORECASE
)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)


def span_of(text: str, now: float) -> tuple[float, float]:
    """Return when something begins and ends, in seconds since the epoch.

    Args:
        text: what a person calls it; a length of time (`2d`) is the span from so long ago until now.
        now: the time.

    Raises:
        ToolError: it is no time; says what is.
    """
    words = " ".join(text.lower().split())
    ago = _AGO.fullmatch(words)
    if ago is not None:
        return max(0.0, now - float(ago[1]) * _SECONDS[ago[2][0].lower()]), now
    here = datetime.fromtimestamp(now)
    try:
        begin, end = _named(words, here.replace(hour=0, minute=0, second=0, microsecond=0)) or _written(text)
        return begin.timestamp(), end.timestamp()
    except (ValueError, OverflowError, OSError):
        raise ToolError(
            _("{text!r} is no time that I know.").format(text=text),
            hint=_("Say {addresses}.").format(addresses=_(EXAMPLES)),
        ) from None


def _named(words: str, today: datetime) -> tuple[datetime, datetime] | None:
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    spans = {
        "today": (today, today + _DAY),
        "yesterday": (today - _DAY, today),
        "this morning": (today, today + _DAY / 2),
        "this week": (monday, monday + 7 * _DAY),
        "last week": (monday - 7 * _DAY, monday),
        "this month": (month, (month + 32 * _DAY).replace(day=1)),
        "last month": ((month - _DAY).replace(day=1), month),
    }
    if words in _WEEKDAYS:  # the last one before today
        day = today - timedelta(days=(today.weekday() - _WEEKDAYS.index(words) - 1) % 7 + 1)
        return day, day + _DAY
    return spans.get(words)


def _written(text: str) -> tuple[datetime, datetime]:
    written = text.strip()
    moment = datetime.fromisoformat(written)
    whole_day = len(written) <= len("2026-11-22") and ":" not in written
    return moment, moment + _DAY if whole_day else moment
