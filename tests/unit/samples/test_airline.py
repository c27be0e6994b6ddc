"""The airline of the sample: its rules, the words for a seat, and a card that any ChatKit client takes."""

from __future__ import annotations

import airline
import pytest
from chatkit.widgets import WidgetRoot
from pydantic import TypeAdapter

ROOT = TypeAdapter(WidgetRoot)


@pytest.fixture
def elena() -> airline.Customer:
    return airline.sample_customer()


@pytest.mark.parametrize(
    ("said", "seat"),
    [
        ("14C", "14C"),
        ("14 c", "14C"),
        ("fourteen C", "14C"),
        ("row twenty three seat bee", "23B"),
        ("thirty dee", "30D"),
        ("7, a.", "7A"),
    ],
)
def test_a_seat_is_understood_however_it_is_said(said: str, seat: str) -> None:
    assert airline.seat_named(said) == seat


@pytest.mark.parametrize("said", ["", "C", "fourteen", "31A", "12G", "by the window"])
def test_what_is_no_seat_is_told_with_the_seats_there_are(said: str) -> None:
    with pytest.raises(airline.Impossible, match="rows 1 to 30, seats A to F"):
        airline.seat_named(said)


def free_on_both(customer: airline.Customer) -> str:
    taken = set().union(*(airline.taken_seats(each.number) for each in customer.flights))
    return next(
        f"{row}{letter}" for row in airline.ROWS for letter in "ABCDEF" if f"{row}{letter}" not in taken
    )


def test_a_seat_changes_on_one_flight_or_on_all(elena: airline.Customer) -> None:
    seat = free_on_both(elena)
    elena.change_seat(seat, "vk 442")
    assert [flight.seat for flight in elena.flights] == ["12A", seat]
    elena.change_seat(seat)
    assert [flight.seat for flight in elena.flights] == [seat, seat]


def test_a_taken_seat_is_refused_and_the_nearest_free_one_named(elena: airline.Customer) -> None:
    taken = sorted(airline.taken_seats("VK441"))[0]
    with pytest.raises(airline.Impossible, match="is taken") as refused:
        elena.change_seat(taken, "VK441")
    free = refused.value.hint.split(" ")[0]
    assert free not in airline.taken_seats("VK441")
    assert elena.flights[0].seat == "12A"


def test_bags_are_free_up_to_the_tier_then_paid_and_five_at_most(elena: airline.Customer) -> None:
    assert "free of charge" in elena.add_bags(2)
    assert "45 euros" in elena.add_bags()
    with pytest.raises(airline.Impossible, match="5 bags at most"):
        elena.add_bags(2)
    assert elena.bags == 4


def test_a_cancelled_trip_takes_no_more_changes(elena: airline.Customer) -> None:
    elena.cancel_trip()
    with pytest.raises(airline.Impossible, match="cancelled already"):
        elena.prefer_meal("vegan")
    assert "onClickAction" not in str(airline.customer_card(elena))


def test_the_summary_holds_what_was_done(elena: airline.Customer) -> None:
    elena.prefer_meal("vegan")
    assert "Meal: vegan." in elena.summary()
    assert "gold member" in elena.summary()


def test_the_card_and_the_form_are_widgets_of_chatkit_in_every_state(elena: airline.Customer) -> None:
    ROOT.validate_python(airline.customer_card(elena))
    ROOT.validate_python(airline.seat_form(elena))
    elena.add_bags()
    elena.cancel_trip()
    ROOT.validate_python(airline.customer_card(elena))
    ROOT.validate_python(airline.seat_form(elena))
