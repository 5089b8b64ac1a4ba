"""UNKNOWN time into which the last verdict is carried on (S-40): for so long at most, the rest is excluded."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.calendars import period_named
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.books import Observed
from controller.core.sla.reports.records import exclusions_of, records
from tests.unit.core.sla.contracting import SECOND, fleet

DAY = period_named("2026-06-02", "UTC")
HOUR = 3600
UP, DOWN, PARTIAL, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.PARTIAL, Verdict.UNKNOWN


def told(
    *spans: tuple[int, int, Verdict], clause: str = "carry(1h)", more: str = ""
) -> dict[str, Any]:
    """The record of a day of which these spans, in hours from its start, are known."""
    objective = f'objectives: [{{id: a, target: "99", unknown: {clause}, min_coverage: "0"}}]'
    file = fleet(objective, "period: {kind: day}", more=more)
    agreement = file.contracts["k"]
    stretches = [
        Stretch(DAY.from_us + a * HOUR * SECOND, DAY.from_us + b * HOUR * SECOND, *(v,) * 3)
        for a, b, v in spans
    ]
    observed = Observed(stretches, exclusions=exclusions_of(file, agreement.scope))
    (found,) = records(agreement, DAY, observed, DAY.to_us)
    return found


def hours(record: dict[str, Any], *names: str) -> list[int]:
    return [record[name] // (HOUR * SECOND) for name in names]


def test_s40_a_verdict_goes_on_for_as_long_as_is_said() -> None:
    found = told((0, 6, UP), (10, 12, DOWN), (20, 24, UP))
    # Six, two and four hours are known, an hour is up after the first, an hour down after the second.
    assert hours(found, "up", "down", "unknown") == [10, 2, 12]
    assert hours(found, "eligible", "downtime") == [14, 3]
    assert found["attainment"] == {"num": 11, "den": 14}


def test_s40_what_is_carried_is_no_evidence() -> None:
    found = told((0, 23, UP))
    assert found["coverage"] == {"num": 23, "den": 24}
    assert told((0, 23, UP), clause="exclude")["coverage"] == found["coverage"]


def test_s40_all_readings_stand_side_by_side() -> None:
    found = told((0, 6, UP), (10, 12, DOWN), (20, 24, UP), clause="exclude")
    assert {name: one["attainment"] for name, one in found["variants"].items()} == {
        "exclude": {"num": 5, "den": 6},
        "as_up": {"num": 11, "den": 12},
        "as_down": {"num": 5, "den": 12},
        # Nothing says for how long: until something is known again.
        "carry": {"num": 7, "den": 12},
    }
    limited = told((0, 6, UP), (10, 12, DOWN), (20, 24, UP))
    assert limited["variants"]["carry"]["attainment"] == {"num": 11, "den": 14}


@pytest.mark.parametrize(("clause", "down"), [("carry(2h)", 2), ("carry(1h)", 1), ("exclude", 0)])
def test_s40_what_was_before_the_period_is_carried_into_it_if_that_is_promised(
    clause: str, down: int
) -> None:
    found = told((-3, 0, DOWN), (12, 24, UP), clause=clause)
    assert hours(found, "downtime") == [down]
    unlimited = told((-3, 0, DOWN), (12, 24, UP), clause="exclude")
    assert unlimited["variants"]["carry"]["attainment"] == {"num": 1, "den": 1}


def test_s39_what_does_not_count_is_not_carried_on() -> None:
    objective = 'objectives: [{id: a, target: "99", unknown: carry(1h), min_coverage: "0"}]'
    file = fleet(objective, "period: {kind: day}", "outage: {min_duration: 2h}")
    at = [DAY.from_us + n * HOUR * SECOND for n in (0, 3, 4, 8, 24)]
    stretches = [Stretch(at[0], at[1], *(UP,) * 3), Stretch(at[1], at[2], *(DOWN,) * 3), Stretch(at[3], at[4], *(UP,) * 3)]  # fmt: skip
    (found,) = records(file.contracts["k"], DAY, Observed(stretches), DAY.to_us)
    assert hours(found, "downtime", "eligible") == [0, 21]


def test_s26_forgiven_time_stays_forgiven_where_a_verdict_is_carried_into_it() -> None:
    more = (
        f"exclusions: [{{id: e, type: scheduled, from: {DAY.from_us + 12 * HOUR * SECOND},"
        f" to: {DAY.from_us + 13 * HOUR * SECOND}, declared_at: 0, by: ada}}]\n"
    )
    found = told((0, 10, UP), (10, 12, DOWN), (14, 24, UP), clause="carry(2h)", more=more)
    assert hours(found, "downtime", "eligible") == [3, 23]


SPANS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([UP, DOWN, PARTIAL, UNKNOWN])), max_size=8
)


@given(SPANS, st.integers(0, 4))
def test_s40_carrying_lies_between_leaving_out_and_what_was_known(
    drawn: list[tuple[int, Verdict]], limit: int
) -> None:
    spans: list[tuple[int, int, Verdict]] = []
    at = -2
    for long, verdict in drawn:
        if long and verdict is not UNKNOWN and at + long <= 24:
            spans.append((at, at + long, verdict))
        at += long
    found = told(*spans, clause=f"carry({limit}h)")
    plain = told(*spans, clause="exclude")
    # Hour by hour: what is known, and after it what it was for so many hours more.
    said = {hour: verdict for a, b, verdict in spans for hour in range(a, b)}
    carried: dict[int, Verdict] = {}
    for hour in range(24):
        last = max((one for one in said if one < hour), default=None)
        if hour not in said and last is not None and hour - last <= limit:
            carried[hour] = said[last]
    down = [v for h, v in {**said, **carried}.items() if 0 <= h < 24 and v is DOWN]
    eligible = sum(0 <= h < 24 for h in said) + len(carried)
    assert hours(found, "downtime", "eligible") == [len(down), eligible]
    assert found["downtime_min"] <= found["downtime"] <= found["downtime_max"]
    assert sum(found[n] for n in ("up", "down", "partial", "unknown")) == 24 * HOUR * SECOND
    if limit == 0:
        assert found["attainment"] == plain["attainment"]
    if eligible:
        assert Fraction(*found["attainment"].values()) == 1 - Fraction(len(down), eligible)
