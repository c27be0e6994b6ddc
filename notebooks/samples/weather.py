"""Weather of a few cities from a committed table of their climates, so that a forecast needs no network.

The figures are long-term means of the months, rounded; the week around them is made up, and is always the
same for a city and a day. It knows weather and its widget, and no tools.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent / "climate.csv"
DAYS = 5
WET_MM = 90
"""Rain in a month from which its days are wet, unless they are cold enough for snow."""

SKIES = {
    "sun": ("☀", "Sunny"),
    "clouds": ("☁", "Cloudy"),
    "rain": ("☂", "Rain"),
    "snow": ("❄", "Snow"),
}
"""The sign of a sky, and what it is called."""


class UnknownCity(LookupError):
    """There is no weather for this city."""


@dataclass(frozen=True)
class Day:
    """The weather of one day."""

    date: date
    sky: str
    high_c: int
    low_c: int


@dataclass(frozen=True)
class Forecast:
    """The weather of a city, from one day on."""

    city: str
    country: str
    days: tuple[Day, ...]

    @property
    def summary(self) -> str:
        """The first day, in a sentence to be read aloud."""
        today = self.days[0]
        sky = SKIES[today.sky][1].lower()
        return f"{self.city}: {sky}, {today.high_c} degrees, {today.low_c} at night."


def cities() -> dict[str, list[dict[str, str]]]:
    """Return the table, by city: a row for each month."""
    found: dict[str, list[dict[str, str]]] = {}
    with TABLE.open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            found.setdefault(row["city"], []).append(row)
    return found


def forecast(city: str, start: date, days: int = DAYS) -> Forecast:
    """Return the weather of a city.

    Args:
        city: its name, in any case.
        start: the first day.
        days: how many days.

    Raises:
        UnknownCity: the table does not have it; the text names those that it has.
    """
    table = cities()
    name = next((each for each in table if each.lower() == city.strip().lower()), None)
    if name is None:
        raise UnknownCity(f"There is no weather for {city}. There is for: {', '.join(table)}.")
    months = table[name]
    return Forecast(
        name, months[0]["country"], tuple(_day(name, months, start + timedelta(n)) for n in range(days))
    )


def _day(city: str, months: list[dict[str, str]], day: date) -> Day:
    month = months[day.month - 1]
    seed = sum(map(ord, city)) + day.toordinal()
    swing = round(3 * math.sin(seed * 1.7))  # a week is not the same every day
    high, low = int(month["high_c"]) + swing, int(month["low_c"]) + swing
    wet = int(month["rain_mm"]) * (1 + math.sin(seed * 2.3)) > WET_MM
    sky = ("snow" if high <= 1 else "rain") if wet else ("clouds" if math.sin(seed * 0.9) > 0.3 else "sun")
    return Day(day, sky, high, low)


def weather_card(found: Forecast) -> dict[str, Any]:
    """Return the forecast as a widget: today large, then the days, then a chart of high and low."""
    today = found.days[0]
    sign, sky = SKIES[today.sky]
    return {
        "type": "Card",
        "size": "md",
        "status": {"text": f"{found.city}, {found.country}", "icon": "globe"},
        "children": [
            {
                "type": "Row",
                "align": "center",
                "gap": 3,
                "children": [
                    {"type": "Title", "value": sign, "size": "4xl"},
                    {"type": "Title", "value": f"{today.high_c}°", "size": "3xl"},
                    {
                        "type": "Col",
                        "children": [
                            {"type": "Text", "value": sky, "weight": "semibold"},
                            {"type": "Caption", "value": f"{today.low_c}° at night"},
                        ],
                    },
                ],
            },
            {"type": "Divider"},
            {"type": "Row", "justify": "between", "children": [_column(day) for day in found.days]},
            {
                "type": "Chart",
                "height": 160,
                "data": [{"day": _named(day), "High": day.high_c, "Low": day.low_c} for day in found.days],
                "xAxis": {"dataKey": "day"},
                "showYAxis": True,
                "series": [{"type": "line", "dataKey": "High"}, {"type": "line", "dataKey": "Low"}],
            },
        ],
    }


def _column(day: Day) -> dict[str, Any]:
    sign, sky = SKIES[day.sky]
    return {
        "type": "Col",
        "key": day.date.isoformat(),
        "align": "center",
        "children": [
            {"type": "Caption", "value": _named(day)},
            {"type": "Text", "value": sign, "size": "xl"},
            {"type": "Text", "weight": "semibold", "value": f"{day.high_c}°"},
            {"type": "Caption", "value": f"{day.low_c}°"},
            {"type": "Caption", "value": sky},
        ],
    }


def _named(day: Day) -> str:
    return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day.date.weekday()]
