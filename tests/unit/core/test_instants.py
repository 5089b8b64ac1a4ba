"""Instants as people write them (S-1)."""

import pytest

from controller.core.instants import instant, instant_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:30:00.5-04:30", 500_000),
        ("1970-01-01t00:00:00.000001z", 1),
        ("2017-01-01T00:00:00Z", 1_483_228_800_000_000),
        ("120000000", 120_000_000),
        (-5, -5),
    ],
)
def test_s01_an_instant_is_microseconds(text: object, expected: int) -> None:
    assert instant(text) == expected


def test_x55_a_leap_second_is_the_next_second() -> None:
    assert instant("2016-12-31T23:59:60Z") == instant("2017-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-01T00:00:00", "2026-06-01", "2026-13-01T00:00:00Z", "2026-06-01T24:00:00Z",
        "2026-06-01T00:00:61Z", "2026-06-01T00:00:00.0000001Z", "2026-06-01T00:00:00+25:00",
        "now", "", True, None, 1.5, 10**18, "-99999999999999999", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected an instant"):
        instant(text)


def test_an_instant_reads_back() -> None:
    assert instant_text(1_483_228_800_000_000) == "2017-01-01T00:00:00Z"
    assert instant(instant_text(1)) == 1


@pytest.mark.parametrize("at_us", [2**63 - 1, -(2**63), 10**40])
def test_what_no_calendar_shows_is_told_as_a_number(at_us: int) -> None:
    assert instant_text(at_us) == f"{at_us} us after 1970"
