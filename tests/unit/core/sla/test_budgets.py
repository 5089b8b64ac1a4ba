"""What a target leaves for downtime (S-43): the table of nines."""

from fractions import Fraction

import pytest

from tests.unit.core.sla.test_attainment import record

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("target", "seconds"),
    [
        ("99", "315360"),
        ("99.5", "157680"),
        ("99.9", "31536"),
        ("99.95", "15768"),
        ("99.99", "3153.6"),
        ("99.999", "315.36"),
        ("99.9999", "31.536"),
    ],
)
def test_x56_the_budget_of_a_year(target: str, seconds: str) -> None:
    found = record("2027", kind="year", target=target)
    assert found["budget"] == found["budget_left"] == Fraction(seconds) * SECOND


def test_x56_a_leap_year_has_a_day_more() -> None:
    assert record("2028", kind="year")["budget"] == Fraction("31622.4") * SECOND


@pytest.mark.parametrize(("month", "seconds"), [("2026-03", "2674.8"), ("2026-10", "2682")])
def test_x20_the_budget_follows_the_true_length_of_a_month(month: str, seconds: str) -> None:
    assert record(month, tz="Europe/Warsaw")["budget"] == Fraction(seconds) * SECOND
