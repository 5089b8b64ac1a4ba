"""What the other side recomputes from the timeline of a pack is what was computed from the facts (S-50)."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.calendars import period_named
from controller.core.intervals import Interval
from controller.core.quorum import Verdict
from controller.core.replay import decode_replay, replay_bytes
from controller.core.severity import Severity
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.figures.sampling import Listed, ListedSamples
from controller.core.sla.reports.records import (
    Known,
    observed_from,
    observed_in,
    records,
    records_bytes,
)
from controller.core.sla.reports.timeline_document import timeline_document
from tests.unit.core.sla.contracting import fleet

SECOND = 1_000_000
MONTH = period_named("2026-06", "UTC")
CREDITS = 'credits: {fee: "1000", currency: EUR, tiers: [{below: "99.9", percent: "10"}, {below: "90", percent: "30"}]}'
OBJECTIVES = (
    'objectives: [{id: a, target: "99.9", min_coverage: "0"}, {id: b, metric: latency, threshold: 2s, target: "90",'
    ' min_coverage: "0"}, {id: c, metric: acknowledge, severity: P1, target: 15m}]'
)
# From the most to the least downtime: the three timelines of S-8 are ordered so.
ORDERED = [Verdict.DOWN, Verdict.PARTIAL, Verdict.UP]


def ordered(places: list[int]) -> tuple[Verdict, Verdict, Verdict]:
    """As attributed, with the least and with the most downtime."""
    most, figure, least = sorted(places)
    return ORDERED[figure], ORDERED[least], ORDERED[most]


UNKNOWN = (Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.UNKNOWN)
VERDICTS = st.one_of(
    st.just(UNKNOWN), st.lists(st.integers(0, 2), min_size=3, max_size=3).map(ordered)
)


@st.composite
def stretches(draw: st.DrawFn) -> list[Stretch]:
    """Half a month or so, one after another, sometimes with a gap."""
    at_us = MONTH.from_us - 3600 * SECOND
    found: list[Stretch] = []
    for _ in range(draw(st.integers(1, 12))):
        at_us += draw(st.sampled_from([0, 0, 0, 77 * SECOND]))
        end_us = at_us + draw(st.integers(1, 200_000)) * SECOND
        weight = draw(st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1, 2)]))
        found.append(Stretch(at_us, end_us, *draw(VERDICTS), (weight, weight, weight)))
        at_us = end_us
    return found


@st.composite
def clocks(draw: st.DrawFn) -> list[OutageTimes]:
    found: list[OutageTimes] = []
    for number in range(draw(st.integers(0, 3))):
        at_us = MONTH.from_us + number * 90_000 * SECOND
        acked = draw(st.one_of(st.none(), st.integers(0, 3600)))
        acked_us = None if acked is None else at_us + acked * SECOND
        pauses = (Interval(at_us + SECOND, at_us + 60 * SECOND),) if draw(st.booleans()) else ()
        found.append(
            OutageTimes(
                at_us, at_us + 80_000 * SECOND, at_us + SECOND, at_us + 2 * SECOND, acked_us,
                at_us + SECOND, f"OUT-{number}", "c", draw(st.sampled_from(["", "a"])), Severity.P1, pauses,
            )
        )  # fmt: skip
    return found


samples = st.lists(
    st.builds(
        Listed,
        st.integers(0, 29 * 86_400).map(lambda s: MONTH.from_us + s * SECOND),
        st.booleans(),
        st.one_of(st.none(), st.integers(0, 4 * SECOND)),
    ),
    max_size=20,
)


STARTS = st.sampled_from(["first_failure", "confirmation", "notification"])


@given(stretches(), clocks(), samples, STARTS)
@settings(deadline=None, max_examples=60)
def test_s50_a_timeline_gives_the_figures_that_it_was_made_of(
    drawn: list[Stretch], timed: list[OutageTimes], results: list[Listed], start: str
) -> None:
    file = fleet(CREDITS, OBJECTIVES, f"outage: {{downtime_start: {start}}}")
    scope = file.contracts["k"].scope
    outages = [one for one in timed if not one.region] + [OutageTimes(MONTH.to_us - SECOND)]
    known = Known(drawn, outages, timed, ListedSamples(results))
    until_us = drawn[-1].to_us
    document = timeline_document(
        {"c": known}, {"c": sorted(results, key=lambda one: one.at_us)}, drawn[0].from_us, until_us, until_us
    )  # fmt: skip
    read = decode_replay(replay_bytes(document))
    direct, again = (
        records_bytes(records(file.contracts["k"], MONTH, observed, until_us))
        for observed in (observed_from([known], file, scope), observed_in(read, file, scope))
    )
    assert direct == again
