"""Exclusions at their edges (S-25 to S-28): approvals, caps over months, types that overlap, withdrawals."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from controller.core.calendars import period_named
from controller.core.instants import instant
from controller.core.quorum import Verdict
from controller.core.sla.figures.applied import Status, standing
from controller.core.sla.figures.books import Observed
from controller.core.sla.reports.records import exclusions_of, records
from controller.core.sla.terms.exclusions import (
    Declaration,
    Exclusion,
    ExclusionTerms,
    ExclusionType,
)
from tests.unit.core.sla.contracting import SECOND, TIME, fleet, seconds, told
from tests.unit.core.sla.test_clauses import exclusion

HOUR = 3600
FROM, TO = "2026-06-10T10:00:00Z", "2026-06-10T11:00:00Z"


def declared(
    kind: str = "force_majeure", at: str = "2026-06-11T00:00:00Z", **more: Any
) -> Declaration:
    made = Exclusion(id="e", type=ExclusionType(kind), from_=FROM, to=TO, declared_at=at, by="ada")
    approved_by = more.pop("approved_by", [])
    return Declaration(msgspec.structs.replace(made, approved_by=approved_by), **more)


@pytest.mark.parametrize(
    ("more", "approved"),
    [
        pytest.param({"approved_by": ["bo", "cy"]}, True, id="two in the file"),
        pytest.param({"approved_by": ["bo"], "approvals": ("cy",)}, True, id="one there, one here"),
        pytest.param({"approvals": ("bo", "cy")}, True, id="two here"),
        pytest.param({"approved_by": ["bo", "cy"], "logged_us": 0}, False, id="a controller takes no file's word"),
        pytest.param({"approved_by": ["bo"], "approvals": ("cy",), "logged_us": 0}, False, id="nor for one of them"),
        pytest.param({"approvals": ("bo", "cy"), "logged_us": 0}, True, id="but their own"),
        pytest.param({"approved_by": ["ada", "bo"]}, False, id="the declarer is none of them"),
        pytest.param({"approved_by": ["bo"], "approvals": (" Bo ",)}, False, id="one, however written"),
        pytest.param({"approved_by": ["bo"], "approvals": ("ADA",)}, False, id="nor in capitals"),
        pytest.param({"approvals": ("bo", "bo", "bo")}, False, id="one, three times"),
    ],
)  # fmt: skip
def test_s27_two_approvals_are_two_people(more: dict[str, Any], approved: bool) -> None:
    status, why = standing(declared(**more), ExclusionTerms())
    assert (status is Status.APPLIED) == approved
    assert approved or "of 2 people other than who declared it, because it was declared" in why


def test_s27_an_approval_more_than_two_is_asked_for_where_the_contract_says() -> None:
    two = declared(approvals=("bo", "cy"))
    assert standing(two, ExclusionTerms(approvals=3)) == (
        Status.REJECTED_APPROVALS,
        (
            "approved by 2 of 3 people other than who declared it, because it was declared at"
            " 2026-06-11T00:00:00Z, 14h after it began"
        ),
    )
    three = replace(two, approvals=("bo", "cy", "di"))
    assert standing(three, ExclusionTerms(approvals=3))[0] is Status.APPLIED


def test_s27_in_time_force_majeure_needs_nobody_unless_the_contract_says() -> None:
    early = declared(at=FROM)
    assert standing(early, ExclusionTerms())[0] is Status.APPLIED
    assert standing(early, ExclusionTerms(approvals=1))[0] is Status.REJECTED_APPROVALS


@pytest.mark.parametrize(
    ("logged", "status"),
    [
        (None, Status.APPLIED),
        ("2026-06-09T10:00:00Z", Status.APPLIED),
        ("2026-06-09T10:00:00.000001Z", Status.REJECTED_LATE_NOTICE),
    ],
)
def test_s27_notice_goes_by_the_later_of_claim_and_log(logged: str | None, status: Status) -> None:
    logged_us = None if logged is None else instant(logged)
    own = declared("scheduled", "2026-06-01T00:00:00Z", logged_us=logged_us)
    assert standing(own, ExclusionTerms(notice="24h"))[0] is status
    # A claim that is later than the log is believed: nobody lies against themselves.
    late = declared("scheduled", "2026-06-09T11:00:00Z", logged_us=0)
    assert standing(late, ExclusionTerms(notice="24h"))[0] is Status.REJECTED_LATE_NOTICE


CAPPED = (
    "exclusions:\n"
    + exclusion("m1", "scheduled", "2026-06-30T23:00:00Z", "2026-07-01T01:00:00Z")
    + exclusion("m2", "scheduled", "2026-07-10T00:00:00Z", "2026-07-10T03:00:00Z")
)


def test_s27_a_cap_is_of_each_period_and_time_over_midnight_is_of_both() -> None:
    file = fleet("exclusions: {scheduled: {cap: 90m}}", TIME, more=CAPPED)
    (june,), (july,) = told(file, "2026-06"), told(file, "2026-07")
    assert [(one["id"], one["status"], one["applied"] // SECOND) for one in june["exclusions"]] == [
        ("m1", "applied", HOUR)
    ]
    assert [(one["id"], one["status"], one["applied"] // SECOND) for one in july["exclusions"]] == [
        ("m1", "applied", HOUR), ("m2", "capped", HOUR // 2),
    ]  # fmt: skip
    assert july["exclusions"][1]["why"] == "took 30m of 3h: the cap of 90m in a period is used up"


def test_s27_a_cap_goes_by_local_months() -> None:
    """The month begins two hours earlier in Warsaw, so all of the work is in July."""
    file = fleet(
        "period: {tz: Europe/Warsaw}", "exclusions: {scheduled: {cap: 90m}}", TIME, more=CAPPED
    )
    (june,), (july,) = told(file, "2026-06"), told(file, "2026-07")
    assert june["exclusions"] == []
    assert [one["applied"] // SECOND for one in july["exclusions"]] == [90 * 60, 0]


@pytest.mark.parametrize(
    ("kinds", "taken"),
    [
        (("scheduled", "emergency"), [HOUR, 0]),
        (("emergency", "third_party"), [0, HOUR]),
        (("third_party", "customer_fault"), [0, HOUR]),
        (("customer_fault", "force_majeure"), [0, HOUR]),
        (("force_majeure", "suspension"), [0, HOUR]),
        (("scheduled", "scheduled"), [HOUR, 0]),
    ],
)
def test_s25_of_two_types_over_the_same_hour_one_takes_it(
    kinds: tuple[str, str], taken: list[int]
) -> None:
    more = "exclusions:\n" + "".join(
        exclusion(f"e{n}", kind, FROM, TO) for n, kind in enumerate(kinds)
    )
    (found,) = told(fleet(TIME, more=more), "2026-06", (FROM, TO))
    assert [one["applied"] // SECOND for one in found["exclusions"]] == taken
    assert seconds(found, "excluded", "downtime") == [HOUR, 0]


def test_s27_what_a_higher_type_took_does_not_use_up_the_cap_of_a_lower_one() -> None:
    more = (
        "exclusions:\n"
        + exclusion("m1", "scheduled", FROM, TO)
        + exclusion("fm", "force_majeure", FROM, TO)
        + exclusion("m2", "scheduled", "2026-06-20T10:00:00Z", "2026-06-20T11:00:00Z")
    )
    (found,) = told(fleet("exclusions: {scheduled: {cap: 1h}}", TIME, more=more), "2026-06")
    assert [(one["status"], one["applied"] // SECOND) for one in found["exclusions"]] == [
        ("applied", 0), ("applied", HOUR), ("applied", HOUR),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "excluded", "downtime"),
    [
        ("scheduled: {mode: as_up}, force_majeure: {mode: ignore}", HOUR, 0),
        ("scheduled: {mode: ignore}, force_majeure: {mode: ignore}", 0, HOUR),
        ("scheduled: {notice: 60d}, force_majeure: {mode: drop}", HOUR, 0),
    ],
)
def test_s26_time_that_one_type_leaves_goes_to_the_next(
    terms: str, excluded: int, downtime: int
) -> None:
    more = "exclusions:\n" + exclusion("m", "scheduled", FROM, TO, "2026-06-01T00:00:00Z")
    more += exclusion("fm", "force_majeure", FROM, TO)
    (found,) = told(fleet(f"exclusions: {{{terms}}}", TIME, more=more), "2026-06", (FROM, TO))
    assert seconds(found, "excluded", "downtime") == [excluded, downtime]


def test_one_that_is_withdrawn_takes_nothing_and_uses_up_no_cap() -> None:
    more = (
        "exclusions:\n"
        + exclusion("m1", "scheduled", FROM, TO)
        + exclusion("m2", "scheduled", "2026-06-20T10:00:00Z", "2026-06-20T11:00:00Z")
    )
    file = fleet("exclusions: {scheduled: {cap: 1h}}", TIME, more=more)
    agreement = file.contracts["k"]
    first, second = exclusions_of(file, agreement.scope)
    gone = replace(first, withdrawn_us=instant("2026-06-15T00:00:00Z"))
    period = period_named("2026-06", "UTC")
    observed = Observed((), exclusions=(gone, second))
    (found,) = records(agreement, period, observed, period.to_us)
    assert [(one["status"], one["applied"] // SECOND, one["why"]) for one in found["exclusions"]] == [
        ("withdrawn", 0, "withdrawn at 2026-06-15T00:00:00Z"), ("applied", HOUR, ""),
    ]  # fmt: skip


def test_exclusions_outside_of_the_period_are_not_listed() -> None:
    more = "exclusions:\n" + exclusion(
        "at", "scheduled", "2026-06-30T23:00:00Z", "2026-07-01T00:00:00Z"
    )
    more += exclusion("after", "scheduled", "2026-07-01T00:00:00Z", "2026-07-01T01:00:00Z")
    file = fleet(TIME, more=more)
    assert [one["id"] for one in told(file, "2026-06")[0]["exclusions"]] == ["at"]
    assert [one["id"] for one in told(file, "2026-07")[0]["exclusions"]] == ["after"]


def test_s28_what_was_seen_during_an_exclusion_is_told_all_the_same() -> None:
    more = "exclusions:\n" + exclusion("e", "scheduled", FROM, TO)
    (found,) = told(
        fleet("exclusions: {scheduled: {mode: as_up}}", TIME, more=more), "2026-06", (FROM, TO)
    )
    assert seconds(found, "excluded", "down", "downtime", "eligible") == [HOUR, 0, 0, 2_592_000]
    (dark,) = told(
        fleet("exclusions: {scheduled: {mode: as_up}}", TIME, more=more),
        "2026-06",
        (FROM, TO, Verdict.UNKNOWN),
    )
    assert seconds(dark, "unknown", "excluded") == [HOUR, 0]


def test_a_record_names_who_declared_what_when() -> None:
    own = exclusion(
        "e",
        "force_majeure",
        FROM,
        TO,
        "2026-06-11T00:00:00Z",
        ", approved_by: [bo, cy], reason: flood, evidence: CHG-7",
    )
    (found,) = told(fleet(TIME, more=f"exclusions:\n{own}"), "2026-06")
    (one,) = found["exclusions"]
    assert one == {
        "id": "e", "status": "applied", "applied": HOUR * SECOND, "type": "force_majeure", "from": instant(FROM),
        "to": instant(TO), "declared_at": instant("2026-06-11T00:00:00Z"), "logged_at": None, "by": "ada",
        "approved_by": ("bo", "cy"), "source": "file", "reason": "flood", "evidence": "CHG-7", "why": "",
    }  # fmt: skip
