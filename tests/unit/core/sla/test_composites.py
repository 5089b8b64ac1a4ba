"""Composites (S-49) by their published vectors."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.calendars import period_named
from controller.core.fleet import Fleet, read_fleet
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.composites import combined, timed_of
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.reports.records import Known, observed_from, records
from controller.core.sla.terms.scopes import Scope
from vedette.shared.documents import BadDocument

SECOND = 1_000_000
JUNE = period_named("2026-06", "UTC")
UP, DEGRADED, PARTIAL, UNKNOWN, DOWN = (
    Verdict.UP, Verdict.DEGRADED, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.DOWN,
)  # fmt: skip
CHECKS = "".join(
    f'  - {{id: {name}, service: s, every: 60s, http: {{url: "http://x.example/"}}{more}}}\n'
    for name, more in (("a", ""), ("b", ""), ("c", ""), ("w", ', quorum: {partial_weight: "1"}'))
)


def fleet(scope: str, more: str = "") -> Fleet:
    text = f"""\
version: 1
regions: [{{id: r1}}, {{id: r2}}]
services: [{{id: s}}]
checks:
{CHECKS}contracts:
  - id: k
    effective_from: 0
    scope: {scope}
    objectives: [{{id: a, target: "99.9"}}]
    acknowledge_unmeasurable: true
{more}"""
    return read_fleet(text.encode(), "fleet.yaml")


def known(first: int, last: int) -> Known:
    """A check that was DOWN between these seconds of June."""
    cuts = [JUNE.from_us, JUNE.from_us + first * SECOND, JUNE.from_us + last * SECOND, JUNE.to_us]
    listed = [
        Stretch(cuts[n], cuts[n + 1], *((UP, DOWN, UP)[n],) * 3)
        for n in range(3)
        if cuts[n] < cuts[n + 1]
    ]
    return Known(listed, [OutageTimes(cuts[1], cuts[2])])


PARTS = ("up", "down", "partial", "degraded", "unknown", "excluded", "out_of_schedule")
EXCLUSION = "exclusions: [{{id: e, type: scheduled, from: {}, to: {}, declared_at: 0, by: ada, scope: {}}}]\n"
OF = {"a": known(0, 600), "b": known(300, 900), "c": known(500, 700), "w": known(0, 600)}


def told(file: Fleet) -> dict[str, Any]:
    agreement = file.contracts["k"]
    observed = observed_from([OF[m] for m in agreement.scope.members], file, agreement.scope)
    (found,) = records(agreement, JUNE, observed, JUNE.to_us)
    return found


@pytest.mark.parametrize(
    ("scope", "downtime", "shown"),
    [
        ("{series: [a, b]}", 900, "99.965"),
        ("{checks: [a, b]}", 900, "99.965"),
        ("{parallel: [a, b]}", 300, "99.988"),
        ("{k_of_n: {k: 2, of: [a, b, c]}}", 400, "99.984"),
        ("{parallel: [c]}", 200, "99.992"),
    ],
)
def test_x46_series_parallel_and_some_of_many(scope: str, downtime: int, shown: str) -> None:
    found = told(fleet(scope))
    assert (found["downtime"], found["attainment_shown"]) == (downtime * SECOND, shown)
    assert found["outages"] == 1


def test_x48_a_weighted_composite_is_the_weighted_sum() -> None:
    file = fleet('{weighted: {a: "0.5", b: "0.3", c: "0.2"}}')
    scope = file.contracts["k"].scope
    members = [known(0, 900), known(0, 0), known(0, 2592)]
    (found,) = records(file.contracts["k"], JUNE, observed_from(members, file, scope), JUNE.to_us)
    assert found["attainment_shown"] == "99.962"
    assert Fraction(*found["attainment"].values()) == 1 - Fraction(9684, 25_920_000)
    assert found["downtime"] == 968_400_000
    assert sum(found[part] for part in PARTS) == JUNE.to_us - JUNE.from_us
    assert [one["downtime"] // SECOND for one in found["members"]] == [900, 0, 2592]
    assert found["budget_left"] == 2_592_000_000 - 968_400_000


def told_weighted(members: Sequence[Known], more: str = "") -> dict[str, Any]:
    """The record of June of halves of two checks."""
    file = fleet('{weighted: {a: "0.5", b: "0.5"}}', more)
    observed = observed_from(members, file, file.contracts["k"].scope)
    (found,) = records(file.contracts["k"], JUNE, observed, JUNE.to_us)
    return found


def only(last: int) -> Known:
    """A check of which only so many seconds from the begin of June are known: it was UP."""
    to_us = JUNE.from_us + last * SECOND
    return Known([Stretch(JUNE.from_us, to_us, UP, UP, UP)] if last else [], [])


def test_s49_what_is_not_known_of_a_member_weighs_as_it_does() -> None:
    month = (JUNE.to_us - JUNE.from_us) // SECOND
    found = told_weighted([known(0, 900), only(month * 9 // 10)])
    assert found["coverage"] == {"num": 19, "den": 20}
    shares = {
        name: Fraction(*one["attainment"].values()) for name, one in found["variants"].items()
    }
    assert shares["as_up"] - shares["as_down"] == 1 - Fraction(19, 20)
    assert shares["exclude"] == 1 - Fraction(900, month) / 2
    assert found["verdict"] == "met"


def test_s49_without_any_evidence_of_a_member_there_is_no_figure() -> None:
    found = told_weighted([known(0, 900), only(0)])
    assert (found["attainment"], found["verdict"]) == (None, "insufficient_evidence")


@pytest.mark.parametrize(
    ("scope", "downtime", "applied"),
    [("all", 0, 900), ("{checks: [a]}", 450, 450), ("{checks: [b]}", 450, 450), ("{checks: [c]}", 900, None)],
)  # fmt: skip
def test_s49_an_exclusion_covers_the_members_that_it_names(
    scope: str, downtime: int, applied: int | None
) -> None:
    more = EXCLUSION.format(JUNE.from_us, JUNE.from_us + 900 * SECOND, scope)
    found = told_weighted([known(0, 900), known(0, 900)], more)
    assert found["downtime"] == downtime * SECOND
    assert [one["applied"] for one in found["exclusions"]] == (
        [] if applied is None else [applied * SECOND]
    )
    assert sum(found[part] for part in PARTS) == JUNE.to_us - JUNE.from_us


def test_s14_members_may_weigh_partial_time_differently() -> None:
    third = (Fraction(1, 3),) * 3
    a = Stretch(JUNE.from_us, JUNE.to_us, PARTIAL, PARTIAL, PARTIAL, third)
    b = Stretch(JUNE.from_us, JUNE.to_us, PARTIAL, PARTIAL, PARTIAL)
    for needed, weight in ((1, Fraction(0)), (2, Fraction(1, 3))):
        (found,) = combined([[a], [b]], needed)
        assert (found.verdict, found.weights[0]) == (PARTIAL, weight)


@pytest.mark.parametrize(
    ("members", "needed", "expected"),
    [
        ([UP, UNKNOWN], 2, UNKNOWN),
        ([DOWN, UNKNOWN], 2, DOWN),
        ([UP, UNKNOWN], 1, UP),
        ([UP, UNKNOWN, DOWN], 2, UNKNOWN),
        ([DEGRADED, PARTIAL], 2, PARTIAL),
        ([DEGRADED, PARTIAL], 1, DEGRADED),
    ],
)
def test_x47_what_is_not_known(members: Sequence[Verdict], needed: int, expected: Verdict) -> None:
    listed = [[Stretch(0, 10, *(verdict,) * 3)] for verdict in members]
    assert combined(listed, needed) == [Stretch(0, 10, *(expected,) * 3)]


def test_a_member_that_says_nothing_is_unknown_there() -> None:
    up = Stretch(0, 30, UP, UP, UP)
    holed = [Stretch(0, 10, UP, UP, UP), Stretch(20, 30, UP, UP, UP)]
    assert [(one.from_us, one.to_us, one.verdict) for one in combined([[up], holed], 2)] == [
        (0, 10, UP), (10, 20, UNKNOWN), (20, 30, UP),
    ]  # fmt: skip
    assert combined([[up], holed], 1) == [up]


@given(
    st.lists(
        st.lists(st.sampled_from(list(Verdict)), min_size=6, max_size=6), min_size=1, max_size=4
    ),
    st.data(),
)
def test_at_every_instant_it_is_the_best_that_enough_of_them_are(
    rows: list[list[Verdict]], data: st.DataObject
) -> None:
    needed = data.draw(st.integers(1, len(rows)))
    order = [UP, DEGRADED, PARTIAL, UNKNOWN, DOWN]
    members = [[Stretch(n, n + 1, *(v,) * 3) for n, v in enumerate(row)] for row in rows]
    found = combined(members, needed)
    for at in range(6):
        (here,) = (one for one in found if one.from_us <= at < one.to_us)
        assert here.verdict is sorted((row[at] for row in rows), key=order.index)[needed - 1]


@pytest.mark.parametrize(
    ("scope", "downtime"),
    [("all", 0), ("{services: [s]}", 0), ("{checks: [a, b]}", 0), ("{checks: [a]}", 300)],
)
def test_an_exclusion_counts_where_it_covers_all_of_a_composite(scope: str, downtime: int) -> None:
    more = EXCLUSION.format(JUNE.from_us, JUNE.to_us - 1, scope)
    assert told(fleet("{parallel: [a, b]}", more))["downtime"] == downtime * SECOND


@pytest.mark.parametrize(
    ("scope", "problem"),
    [
        ("{series: [a], parallel: [b]}", "scope: expected one of checks, series, parallel, k_of_n and weighted"),
        ("{}", "scope: expected one of checks, series, parallel, k_of_n and weighted"),
        ("{series: [a, x]}", "scope.series[1]: expected a check of this file, found 'x'"),
        ("{series: [a, a]}", "scope.series[1]: expected each check once"),
        ("{k_of_n: {k: 3, of: [a, b]}}", "scope.k_of_n.k: expected at most as many as there are checks (2)"),
        ("{weighted: {a: '0.5'}}", "scope.weighted: expected weights that sum to exactly 1, found 0.5"),
        ("{weighted: {a: '1', b: '0'}}", "scope.weighted.b: expected a weight above 0, found '0'"),
        ("{weighted: {a: '0.5', x: '0.5'}}", "scope.weighted.x: expected a check of this file, found 'x'"),
        ("{weighted: {a: 0.5, b: 0.5}}", "scope.weighted: expected each value to be a weight in quotes, a share of 1"),
    ],
)  # fmt: skip
def test_scopes_that_cannot_be_computed_are_refused(scope: str, problem: str) -> None:
    with pytest.raises(BadDocument) as caught:
        fleet(scope)
    assert problem in str(caught.value)


def test_s47_an_outage_that_the_others_make_up_for_starts_no_timer() -> None:
    """Of a parallel pair only what takes both concerns people, and from then on; of a series, each."""
    day = 86_400 * SECOND
    stretches = [Stretch(0, 5 * day, UP, UP, UP), Stretch(5 * day, 6 * day, DOWN, DOWN, DOWN)]
    members = [
        [OutageTimes(1 * day, 2 * day, 1 * day, handle="OUT-1", check="a")],
        [
            OutageTimes(4 * day, 6 * day, 4 * day, handle="OUT-2", check="b"),
            OutageTimes(5 * day, 6 * day, 5 * day + 1, handle="OUT-3", check="b"),
        ],
    ]
    found = timed_of(members, stretches, Scope(parallel=["a", "b"]))
    assert found is not None
    assert [(one.handle, one.started_us, one.detected_us) for one in found] == [
        ("OUT-2", 5 * day, 5 * day),
        ("OUT-3", 5 * day, 5 * day + 1),
    ]
    series = timed_of(members, stretches, Scope(series=["a", "b"]))
    assert series == [one for own in members for one in own]
    assert timed_of([members[0], None], stretches, Scope(series=["a", "b"])) is None
