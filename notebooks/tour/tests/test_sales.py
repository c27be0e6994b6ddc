"""What the tour's spoken "run the tests" runs."""

import csv
from pathlib import Path

SALES = Path(__file__).parent.parent / "sales.csv"


def rows() -> list[dict[str, str]]:
    with SALES.open() as file:
        return list(csv.DictReader(file))


def test_every_month_has_both_regions() -> None:
    months = {row["month"] for row in rows()}
    assert all({r["region"] for r in rows() if r["month"] == m} == {"north", "south"} for m in months)


def test_revenue_is_sales_times_price() -> None:
    for row in rows():
        assert abs(int(row["sales"]) * float(row["price"]) - float(row["revenue"])) < 0.01


def test_sales_grow_over_the_half_year() -> None:
    total = {m: sum(int(r["sales"]) for r in rows() if r["month"] == m) for m in ("1", "6")}
    assert total["6"] > total["1"]
