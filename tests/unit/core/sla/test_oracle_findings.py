"""What a second implementation of the accounts found wrong in the first, each by itself."""

from fractions import Fraction
from typing import Any

import pytest

from controller.core.calendars import period_named
from controller.core.fleet import Fleet, read_fleet
from controller.core.quorum import Verdict
from controller.core.replay import Replay, ReplayedCheck, ReplayedInterval, ReplayedOutage
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.attainment import decimal_text, shown_percent
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.composites import down_times
from controller.core.sla.reports.records import observed_in, records
from tests.unit.core.sla.contracting import HEAD, SECOND, TIME, fleet, seconds, told

HOUR = 3600 * SECOND
JUNE = period_named("2026-06", "UTC").from_us


def exclusion(name: str, from_us: int, to_us: int) -> str:
    return f"  - {{id: {name}, type: scheduled, from: {from_us}, to: {to_us}, declared_at: 0, by: ada}}\n"


def replayed(
    file: Fleet, *spans: tuple[int, int, Verdict], ended: int | None, as_of: int
) -> dict[str, Any]:
    """The record of June by a replay document of these spans and one outage, as of an instant."""
    intervals = [ReplayedInterval(JUNE + a, JUNE + b, verdict) for a, b, verdict in spans]
    (start,) = (a for a, _, verdict in spans if verdict is Verdict.DOWN)
    outage = ReplayedOutage(JUNE + start, None if ended is None else JUNE + ended, 0, 0)
    check = ReplayedCheck(intervals, 0, 0, 0, [outage], intervals, intervals)
    end = intervals[-1].end
    document = Replay(1, JUNE, end, end, {"c": check})
    contract = file.contracts["k"]
    observed = observed_in(document, file, contract.scope)
    (found,) = records(contract, period_named("2026-06", "UTC"), observed, JUNE + as_of)
    return found


UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("as_of", "mttr"),
    [
        pytest.param(2 * HOUR, None, id="it goes on"),
        pytest.param(3 * HOUR + 1, None, id="nothing known has followed"),
        pytest.param(5 * HOUR, 2 * HOUR, id="it is over"),
    ],
)
def test_s21_an_outage_has_no_end_before_it_was_known(as_of: int, mttr: int | None) -> None:
    spans = [(0, HOUR, UP), (HOUR, 3 * HOUR, DOWN), (3 * HOUR, 4 * HOUR, UNKNOWN), (4 * HOUR, 9 * HOUR, UP)]  # fmt: skip
    found = replayed(fleet(TIME), *spans, ended=3 * HOUR, as_of=as_of)
    assert found["mttr"] == mttr


