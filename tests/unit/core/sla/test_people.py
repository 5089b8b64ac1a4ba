"""Objectives that people keep (S-47): in contracts, in records, and in words."""

from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.cli.sla.timers import timer_lines
from controller.core.instants import instant
from controller.core.severity import Severity
from controller.core.sla.figures.reliability import OutageTimes
from tests.unit.core.sla.contracting import TIME, fleet, told
from vedette.shared.documents import BadDocument

DAY = "2026-06-10T"
P1 = "objectives: [{id: ack, metric: acknowledge, severity: P1, target: 15m}]"
P3 = (
    "objectives: [{id: fix, metric: resolve, severity: [P3, P4], target: 4h, calendar:"
    " {weekly: {mon: [08:00-18:00], tue: [08:00-18:00], wed: [08:00-18:00], thu: [08:00-18:00],"
    " fri: [08:00-18:00]}}}]"
)


def outage(
    began: str, acked: str | None = None, ended: str | None = None, handle: str = "OUT-4"
) -> OutageTimes:
    began_us = instant(DAY + began)
    return OutageTimes(
        began_us,
        None if ended is None else instant(DAY + ended),
        began_us,
        None,
        None if acked is None else instant(DAY + acked),
        handle=handle,
        check="c",
        severity=Severity.P1,
    )


def record(*clauses: str, timed: list[OutageTimes] | None, as_of: str = "") -> dict[str, Any]:
    (found,) = told(fleet(*clauses), "2026-06", timed=timed, as_of=as_of)
    return found


def words(found: dict[str, Any]) -> list[str]:
    return list(timer_lines(found, ZoneInfo("UTC")))


def test_s47_a_record_has_the_share_of_timers_that_were_met() -> None:
    timed = [
        outage("10:00:00Z", "10:12:00Z"),
        outage("12:00:00Z", "12:16:00Z", handle="OUT-5"),
        outage("13:00:00Z", "13:15:00Z", handle="OUT-6"),
    ]
    found = record(P1, timed=timed)
    assert found["attainment"] == {"num": 2, "den": 3}
    assert (found["target"], found["verdict"]) == ("15m", "breached")
    assert [one["state"] for one in found["timers"]] == ["met", "breached", "met"]
    assert words(found) == [
        "OUT-4 P1 acknowledged after 12m of 15m",
        "OUT-5 P1 acknowledged after 16m, promised were 15m",
        "OUT-6 P1 acknowledged after 15m of 15m",
    ]
    assert found["up"] == 30 * 86_400_000_000, "the time beside it sums to the period"


def test_s47_a_promise_may_be_of_most_timers() -> None:
    terms = "objectives: [{id: ack, metric: acknowledge, severity: P1, target: 15m, percent: '50'}]"
    timed = [outage("10:00:00Z", "10:12:00Z"), outage("12:00:00Z", "12:16:00Z", handle="OUT-5")]
    assert record(terms, timed=timed)["verdict"] == "met"


def test_s47_where_nothing_was_asked_of_people_the_promise_was_kept() -> None:
    found = record(P1, timed=[])
    assert (found["attainment"], found["verdict"], found["timers"]) == (None, "met", [])


def test_s47_what_people_did_is_no_evidence_where_nobody_knows_it() -> None:
    span = (f"{DAY}10:00:00Z", f"{DAY}10:05:00Z")
    (found,) = told(fleet(P1), "2026-06", span, timed=None)
    assert (found["attainment"], found["verdict"]) == (None, "insufficient_evidence")
    assert found["timers"] is None
    assert words(found) == ["not judged: what people did is not known here"]


def test_s47_a_timeline_without_outages_asks_nothing_of_people() -> None:
    found = record(P1, timed=None)
    assert (found["verdict"], found["timers"]) == ("met", [])
    regional = record(P3, timed=None)
    assert regional["verdict"] == "insufficient_evidence", "it does not tell of single regions"


def test_s47_a_timer_that_runs_is_not_decided() -> None:
    found = record(P1, timed=[outage("10:00:00Z")], as_of=f"{DAY}10:05:00Z")
    assert (found["attainment"], found["verdict"]) == (None, "met")
    assert words(found) == ["OUT-4 P1 to be acknowledged within 10m, by 2026-06-10T10:15:00Z"]
    late = record(P1, timed=[outage("10:00:00Z")], as_of=f"{DAY}10:15:01Z")
    assert (late["attainment"], late["verdict"]) == ({"num": 0, "den": 1}, "breached")
    assert words(late) == [
        "OUT-4 P1 not acknowledged: the 15m were used up at 2026-06-10T10:15:00Z"
    ]


def test_s47_support_time_is_named_as_such() -> None:
    one = outage("15:50:00Z")._replace(severity=Severity.P3, region="a")
    found = record(P3, timed=[one], as_of=f"{DAY}20:00:00Z")
    assert words(found) == [
        "OUT-4 P3 in a to be resolved within 1h 50m of support time, by 2026-06-11T09:50:00Z"
    ]


def test_s47_an_outage_belongs_to_where_it_begins() -> None:
    before = OutageTimes(
        instant("2026-05-31T23:50:00Z"),
        detected_us=instant("2026-06-01T00:05:00Z"),
        handle="OUT-1",
        check="c",
        severity=Severity.P1,
    )
    assert record(P1, timed=[before])["timers"] == []


