"""Calendar periods (S-29): true lengths, in every zone."""

from datetime import UTC, datetime

import pytest

from controller.core.calendars import PeriodKind, period_at, period_named, tzdata_version, zone

HOUR_US = 3_600_000_000


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("label", "tz", "hours"),
    [
        pytest.param("2026-03", "Europe/Warsaw", 743, id="x20 spring"),
        pytest.param("2026-10", "Europe/Warsaw", 745, id="x20 autumn"),
        pytest.param("2020-10", "America/Havana", 744, id="x21 up to the ambiguous midnight"),
        pytest.param("2020-11", "America/Havana", 721, id="x21 from the ambiguous midnight"),
        # The vector names 2026; by the pinned rules Cuba keeps its summer time through that winter.
        pytest.param("2026-11", "America/Havana", 720, id="x21 by newer rules"),
        pytest.param("2011-12", "Pacific/Apia", 720, id="x21 the day that was not"),
        pytest.param("2026-04", "Australia/Lord_Howe", 720.5, id="x21 half an hour"),
        pytest.param("2026", "Europe/Warsaw", 8760, id="x21 a year"),
        pytest.param("2028", "Europe/Warsaw", 8784, id="x21 a leap year"),
        pytest.param("2026-Q2", "UTC", 91 * 24, id="a quarter"),
        pytest.param("2026-W23", "UTC", 7 * 24, id="a week"),
        pytest.param("2026-03-29", "Europe/Warsaw", 23, id="a short day"),
    ],
)
def test_s29_periods_have_their_true_length(label: str, tz: str, hours: float) -> None:
    period = period_named(label, tz)
    assert period.to_us - period.from_us == hours * HOUR_US


def test_x20_warsaw_march_begins_at_local_midnight() -> None:
    assert period_named("2026-03", "Europe/Warsaw").from_us == us("2026-02-28T23:00:00+00:00")


def test_x21_the_first_of_two_midnights_counts() -> None:
    assert period_named("2020-11", "America/Havana").from_us == us("2020-11-01T04:00:00+00:00")


def test_s29_a_midnight_that_does_not_exist_is_the_instant_of_the_change() -> None:
    assert period_named("2011-12-30", "Pacific/Apia").from_us == us("2011-12-30T10:00:00+00:00")
    assert period_named("2011-12-31", "Pacific/Apia").from_us == us("2011-12-30T10:00:00+00:00")
    beirut = period_named("2025-03-30", "Asia/Beirut")
    assert beirut.from_us == us("2025-03-29T22:00:00+00:00")


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (PeriodKind.DAY, "2026-12-31"),
        (PeriodKind.WEEK, "2026-W53"),
        (PeriodKind.MONTH, "2026-12"),
        (PeriodKind.QUARTER, "2026-Q4"),
        (PeriodKind.YEAR, "2026"),
    ],
)
def test_the_period_of_an_instant(kind: PeriodKind, label: str) -> None:
    at = us("2026-12-31T22:30:00+00:00")
    period = period_at(at, kind, "UTC")
    assert (period.label, period.kind) == (label, kind)
    assert period.from_us <= at < period.to_us


def test_an_instant_lies_in_the_period_of_its_zone() -> None:
    at = us("2026-12-31T23:30:00+00:00")
    assert period_at(at, PeriodKind.MONTH, "Europe/Warsaw").label == "2027-01"


@pytest.mark.parametrize(
    "label", ["2026-13", "2026-Q5", "2026-W54", "2026-02-30", "june", "26", ""]
)
def test_what_names_no_period_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="expected a period such as"):
        period_named(label, "UTC")


@pytest.mark.parametrize("name", ["Europe/Atlantis", "../../etc/passwd", "", "CET\x00"])
def test_what_names_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected a time zone"):
        zone(name)


def test_the_rules_have_a_version() -> None:
    assert tzdata_version()[:2] == "20"
    assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(zone("Europe/Warsaw")).hour == 2