def test_s21_a_short_time_is_not_long_because_of_what_came_later() -> None:
    """Ten minutes of an hour have passed; nobody knows yet that it will be long enough to count."""
    file = fleet("outage: {min_duration: 30m}", TIME)
    spans = [(0, HOUR, UP), (HOUR, 2 * HOUR, DOWN), (2 * HOUR, 9 * HOUR, UP)]
    early = replayed(file, *spans, ended=2 * HOUR, as_of=HOUR + HOUR // 6)
    assert seconds(early, "downtime", "down") == [0, 600]
    assert seconds(replayed(file, *spans, ended=2 * HOUR, as_of=8 * HOUR), "downtime") == [3600]


def test_s27_time_before_the_contract_uses_up_no_cap() -> None:
    own = exclusion("early", JUNE, JUNE + 2 * HOUR) + exclusion(
        "later", JUNE + 240 * HOUR, JUNE + 242 * HOUR
    )
    file = fleet(
        "exclusions: {scheduled: {cap: 2h}}", TIME, more=f"exclusions:\n{own}",
        effective="2026-06-05T00:00:00Z",
    )  # fmt: skip
    (found,) = told(file, "2026-06", ("2026-06-11T00:00:00Z", "2026-06-11T02:00:00Z"))
    assert [(one["id"], one["status"], one["applied"]) for one in found["exclusions"]] == [
        ("later", "applied", 2 * HOUR)
    ]
    assert found["downtime"] == 0


AMENDMENT = "  - id: k\n    effective_from: 2026-03-16T00:00:00Z\n    objectives: [{id: a, target: '99.8'}]\n"


def test_s31_s32_time_before_the_contract_goes_to_one_target_of_a_blend() -> None:
    """Ten days before it and five in force at 99.9; sixteen at 99.8."""
    terms = "period: {denominator: full_period}"
    file = fleet(
        terms, "amendments: blended", TIME, more=AMENDMENT, effective="2026-03-11T00:00:00Z"
    )
    (found,) = told(file, "2026-03")
    assert seconds(found, "eligible") == [31 * 86_400]
    expected = (Fraction("99.9") * 15 + Fraction("99.8") * 16) / 31
    assert Fraction(found["target"]) == expected // Fraction(1, 10**9) * Fraction(1, 10**9)


def test_s31_a_month_that_runs_has_no_thirty_days_yet() -> None:
    """On the first of March there is no day to be taken away from it."""
    file = fleet("period: {denominator: fixed_30d}", TIME)
    (found,) = told(file, "2026-03", as_of="2026-03-01T12:00:00Z")
    assert seconds(found, "eligible", "budget") == [43_200, 2_592]
    assert seconds(told(file, "2026-03")[0], "eligible") == [30 * 86_400]


def test_s32_the_fee_of_a_segment_is_its_part_of_the_whole_period_while_that_runs() -> None:
    terms = "credits: {fee: '3100', currency: EUR, tiers: [{below: '99.9', percent: '100'}]}"
    file = fleet(terms, TIME, more=AMENDMENT)
    (found,) = told(
        file,
        "2026-03",
        ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
        as_of="2026-03-10T00:00:00Z",
    )
    assert found["credits"]["amount"] == "1500.00"


def test_s31_a_day_that_two_targets_share_is_a_whole_day_of_their_blend() -> None:
    terms = "period: {kind: month, tz: Europe/Warsaw, denominator: nominal_days}"
    amendment = AMENDMENT.replace("2026-03-16T00:00:00Z", "2026-03-29T12:00:00Z")
    file = fleet(terms, "amendments: blended", TIME, more=amendment)
    assert seconds(told(file, "2026-03")[0], "eligible") == [31 * 86_400]


def test_s34_attainment_is_not_below_nothing() -> None:
    file = fleet("period: {denominator: fixed_30d}", TIME)
    (found,) = told(file, "2026-03", ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"))
    assert seconds(found, "eligible", "downtime") == [30 * 86_400, 31 * 86_400]
    assert (found["attainment"], found["attainment_shown"]) == ({"num": 0, "den": 1}, "0.000")


def test_s46_mtbf_is_of_the_downtime_that_is_shown() -> None:
    objective = 'objectives: [{id: a, target: "99.9", unknown: as_down}]'
    (found,) = told(
        fleet(objective), "2026-06",
        ("2026-06-02T00:00:00Z", "2026-06-02T01:00:00Z"),
        ("2026-06-03T00:00:00Z", "2026-06-03T01:00:00Z", Verdict.UNKNOWN),
    )  # fmt: skip
    assert found["outages"] == 1
    assert found["mtbf"] == found["eligible"] - found["downtime"]
    assert seconds(found, "downtime") == [7_200]


def test_s50_partial_time_is_of_no_outage_that_was_over() -> None:
    """An hour in which part of the regions was down, a day after: it counts, but in no block of the outage."""
    text = """\
version: 1
regions: [{id: a}, {id: b}]
services: [{id: s}]
checks: [{id: c, service: s, every: 60s, quorum: {partial_weight: "1"}, http: {url: "http://x.example/"}}]
contracts:
  - id: k
    effective_from: 0
    scope: {checks: [c]}
    objectives: [{id: a, target: "99.9"}]
    credits: {fee: "1000", currency: EUR, blocks: {percent: "5", per: 30m, over: 60m}}
"""
    spans = [
        (0, HOUR, UP), (HOUR, 2 * HOUR, DOWN), (2 * HOUR, 26 * HOUR, UP), (26 * HOUR, 28 * HOUR, Verdict.PARTIAL),
        (28 * HOUR, 720 * HOUR, UP),
    ]  # fmt: skip
    file = read_fleet(text.encode(), "fleet.yaml")
    found = replayed(file, *spans, ended=2 * HOUR, as_of=720 * HOUR)
    assert seconds(found, "downtime") == [3 * 3600]
    assert found["credits"]["amount"] == "0.00"


def test_s49_the_outage_of_a_composite_ends_when_something_known_follows() -> None:
    def line(*verdicts: Verdict) -> list[Stretch]:
        return [Stretch(n * 10, n * 10 + 10, *(v,) * 3) for n, v in enumerate(verdicts)]

    assert down_times(line(UP, DOWN, UP)) == [(10, 20)]
    assert down_times(line(UP, DOWN, UNKNOWN)) == [(10, None)]
    assert down_times(line(DOWN, UNKNOWN, DOWN)) == [(0, 10), (20, None)]


def test_s45_a_season_that_does_not_hold_now_is_projected_from_now() -> None:
    """As of the 15th, in the middle of a season: the rest of the month was last in force on the 10th."""
    season = "overlays: [{from: '2026-06-10T00:00:00Z', to: '2026-06-20T00:00:00Z', objective: a, target: '99'}]"
    rest, _ = told(
        fleet(season, TIME), "2026-06", ("2026-06-09T23:59:00Z", "2026-06-10T00:00:00Z"),
        as_of="2026-06-10T01:00:00Z",
    )  # fmt: skip
    at_us = rest["burn"]["exhausted_at"]
    left_us = (Fraction(1, 1000) * 20 * 86_400 * SECOND - 60 * SECOND) * 5 * 60
    assert at_us == JUNE + 217 * HOUR + left_us // 1


def test_p6_more_downtime_is_not_found_too_short() -> None:
    """Ten minutes in which part of the regions was down, which count; at most it was all of them."""
    head = HEAD.replace("{effective}", "0").replace(
        "http:", 'quorum: {partial_weight: "1"}, http:', 1
    )
    text = f"{head}    outage: {{min_duration: 30m}}\n    {TIME}\n"
    file = read_fleet(text.encode(), "fleet.yaml")
    partial = [ReplayedInterval(JUNE, JUNE + HOUR, Verdict.PARTIAL)]
    down = [
        ReplayedInterval(JUNE, JUNE + HOUR // 6, Verdict.DOWN),
        ReplayedInterval(JUNE + HOUR // 6, JUNE + HOUR, Verdict.PARTIAL),
    ]
    check = ReplayedCheck(partial, 0, 0, 0, [], partial, down)
    document = Replay(1, JUNE, JUNE + HOUR, JUNE + HOUR, {"c": check})
    contract = file.contracts["k"]
    observed = observed_in(document, file, contract.scope)
    (found,) = records(contract, period_named("2026-06", "UTC"), observed, JUNE + HOUR)
    assert seconds(found, "downtime", "downtime_min", "downtime_max") == [3600, 3600, 3600]


def test_s40_what_is_down_by_itself_is_not_carried_on_besides() -> None:
    """Of a series one member may be UNKNOWN while, where most is assumed, another is DOWN."""
    objective = 'objectives: [{id: a, target: "99.9", unknown: carry(5m), min_coverage: "0"}]'
    file = fleet(objective)
    stretches = [
        Stretch(JUNE, JUNE + 100 * SECOND, DOWN, DOWN, DOWN),
        Stretch(JUNE + 100 * SECOND, JUNE + 200 * SECOND, UNKNOWN, UNKNOWN, DOWN),
        Stretch(JUNE + 200 * SECOND, JUNE + 900 * SECOND, UP, UP, UP),
    ]
    period = period_named("2026-06", "UTC")
    (found,) = records(file.contracts["k"], period, Observed(stretches), JUNE + 900 * SECOND)
    assert seconds(found, "downtime", "downtime_min", "downtime_max") == [200, 200, 200]


def test_s36_a_minute_in_which_two_targets_meet_is_one_minute() -> None:
    """An hour of failure, in the middle of a minute of which the contract is amended: all of it burns."""
    objective = 'objectives: [{id: a, target: "99.9", formula: minute, mode: whole}]'
    amendment = "  - {id: k, effective_from: '2026-06-10T00:30:30Z', title: new}\n"
    (found,) = told(
        fleet("amendments: blended", objective, more=amendment), "2026-06",
        ("2026-06-10T00:00:00Z", "2026-06-10T01:00:00Z"), as_of="2026-06-10T01:00:00Z",
    )  # fmt: skip
    assert found["burn"]["alerts"][0]["rate"] == {"num": 1000, "den": 1}


def test_p8_a_blend_that_was_missed_by_a_moment_does_not_look_met() -> None:
    """The mean of two targets has no last digit; a microsecond below it has the same first nine."""
    target = (Fraction("0.999") * 14 + Fraction("0.998") * 16) / 30 - Fraction(1, 3 * 10**12)
    attained = target - Fraction(1, 10**13)
    text = decimal_text(target, attained)
    shown = shown_percent(attained, text)
    assert shown is not None
    assert Fraction(shown) < Fraction(text)
    assert Fraction(str(shown_percent(target, decimal_text(target, target)))) >= Fraction(
        decimal_text(target, target)
    )