def test_s47_little_evidence_keeps_no_promise_and_breaks_one() -> None:
    """Unknown time leaves open whether there were more outages; one that was missed was missed."""
    unknown = [(f"{DAY}00:00:00Z", "2026-06-30T00:00:00Z")]
    (kept,) = told(fleet(P1), "2026-06", timed=[], unknown=unknown)
    assert kept["verdict"] == "insufficient_evidence"
    late = outage("00:00:00Z", "01:00:00Z")
    (broken,) = told(fleet(P1), "2026-06", timed=[late], unknown=unknown)
    assert broken["verdict"] == "breached"


def test_s47_exclusions_stop_the_clock_and_a_pool_pays_for_what_was_missed() -> None:
    more = (
        "exclusions:\n  - {id: m, type: scheduled, from: '2026-06-10T10:05:00Z', to:"
        " '2026-06-10T10:10:00Z', declared_at: 0, by: ada}\n"
    )
    credit = (
        "credits: {fee: '100.00', currency: EUR, at_risk: {percent: '10', allocations:"
        " {ack: '100'}}}"
    )
    one = outage("10:00:00Z", "10:20:00Z")
    (spared,) = told(fleet(P1, credit, more=more), "2026-06", timed=[one])
    assert (spared["timers"][0]["elapsed"], spared["verdict"]) == (15 * 60_000_000, "met")
    assert spared["credits"]["amount"] == "0.00"
    (missed,) = told(fleet(P1, credit), "2026-06", timed=[one])
    assert missed["credits"]["amount"] == "10.00"
    tiers = "credits: {fee: '100.00', currency: EUR, tiers: [{below: '99', percent: '10'}]}"
    (none,) = told(fleet(P1, tiers), "2026-06", timed=[one])
    assert (none["verdict"], none["credits"]) == ("breached", None), "tiers are of time"


def test_s47_an_amendment_holds_for_what_begins_after_it() -> None:
    later = (
        "  - id: k\n    effective_from: '2026-06-10T11:00:00Z'\n    objectives:"
        " [{id: ack, metric: acknowledge, severity: P1, target: 5m}]\n"
    )
    file = fleet(P1, more=later)
    timed = [outage("10:00:00Z", "10:12:00Z"), outage("12:00:00Z", "12:12:00Z", handle="OUT-5")]
    before, after = told(file, "2026-06", timed=timed)
    assert (before["target"], before["verdict"]) == ("15m", "met")
    assert (after["target"], after["verdict"]) == ("5m", "breached")


@pytest.mark.parametrize(
    ("objective", "where", "expected"),
    [
        ("severity: P5, target: 15m", "objectives[0].severity", "P5"),
        ("severity: [], target: 15m", "objectives[0].severity", "at least one of P1"),
        ("severity: P1, target: 0s", "objectives[0].target", "more than 0s"),
        ("severity: P1, target: 400d", "objectives[0].target", "at most 366d"),
        ("severity: P1, target: '99.9'", "objectives[0].target", "duration"),
        ("severity: P1, target: 1h, percent: '101'", "objectives[0].percent", "at most 100"),
        ("severity: P1, target: 1h, start: noticed_at", "objectives[0].start", "noticed_at"),
        ("severity: P1, target: 1h, reopen_window: 31d", "objectives[0].reopen_window", "30d"),
        (
            "severity: P1, target: 1h, calendar: {weekly: {mon: [18:00-08:00]}}",
            "objectives[0].calendar.weekly.mon",
            "local times",
        ),
        ("severity: P1, target: 1h, formula: minute", "objectives[0]", "formula"),
        ("target: 1h", "objectives[0]", "severity"),
    ],
)
def test_s47_what_cannot_be_promised(objective: str, where: str, expected: str) -> None:
    with pytest.raises(BadDocument) as refused:
        fleet(f"objectives: [{{id: ack, metric: acknowledge, {objective}}}]")
    assert where in str(refused.value)
    assert expected in str(refused.value)


def test_s47_a_season_has_no_other_time_for_people() -> None:
    season = "overlays: [{from: 1, to: 2, objective: ack, target: '99'}]"
    with pytest.raises(BadDocument, match="an objective whose target is a percentage"):
        fleet(P1, season)


def test_s46_means_of_detection_and_of_acknowledgement() -> None:
    first, second = (instant(f"{DAY}10:00:00Z"), instant(f"{DAY}12:00:00Z"))
    minute = 60_000_000
    times = [
        OutageTimes(
            first, first + 9 * minute, first + minute, first + 2 * minute, first + 5 * minute
        ),
        OutageTimes(second, second + 9 * minute, second + 4 * minute, second + 4 * minute),
    ]
    spans = [(f"{DAY}10:00:00Z", f"{DAY}10:09:00Z"), (f"{DAY}12:00:00Z", f"{DAY}12:09:00Z")]
    (found,) = told(fleet(TIME), "2026-06", *spans, times=times)
    assert found["mttd"] == Fraction(1 + 4, 2) * minute
    assert found["mtta"] == 3 * minute, "of those that were acknowledged"
