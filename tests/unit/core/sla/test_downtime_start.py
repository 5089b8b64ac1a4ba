"""From when on downtime costs (S-39): the first failure, the confirmation, or the first message."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.calendars import period_named
from controller.core.fleet import read_fleet
from controller.core.intervals import clip, intersection, union
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.downtime_start import DowntimeStart, counted_from
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.reports.records import Known, observed_from, records
from tests.unit.core.sla.contracting import SECOND, fleet
from vedette.shared.documents import BadDocument

MINUTE = 60 * SECOND
JUNE = period_named("2026-06", "UTC")
START = JUNE.from_us + 3600 * SECOND
UP, DOWN = Verdict.UP, Verdict.DOWN
TIMES = OutageTimes(
    START,
    START + 60 * MINUTE,
    START + 2 * MINUTE,
    notified_us=START + 10 * MINUTE,
    confirmed_us=START + MINUTE,
)
# Down for an hour; at least for the last 50 minutes of it, at most for 5 more before it.
STRETCHES = [
    Stretch(JUNE.from_us, START - 5 * MINUTE, UP, UP, UP),
    Stretch(START - 5 * MINUTE, START, UP, UP, DOWN),
    Stretch(START, START + 10 * MINUTE, DOWN, UP, DOWN),
    Stretch(START + 10 * MINUTE, START + 60 * MINUTE, DOWN, DOWN, DOWN),
    Stretch(START + 60 * MINUTE, JUNE.to_us, UP, UP, UP),
]
SCOPES = {
    "parallel": "{parallel: [c, d]}",
    "series": "{series: [c, d]}",
    "weighted": "{weighted: {c: '0.5', d: '0.5'}}",
}
COMPOSITE = """\
version: 1
regions: [{id: a}]
services: [{id: s}]
checks:
  - {id: c, service: s, every: 60s, http: {url: "http://x.example/"}}
  - {id: d, service: s, every: 60s, http: {url: "http://y.example/"}}
contracts:
  - id: k
    effective_from: 0
    scope: SCOPE
    outage: {downtime_start: confirmation}
    objectives: [{id: a, target: "99.9"}]
"""


def record(
    start: str, *times: OutageTimes, more: str = "", label: str = "2026-06"
) -> dict[str, Any]:
    terms = f"outage: {{downtime_start: {start}{more}}}"
    file = fleet(terms, "objectives: [{id: a, target: '99.9'}]")
    scope = file.contracts["k"].scope
    observed = observed_from([Known(STRETCHES, times)], file, scope)
    period = period_named(label, "UTC")
    (found,) = records(file.contracts["k"], period, observed, period.to_us)
    return found


@pytest.mark.parametrize(
    ("start", "minutes"),
    [
        ("first_failure", [60, 50, 65]),
        ("confirmation", [59, 50, 59]),
        ("notification", [50, 50, 50]),
    ],
)
def test_s39_downtime_costs_from_when_the_contract_says(start: str, minutes: list[int]) -> None:
    found = record(start, TIMES)
    told = [found[name] for name in ("downtime", "downtime_min", "downtime_max")]
    assert told == [each * MINUTE for each in minutes]
    assert found["down"] == 60 * MINUTE, "what it was is another matter than what it costs"
    assert found["clauses"]["outage"]["downtime_start"] == start
    assert found["outages"] == 1


def test_s39_of_what_nobody_was_told_nothing_counts() -> None:
    found = record("notification", TIMES._replace(notified_us=None))
    assert (found["downtime"], found["downtime_max"], found["outages"]) == (0, 0, 0)
    late = record("notification", TIMES._replace(notified_us=START + 61 * MINUTE))
    assert late["downtime"] == 0, "it was over before anybody was told"


def test_s16_what_is_not_told_because_another_outage_explains_it_costs_all_the_same() -> None:
    held = TIMES._replace(notified_us=None, held_us=START + 3 * MINUTE)
    assert record("notification", held)["downtime"] == 57 * MINUTE
    later = held._replace(notified_us=START + 40 * MINUTE)
    assert record("notification", later)["downtime"] == 57 * MINUTE, "it was released since"


def test_s39_how_long_an_outage_is_is_not_cut_by_when_it_costs() -> None:
    long = record("notification", TIMES, more=", min_duration: 55m")
    assert long["downtime"] == 50 * MINUTE, "an hour is long enough"
    assert record("notification", TIMES, more=", min_duration: 61m")["downtime"] == 0


@pytest.mark.parametrize(("scope", "minutes"), [("parallel", 30), ("series", 60), ("weighted", 45)])
def test_s39_members_of_a_composite_cost_each_from_its_own(scope: str, minutes: int) -> None:
    """d is down beside c for its last 40 minutes, and confirmed 10 minutes into that; c at once."""
    file = read_fleet(COMPOSITE.replace("SCOPE", SCOPES[scope]).encode(), "fleet.yaml")
    c, d = START, START + 20 * MINUTE
    ended_us = START + 60 * MINUTE
    members = [
        Known(
            [
                Stretch(JUNE.from_us, from_us, UP, UP, UP),
                Stretch(from_us, ended_us, DOWN, DOWN, DOWN),
                Stretch(ended_us, JUNE.to_us, UP, UP, UP),
            ],
            [OutageTimes(from_us, ended_us, confirmed_us=confirmed_us)],
        )
        for from_us, confirmed_us in ((c, c), (d, d + 10 * MINUTE))
    ]
    contract = file.contracts["k"]
    (found,) = records(contract, JUNE, observed_from(members, file, contract.scope), JUNE.to_us)
    assert found["downtime"] == minutes * MINUTE


def test_s39_another_start_is_refused() -> None:
    with pytest.raises(BadDocument, match="downtime_start"):
        fleet("outage: {downtime_start: complaint}", "objectives: [{id: a, target: '99.9'}]")


SPAN = st.tuples(st.integers(0, 100), st.integers(1, 40))


@given(st.lists(SPAN, max_size=6), st.lists(st.tuples(SPAN, st.integers(-5, 60)), max_size=4))
def test_s39_a_later_start_costs_no_more_and_bounds_stay_in_order(
    high: list[tuple[int, int]], outages: list[tuple[tuple[int, int], int]]
) -> None:
    """P6 after the cut: least, figure and most keep their order at every instant."""
    most = union((a, a + n) for a, n in high)
    down = intersection(most, union((a, a + n) for (a, n), _ in outages))
    least = clip(down, 10, 60)
    cuts = sorted({0, 200, *(at for each in (most, down, least) for one in each for at in one)})
    stretches = []
    for a, b in pairwise(cuts):
        figure, lowest, highest = (DOWN if clip(each, a, b) else UP for each in (down, least, most))
        stretches.append(Stretch(a, b, figure, lowest, highest))
    times = [OutageTimes(a, a + n, confirmed_us=a + wait) for (a, n), wait in outages]
    later = counted_from(stretches, times, DowntimeStart.CONFIRMATION)
    assert [one.from_us for one in later[1:]] == [one.to_us for one in later[:-1]]
    assert (later[0].from_us, later[-1].to_us) == (0, 200)
    for one in later:
        (before,) = (each for each in stretches if each.from_us <= one.from_us < each.to_us)
        said = [verdict is DOWN for verdict in one[2:5]]
        assert said[1] <= said[0] <= said[2]
        assert all(
            now <= was for now, was in zip(said, [v is DOWN for v in before[2:5]], strict=True)
        )
