"""Composites, and time that counts in part, by a second way to do the sum: hour by hour (S-14, S-49)."""

from fractions import Fraction
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from controller.core.intervals import Interval
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import (
    FIGURE,
    HIGH,
    LOW,
    Counting,
    Sets,
    Stretch,
    Timeline,
    account,
)
from controller.core.sla.figures.composites import combined, weighted
from controller.core.sla.figures.downtime import Weighed, weighed
from controller.core.sla.figures.weighing import Portion, merged

HOURS = 12
ORDER = [Verdict.UP, Verdict.DEGRADED, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.DOWN]
SHARES = [Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(1)]


class Said(NamedTuple):
    """What a check is in an hour: a verdict, and what it weighs where it is PARTIAL."""

    verdict: Verdict
    weight: Fraction

    @property
    def lost(self) -> Fraction:
        if self.verdict is Verdict.DOWN:
            return Fraction(1)
        return self.weight if self.verdict is Verdict.PARTIAL else Fraction(0)

    @property
    def place(self) -> tuple[int, Fraction]:
        return ORDER.index(
            self.verdict
        ), self.weight if self.verdict is Verdict.PARTIAL else Fraction(0)


Hour = tuple[Said, Said, Said]
said = st.builds(Said, st.sampled_from(ORDER), st.sampled_from(SHARES))


def in_order(three: tuple[Said, Said, Said]) -> Hour:
    """The verdict as attributed and its bounds: the evidence is the same in all three (S-8)."""
    if any(one.verdict is Verdict.UNKNOWN for one in three):
        unknown = Said(Verdict.UNKNOWN, Fraction(0))
        return unknown, unknown, unknown
    low, figure, high = sorted(three, key=lambda one: one.place)
    return figure, low, high


hours = st.lists(st.tuples(said, said, said).map(in_order), min_size=HOURS, max_size=HOURS)
checks = st.lists(hours, min_size=2, max_size=3)


def stretches(own: list[Hour]) -> list[Stretch]:
    return [
        Stretch(
            at, at + 1, figure.verdict, low.verdict, high.verdict,
            (figure.weight, low.weight, high.weight),
        )
        for at, (figure, low, high) in enumerate(own)
    ]  # fmt: skip


def timeline(listed: list[Stretch]) -> Timeline:
    return Timeline(Sets(listed), Counting())


@given(hours, st.integers(0, HOURS))
def test_p3_p4_p6_hold_where_time_counts_in_part(own: list[Hour], cut: int) -> None:
    drawn = timeline(stretches(own))
    whole, first, last = (
        account(drawn, span, span, [])
        for span in ([Interval(0, HOURS)], [Interval(0, cut)], [Interval(cut, HOURS)])
    )
    for bound in (FIGURE, LOW, HIGH):
        assert whole.spent_us[bound] == first.spent_us[bound] + last.spent_us[bound]
        assert whole.spent_us[bound] == sum(one[bound].lost for one in own)
    assert whole.spent_us[LOW] <= whole.spent_us[FIGURE] <= whole.spent_us[HIGH]
    assert sum(whole.by_verdict.values()) == HOURS


@given(checks, st.data())
def test_s49_p6_the_best_that_enough_of_them_are_with_bounds_that_hold(
    rows: list[list[Hour]], data: st.DataObject
) -> None:
    needed = data.draw(st.integers(1, len(rows)))
    found = combined([stretches(own) for own in rows], needed)
    span = [Interval(0, HOURS)]
    sums = account(timeline(found), span, span, [])
    expected = Fraction(0)
    for at in range(HOURS):
        states = sorted((own[at][FIGURE] for own in rows), key=lambda one: one.place)
        expected += states[needed - 1].lost
    assert sums.spent_us[FIGURE] == expected
    assert sums.spent_us[LOW] <= sums.spent_us[FIGURE] <= sums.spent_us[HIGH]


WEIGHTS = {2: [Fraction(2, 5), Fraction(3, 5)], 3: [Fraction(1, 7), Fraction(2, 7), Fraction(4, 7)]}


@given(checks)
def test_s49_weighted_accounts_are_the_weighted_sums(rows: list[list[Hour]]) -> None:
    weights = WEIGHTS[len(rows)]
    span = [Interval(0, HOURS)]
    accounts = [account(timeline(stretches(own)), span, span, []) for own in rows]
    portions = [Portion(*one) for one in zip(weights, accounts, strict=True)]
    whole = merged(portions)
    # P4: whole microseconds, that sum to the length all the same.
    assert sum(whole.by_verdict.values()) + whole.excluded_us + whole.out_of_schedule_us == HOURS
    for bound in (FIGURE, LOW, HIGH):
        lost = sum(
            (w * one[bound].lost for w, own in zip(weights, rows, strict=True) for one in own),
            Fraction(0),
        )
        assert whole.spent_us[bound] == lost
    assert whole.down.us() == whole.spent_us[FIGURE]
    # The timeline that is shown loses as much.
    drawn = weighted([stretches(own) for own in rows], weights)
    shown = account(timeline(drawn), span, span, [])
    assert shown.spent_us[FIGURE] == whole.spent_us[FIGURE]


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 9), st.sampled_from(SHARES)), max_size=6)
)
def test_times_that_overlap_add_up(drawn: list[tuple[int, int, Fraction]]) -> None:
    steps = [Weighed(at, at + long, weight / len(drawn)) for at, long, weight in drawn]
    found = weighed(steps)
    for at in range(30):
        here = sum((w for a, b, w in steps if a <= at < b), Fraction(0))
        assert found.between(at, at + 1).us() == here
