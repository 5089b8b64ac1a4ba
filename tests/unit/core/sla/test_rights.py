"""What follows from several periods: termination (X-65), earn-back, and the cap of a year."""

from fractions import Fraction
from typing import Any

import pytest

from controller.core.sla.money.credits import EarnBack
from controller.core.sla.money.rights import Past, capped_by_year, chains, credited_in, earned_back
from controller.core.sla.terms.contracts import Termination

TERMS = Termination(below="95", periods=3)
DAY = 86_400 * 1_000_000


def record(percent: str | None, verdict: str = "breached", **more: Any) -> dict[str, Any]:
    share = None if percent is None else Fraction(percent) / 100
    ratio = None if share is None else {"num": share.numerator, "den": share.denominator}
    return {
        "objective": "a", "verdict": verdict, "eligible": 30 * DAY, "attainment": ratio, "credits": None,
    } | more  # fmt: skip


def past(place: int, *records: dict[str, Any], is_over: bool = True) -> Past:
    return Past(f"2026-{place:02}", place * 30 * DAY, is_over, records)


def months(*percents: str | None) -> list[Past]:
    return [past(place, record(each)) for place, each in enumerate(percents, 1)]


def test_x65_three_months_running_below_give_the_right() -> None:
    (chain,) = chains(TERMS, ["a"], months("94.9", "94.99", "94.999999"))
    assert (chain.count, chain.arose_us) == (3, 3 * 30 * DAY)


def test_x65_exactly_the_bound_breaks_the_chain() -> None:
    (chain,) = chains(TERMS, ["a"], months("94.9", "95.000000", "94.9"))
    assert (chain.count, chain.arose_us) == (1, None)
    assert [one.is_below for one in chain.links] == [True, False, True]


def test_x65_a_longer_chain_gave_the_right_when_it_was_complete() -> None:
    (chain,) = chains(TERMS, ["a"], months("94", "94", "94", "94"))
    assert (chain.count, chain.arose_us) == (4, 3 * 30 * DAY)


def test_x65_a_period_that_is_not_judged_breaks_the_chain() -> None:
    unjudged = past(2, record(None, "insufficient_evidence"))
    (chain,) = chains(TERMS, ["a"], [past(1, record("94")), unjudged, past(3, record("94"))])
    assert (chain.count, chain.links[1].share) == (1, None)


def test_x65_a_period_that_runs_is_no_link_yet() -> None:
    running = past(3, record("10"), is_over=False)
    (chain,) = chains(TERMS, ["a"], [*months("94", "94"), running])
    assert (chain.count, chain.arose_us, len(chain.links)) == (2, None, 2)


def test_x65_segments_of_a_period_are_one_figure() -> None:
    halves = past(1, record("90", eligible=10 * DAY), record("99", eligible=20 * DAY))
    (chain,) = chains(TERMS, ["a"], [halves])
    assert chain.links[0].share == Fraction(96, 100)
    assert chain.plain["chain"] == [
        {"label": "2026-01", "attainment": {"num": 24, "den": 25}, "below": False}
    ]


def test_x65_each_objective_has_a_chain_of_its_own_unless_one_is_named() -> None:
    found = chains(TERMS, ["a", "b"], [past(1, record("94"), record("99", objective="b"))])
    assert [(one.objective, one.count) for one in found] == [("a", 1), ("b", 0)]
    named = Termination(below="95", periods=1, objective="b")
    assert [one.objective for one in chains(named, ["a", "b"], months("94"))] == ["b"]


@pytest.mark.parametrize(
    ("verdicts", "standing", "last"),
    [
        (["met", "met", "breached"], "earned_back", "what was taken is given back"),
        (["met", "breached"], "lost", "what was taken is not given back"),
        (["insufficient_evidence", "met"], "lost", "what was taken is not given back"),
        (["met"], "open", "1 more to be met"),
        ([], "open", "2 more to be met"),
    ],
)
def test_s50_what_was_taken_is_earned_back(verdicts: list[str], standing: str, last: str) -> None:
    later = [past(place, record("99", each)) for place, each in enumerate(verdicts, 2)]
    found = earned_back(EarnBack(periods=2), "a", later)
    assert (found.standing, found.steps[-1]) == (standing, last)


def test_s50_a_period_that_runs_gives_nothing_back_yet() -> None:
    later = [past(2, record("99", "met")), past(3, record("99", "met"), is_over=False)]
    assert earned_back(EarnBack(periods=2), "a", later).standing == "open"


@pytest.mark.parametrize(
    ("amount", "earlier", "paid", "steps"),
    [
        ("100", [], "100", ["cap of the year 250 EUR; credited in it before: nothing; left 250"]),
        ("100", ["150"], "100", ["cap of the year 250 EUR; credited in it before: 2026-01 150; left 100"]),
        ("100", ["150", "60.50"], "39.5", [
            "cap of the year 250 EUR; credited in it before: 2026-01 150, 2026-02 60.5; left 39.5",
            "capped to what is left of the year: 39.5 EUR",
        ]),
        ("100", ["300"], "0", [
            "cap of the year 250 EUR; credited in it before: 2026-01 300; left 0",
            "capped to what is left of the year: 0 EUR",
        ]),
    ],
)  # fmt: skip
def test_s50_the_cap_of_a_year(
    amount: str, earlier: list[str], paid: str, steps: list[str]
) -> None:
    listed = [(f"2026-{place:02}", Fraction(each)) for place, each in enumerate(earlier, 1)]
    found = capped_by_year("250", Fraction(amount), listed, "EUR")
    assert found.amount == Fraction(paid)
    assert list(found.steps) == steps


def test_what_a_period_credits_is_what_its_records_show() -> None:
    credit = {"amount": "10.50", "currency": "EUR", "steps": []}
    assert credited_in([record("94", credits=credit), record("94", credits=credit)]) == 21
    assert credited_in([record("94")]) == 0
