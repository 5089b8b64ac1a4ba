"""Worst windows, burn, projection and reliability (S-41, S-43 to S-46) by their published vectors."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.instants import instant
from controller.core.intervals import Interval, length
from controller.core.sla.figures.burn import (
    Course,
    Projection,
    Spent,
    Urgency,
    alerts,
    burn_rate,
    projection,
)
from controller.core.sla.figures.downtime import Downtime, Weighed, weighed
from controller.core.sla.figures.reliability import OutageTimes, reliability
from controller.core.sla.figures.worst_windows import worst_window_us, worst_windows
from tests.unit.core.sla.contracting import TIME, fleet, told

SECOND = 1_000_000
HOUR = 3600 * SECOND
JUNE = 2_592_000 * SECOND
TARGET = Fraction(999, 1000)


def test_x54_one_long_outage_is_not_many_short_ones() -> None:
    once = [Interval(HOUR, 2 * HOUR)]
    often = [Interval(n * 12 * HOUR, n * 12 * HOUR + 60 * SECOND) for n in range(60)]
    one, many = (worst_windows(Downtime(each), JUNE) for each in (once, often))
    assert (one["1h"], many["1h"]) == (Fraction(0), Fraction(59, 60))
    assert (one["1d"], many["1d"]) == (Fraction(23, 24), 1 - Fraction(120, 86_400))
    assert [reliability([OutageTimes(i.from_us, i.to_us) for i in each], JUNE, length(each)).mtbf_us for each in (once, often)] == [2_588_400 * SECOND, 43_140 * SECOND]  # fmt: skip


def test_a_window_that_does_not_fit_is_not_told() -> None:
    assert list(worst_windows(Downtime(), HOUR)) == ["5m", "1h"]


WEIGHTS = st.sampled_from([Fraction(1), Fraction(1, 3), Fraction(1, 2)])


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9), WEIGHTS), max_size=5),
    st.integers(1, 40),
)
def test_s41_no_window_is_worse(listed: list[tuple[int, int, Fraction]], size: int) -> None:
    steps: list[Weighed] = []
    at = 0
    for gap, long, weight in listed:
        steps.append(Weighed(at + gap, at + gap + long, weight))
        at += gap + long
    down = weighed(steps)
    windows = (down.between(at, at + size).us() for at in range(-size, at + 1))
    assert worst_window_us(down, size) == max(windows)


@pytest.mark.parametrize(("seconds", "is_told"), [(0, False), (20, True)])
def test_x39_a_page_needs_both_windows(seconds: int, is_told: bool) -> None:
    def window(length_us: int) -> Spent:
        down = 60 if length_us >= HOUR else seconds
        return Spent(min(down * SECOND, length_us), length_us)

    assert burn_rate(window(HOUR), TARGET) == Fraction(50, 3)
    pages = [one for one in alerts(window, TARGET) if one.urgency is Urgency.PAGE]
    assert bool(pages) is is_told


def test_x40_a_month_that_goes_on_like_this() -> None:
    now, ends = instant("2026-06-11T00:00:00Z"), instant("2026-07-01T00:00:00Z")
    recent = Spent(108 * SECOND, 6 * HOUR)
    assert burn_rate(recent, TARGET) == 5
    budget = (1 - TARGET) * JUNE
    told = projection(budget, 1000 * SECOND, recent, now_us=now, ends_us=ends, target=TARGET)
    assert told == Projection(Course.WILL_BREACH, instant("2026-06-14T16:26:40Z"))
    lost = projection(budget, 2593 * SECOND, recent, now_us=now, ends_us=ends, target=TARGET)
    assert lost.course is Course.IRRECOVERABLE
    quiet = projection(
        budget, 1000 * SECOND, Spent(0, 6 * HOUR), now_us=now, ends_us=ends, target=TARGET
    )
    assert quiet == Projection(Course.ON_TRACK, None)
    late = projection(
        budget, 0, Spent(22 * SECOND, 6 * HOUR), now_us=now, ends_us=ends, target=TARGET
    )
    assert late.course is Course.AT_RISK


def test_without_a_budget_there_is_no_rate() -> None:
    assert burn_rate(Spent(1, HOUR), Fraction(1)) is None
    assert burn_rate(Spent(0, 0), TARGET) is None
    told = projection(Fraction(0), 1, Spent(1, HOUR), now_us=0, ends_us=HOUR, target=Fraction(1))
    assert told.course is Course.IRRECOVERABLE


def test_x41_mean_times() -> None:
    lengths = (600, 1200, 1800)
    outages = [
        OutageTimes(n * HOUR, n * HOUR + each * SECOND, n * HOUR + 5 * SECOND)
        for n, each in enumerate(lengths)
    ]
    told = reliability(outages, JUNE, sum(lengths) * SECOND)
    assert [each // SECOND for each in told[1:5] if each is not None] == [
        1_200,
        862_800,
        864_000,
        5,
    ]
    assert told.mtta_us is None
    assert reliability([], JUNE, 0) == (0, None, None, None, None, None)


def test_s46_an_open_outage_is_not_repaired_yet() -> None:
    told = reliability([OutageTimes(0), OutageTimes(0, 10, 1, 2, 6)], JUNE, 20)
    assert (told.outages, told.mttr_us, told.mttd_us, told.mtta_us) == (2, 10, 1, 4)


def test_a_record_tells_how_it_goes() -> None:
    spans = [
        ("2026-06-10T20:00:00Z", "2026-06-10T20:01:48Z"),
        ("2026-06-03T00:00:00Z", "2026-06-03T00:14:52Z"),
    ]
    (found,) = told(fleet(TIME), "2026-06", *sorted(spans), as_of="2026-06-11T00:00:00Z")
    assert found["downtime"] == 1000 * SECOND
    assert found["burn"]["course"] == "will_breach"
    assert found["burn"]["exhausted_at"] == instant("2026-06-14T16:26:40Z")
    assert [one["urgency"] for one in found["burn"]["alerts"]] == []
    assert (found["outages"], found["mttr"], found["mtbsi"]) == (2, 500 * SECOND, 432_000 * SECOND)
    assert found["worst"]["5m"] == {"num": 0, "den": 1}
    (over,) = told(fleet(TIME), "2026-06", *sorted(spans))
    assert over["burn"] is None
