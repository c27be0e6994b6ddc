"""An airline's customer at the help desk: who it is, what can be changed, and the card that shows it.

The rules stand here, apart from the words: the notebook beside this module says by which sentences each is
asked for. What cannot be done raises `Impossible`, whose text is for the customer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from voice_kernel.errors import ToolError

Meal = Literal["chicken", "fish", "pasta", "vegetarian", "vegan", "kosher", "no meal"]

ROWS = range(1, 31)
SEATS = "ABCDEF"
MAX_BAGS = 5
BAG_EUR = 45
FREE_BAGS = {"standard": 1, "silver": 2, "gold": 3}
LETTERS = {"a": "hey", "b": "be bee", "c": "see sea", "d": "dee", "e": "", "f": "eff"}
"""Letters of a seat, and how a recogniser may write them."""
# fmt: off
UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
# fmt: on
TENS = {"twenty": 20, "thirty": 30}


class Impossible(ToolError):
    """Tells the customer what cannot be done, and what can."""


@dataclass
class Flight:
    """One leg of a trip."""

    number: str
    origin: str
    destination: str
    date: str
    departs: str
    arrives: str
    seat: str
    state: Literal["booked", "cancelled"] = "booked"


@dataclass
class Customer:
    """A customer with a trip; every change is noted in `history`, the newest first."""

    name: str
    tier: Literal["standard", "silver", "gold"]
    email: str
    flights: list[Flight]
    bags: int = 0
    meal: Meal = "chicken"
    history: list[str] = field(default_factory=list)

    def change_seat(self, seat: str, flight: str = "") -> str:
        """Move to another seat, on one flight or on all that are still booked."""
        wanted = seat_named(seat)
        flights = self._booked(flight)
        for each in flights:
            if wanted in taken_seats(each.number):
                free = nearest_free(each.number, wanted)
                raise Impossible(f"Seat {wanted} on {each.number} is taken.", hint=f"{free} is free.")
        for each in flights:
            each.seat = wanted
        return self._note(f"Seat {wanted} on {_listed(each.number for each in flights)}.")

    def add_bags(self, count: int = 1) -> str:
        """Add checked bags, as many as a customer may have."""
        self._booked()
        if count < 1:
            raise Impossible("At least one bag.")
        if self.bags + count > MAX_BAGS:
            raise Impossible(f"{MAX_BAGS} bags at most.", hint=f"There are {self.bags} already.")
        before = max(0, self.bags - FREE_BAGS[self.tier])
        self.bags += count
        price = BAG_EUR * (max(0, self.bags - FREE_BAGS[self.tier]) - before)
        cost = f"{price} euros" if price else f"free of charge for {self.tier}"
        return self._note(f"{_counted(self.bags, 'checked bag')} now; this is {cost}.")

    def prefer_meal(self, meal: Meal) -> str:
        """Choose what is served on board."""
        self._booked()
        self.meal = meal
        return self._note(f"Meal: {meal}.")

    def cancel_trip(self) -> str:
        """Cancel what is still booked."""
        flights = self._booked()
        for each in flights:
            each.state = "cancelled"
        return self._note(f"Cancelled {_listed(each.number for each in flights)}; the fare is paid back.")

    def summary(self) -> str:
        """Return what somebody who serves this customer has to know: context for a model, or for a person."""
        lines = [f"{self.name}, {self.tier} member, {self.email}."]
        lines += [
            f"{each.number} {each.origin} to {each.destination}, {each.date} {each.departs}, "
            f"seat {each.seat}, {each.state}."
            for each in self.flights
        ]
        lines.append(f"{_counted(self.bags, 'checked bag')}. Meal: {self.meal}.")
        return "\n".join(lines + [f"Done before: {each}" for each in self.history])

    def _booked(self, number: str = "") -> list[Flight]:
        wanted = re.sub(r"\W", "", number).upper()
        found = [each for each in self.flights if wanted in ("", each.number)]
        if not found:
            raise Impossible(f"There is no flight {number} on this trip.")
        booked = [each for each in found if each.state == "booked"]
        if not booked:
            raise Impossible("The trip is cancelled already." if not wanted else f"{wanted} is cancelled.")
        return booked

    def _note(self, done: str) -> str:
        self.history.insert(0, done)
        return done


def sample_customer() -> Customer:
    """Return the invented customer of the notebook."""
    return Customer(
        name="Elena Rossi",
        tier="gold",
        email="elena@example.org",
        flights=[
            Flight("VK441", "Lisbon", "Vienna", "3 May", "09:20", "13:45", "12A"),
            Flight("VK442", "Vienna", "Lisbon", "10 May", "15:05", "17:50", "14C"),
        ],
        bags=1,
    )


# ---- seats ----------------------------------------------------------------------------------------


def seat_named(said: str) -> str:
    """Return a seat as it is written, `14C`, however it was said: “14 c”, “row fourteen seat see”.

    Raises:
        Impossible: it is no seat of this aeroplane.
    """
    row, letter = 0, ""
    for word in re.findall(r"\d+|[a-z]+", said.lower()):
        if word in UNITS:
            row += UNITS.index(word)
        elif word in TENS or word.isdigit():
            row += TENS.get(word) or int(word)
        else:
            sounds_like = (each for each, others in LETTERS.items() if word == each or word in others.split())
            letter = next(sounds_like, letter).upper()
    if row not in ROWS or not letter:
        raise Impossible(
            f"“{said}” is no seat here.",
            hint=f"There are rows {ROWS[0]} to {ROWS[-1]}, seats {SEATS[0]} to {SEATS[-1]}.",
        )
    return f"{row}{letter}"


def taken_seats(flight: str) -> set[str]:
    """Return the seats that others have: invented, and always the same for a flight."""
    seed = sum(map(ord, flight))
    return {
        f"{row}{seat}"
        for row in ROWS
        for place, seat in enumerate(SEATS)
        if (seed + row * 7 + place * 5) % 4 == 0
    }


def nearest_free(flight: str, seat: str) -> str:
    """Return the free seat that is nearest to one that is taken."""
    taken = taken_seats(flight)
    row, place = int(seat[:-1]), SEATS.index(seat[-1])
    seats = [(each, letter) for each in ROWS for letter in SEATS if f"{each}{letter}" not in taken]
    found = min(seats, key=lambda free: (abs(free[0] - row), abs(SEATS.index(free[1]) - place)))
    return f"{found[0]}{found[1]}"


# ---- the card -------------------------------------------------------------------------------------


def customer_card(customer: Customer) -> dict[str, Any]:
    """Return the side panel: the customer, the trip, and buttons that do what could also be said."""
    open_trip = any(each.state == "booked" for each in customer.flights)
    rows: list[dict[str, Any]] = [
        {
            "type": "Row",
            "justify": "between",
            "children": [
                {"type": "Title", "value": customer.name, "size": "sm"},
                {"type": "Badge", "label": f"{customer.tier} member", "color": "warning"},
            ],
        },
        {"type": "Caption", "value": customer.email},
        {"type": "Divider"},
        *(_flight_row(each) for each in customer.flights),
        {"type": "Divider"},
        {"type": "Text", "id": "bags", "value": f"Checked bags: {customer.bags}"},
        {"type": "Text", "id": "meal", "value": f"Meal: {customer.meal}"},
    ]
    if open_trip:
        rows.append(
            {
                "type": "Row",
                "gap": 2,
                "wrap": "wrap",
                "children": [
                    _button("Add a bag", "add_bags", {"count": 1}),
                    _button("Vegetarian meal", "prefer_meal", {"meal": "vegetarian"}),
                    _button("Cancel the trip", "cancel_trip", {}) | {"color": "danger"},
                ],
            }
        )
    if customer.history:
        rows += [{"type": "Divider"}, {"type": "Caption", "value": "Newest first"}]
        rows += [{"type": "Text", "size": "sm", "value": done} for done in customer.history[:5]]
    return {"type": "Card", "id": "customer", "size": "md", "children": rows}


def seat_form(customer: Customer) -> dict[str, Any]:
    """Return a form that asks for the seat: what is filled in becomes the arguments of `change_seat`."""
    flights = [each for each in customer.flights if each.state == "booked"]
    return {
        "type": "Card",
        "children": [
            {
                "type": "Form",
                "onSubmitAction": {"type": "change_seat"},
                "gap": 2,
                "children": [
                    {"type": "Label", "value": "Flight", "fieldName": "flight"},
                    {
                        "type": "Select",
                        "name": "flight",
                        "options": [
                            {"value": each.number, "label": f"{each.number} to {each.destination}"}
                            for each in flights
                        ],
                        "defaultValue": flights[0].number if flights else None,
                    },
                    {"type": "Label", "value": "Seat", "fieldName": "seat"},
                    {
                        "type": "Input",
                        "name": "seat",
                        "required": True,
                        "placeholder": "14C",
                        "pattern": "[0-9]+ ?[A-Fa-f]",
                    },
                    {"type": "Button", "label": "Change seat", "submit": True},
                ],
            }
        ],
    }


def _flight_row(flight: Flight) -> dict[str, Any]:
    booked = flight.state == "booked"
    return {
        "type": "Row",
        "key": flight.number,
        "justify": "between",
        "children": [
            {
                "type": "Col",
                "children": [
                    {
                        "type": "Text",
                        "weight": "semibold",
                        "value": f"{flight.origin} → {flight.destination}",
                        "lineThrough": not booked,
                    },
                    {
                        "type": "Caption",
                        "value": f"{flight.number} · {flight.date} · {flight.departs}–{flight.arrives}",
                    },
                ],
            },
            {
                "type": "Badge",
                "label": f"Seat {flight.seat}" if booked else "Cancelled",
                "color": "info" if booked else "danger",
            },
        ],
    }


def _button(label: str, tool: str, payload: dict[str, Any]) -> dict[str, Any]:
    # An action that has the name of a tool calls it: a click is what could have been said.
    return {
        "type": "Button",
        "label": label,
        "size": "sm",
        "variant": "soft",
        "onClickAction": {"type": tool, "payload": payload},
    }


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _listed(names: Any) -> str:
    return " and ".join(names)
