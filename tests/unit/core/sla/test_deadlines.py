"""Deadlines of claims (S-50): calendar days and months in the contract's zone."""

from datetime import date

import pytest

from controller.core.calendars import period_named
from controller.core.instants import instant
from controller.core.sla.claims.deadlines import deadline_of, reminder_due, reminders


@pytest.mark.parametrize(
    ("clause", "label", "last"),
    [
        ("P2M", "2026-06", "2026-08-31"),
        ("P1M", "2026-01", "2026-02-28"),
        ("P1M", "2028-01", "2028-02-29"),
        ("P12M", "2026-12", "2027-12-31"),
        ("P30D", "2026-06", "2026-07-30"),
        ("P1D", "2026-06", "2026-07-01"),
        ("P999D", "2026-06", "2029-03-25"),
        # The first day that counts is 31 December, which February does not have: its last day.
        ("P2M", "2026-12-30", "2027-02-28"),
        ("P2M", "2027-12-30", "2028-02-29"),
        ("P1M", "2026-W23", "2026-07-07"),
        ("P3M", "2026-Q2", "2026-09-30"),
    ],
)
def test_s50_the_last_day_to_claim(clause: str, label: str, last: str) -> None:
    found = deadline_of(clause, period_named(label, "UTC").to_us, "UTC")
    assert found.last_day == date.fromisoformat(last)


def test_s50_it_ends_at_midnight_in_the_zone_of_the_contract() -> None:
    period = period_named("2026-01", "Europe/Warsaw")
    # From winter time into summer time.
    found = deadline_of("P2M", period.to_us, "Europe/Warsaw")
    assert found.ends_us == instant("2026-04-01T00:00:00+02:00")


def test_s50_reminders_come_a_week_and_a_day_before() -> None:
    deadline = deadline_of("P2M", period_named("2026-06", "Europe/Warsaw").to_us, "Europe/Warsaw")
    week, day = reminders(deadline, "Europe/Warsaw")
    assert (week.days, week.at_us) == (7, instant("2026-08-25T00:00:00+02:00"))
    assert (day.days, day.at_us) == (1, instant("2026-08-31T00:00:00+02:00"))


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-08-24T23:59:59Z", None),
        ("2026-08-25T00:00:00Z", 7),
        ("2026-08-30T23:59:59Z", 7),
        ("2026-08-31T00:00:00Z", 1),
        ("2026-08-31T23:59:59Z", 1),
        ("2026-09-01T00:00:00Z", None),
    ],
)
def test_s50_which_reminder_is_due(now: str, due: int | None) -> None:
    deadline = deadline_of("P2M", period_named("2026-06", "UTC").to_us, "UTC")
    found = reminder_due(deadline, "UTC", instant(now))
    assert (None if found is None else found.days) == due
