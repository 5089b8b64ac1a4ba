"""The report document: its days add up, its budget ends where the record's does, its bytes are the facts'."""

import json
from typing import Any

import msgspec
import pytest

from controller.core.calendars import period_named
from controller.core.instants import instant
from controller.core.sla.reports.report import report, report_bytes
from controller.core.sla.reports.report_document import (
    Course,
    Report,
    decode_report,
    encode_report,
    says_the_same,
)
from tests.unit.reporting.example import FLEET, OUTAGES, example_bytes, example_facts

# After the end; while nothing is known; in the midst of an outage that is too short as yet.
AS_OF = ["2026-04-04T00:00:00Z", "2026-03-17T12:34:56Z", "2026-03-05T13:20:00Z"]
PARTS = ("up", "down", "partial", "degraded", "unknown", "excluded", "out_of_schedule")
HOURS = b'    service_hours: {weekly: {mon: ["08:00-18:00"], tue: ["00:00-24:00"], sun: ["01:00-05:00"]}}\n'
SPARING = b"    exclusions: {scheduled: {mode: as_up, notice: 1h, cap: 40m}}\n"
AMENDED = b"""\
  - {id: acme-gold, effective_from: 2026-03-16T00:00:00+01:00, objectives: [{id: availability, target: "99.95"}]}
exclusions:
"""
TERMS = b"    exclusions:\n      scheduled: {mode: drop, notice: 24h, cap: 2h}\n"
VARIANTS = [
    pytest.param(FLEET, id="as it is"),
    pytest.param(FLEET.replace(TERMS, TERMS + HOURS), id="service hours"),
    pytest.param(FLEET.replace(TERMS, SPARING), id="exclusions spare downtime"),
    pytest.param(FLEET.replace(b"exclusions:\n  - ", AMENDED + b"  - "), id="amended"),
    pytest.param(FLEET.replace(b'"99.9"}', b'"99.9", unknown: as_up}'), id="unknown is up"),
    pytest.param(
        FLEET.replace(b"    credits:", b"    outage: {min_duration: 1810s}\n    credits:"),
        id="short",
    ),
]


def made(fleet: bytes, as_of: str = "2026-04-04T00:00:00Z", label: str = "2026-03") -> Report:
    facts = example_facts(fleet)
    return report(facts, period_named(label, "Europe/Warsaw"), instant(as_of))


def timed(document: Report) -> list[tuple[dict[str, Any], Course]]:
    """The records of time, with their courses."""
    pairs = zip(document.records, document.courses, strict=True)
    return [(record, course) for record, course in pairs if course is not None]


@pytest.mark.parametrize("as_of", AS_OF)
@pytest.mark.parametrize("fleet", VARIANTS)
def test_p4_days_add_up_to_the_record_in_every_part(fleet: bytes, as_of: str) -> None:
    document = made(fleet, as_of)
    for record, course in timed(document):
        for part in PARTS:
            assert sum(getattr(day, part) for day in course.days) == record[part], part
        for day in course.days:
            parts = sum(getattr(day, part) for part in PARTS)
            assert parts == day.to_us - day.from_us, "a segment of a day has one span here"


@pytest.mark.parametrize("as_of", AS_OF)
@pytest.mark.parametrize("fleet", VARIANTS)
def test_s43_the_course_of_a_budget_ends_at_what_is_left(fleet: bytes, as_of: str) -> None:
    document = made(fleet, as_of)
    for record, course in timed(document):
        assert course.budget[0].left == record["budget"]
        assert abs(course.budget[-1].left - record["budget_left"]) <= 1, "both are floored"
        lefts = [point.left for point in course.budget]
        assert lefts == sorted(lefts, reverse=True)


def test_s29_the_days_of_a_month_with_a_short_one() -> None:
    course = made(FLEET).courses[0]
    assert course is not None
    assert [day.day for day in course.days] == [f"2026-03-{n:02}" for n in range(1, 32)]
    lengths = {(day.to_us - day.from_us) // 3_600_000_000 for day in course.days}
    assert lengths == {23, 24}


def test_what_counts_of_an_outage_is_told_by_objective() -> None:
    document = made(FLEET)
    first, second, third = document.outages
    assert first.counted == {"availability": 1_820_000_000, "office": 1_820_000_000}
    assert second.counted["availability"] == 0, "the exclusion took it"
    assert third.counted["availability"] == 1_800_000_000, "over midnight"


def test_an_open_outage_and_one_of_another_month() -> None:
    facts = example_facts()
    still = msgspec.structs.replace(OUTAGES[2], ended_at=None)
    before = msgspec.structs.replace(OUTAGES[0], handle="OUT-1", started_at=0, ended_at=1)
    given = [still, before, OUTAGES[0]]
    found = report(
        type(facts)(facts.agreement, facts.fleet, facts.observed, given, 1, "0"),
        period_named("2026-03", "Europe/Warsaw"),
        instant("2026-04-04T00:00:00Z"),
    )
    assert [one.handle for one in found.outages] == ["OUT-3", "OUT-7"]
    assert found.outages[1].ended_at is None


def test_s27_every_exclusion_says_what_came_of_it() -> None:
    document = made(FLEET)
    statuses = {one.id: {outcome.status for outcome in one.outcomes} for one in document.exclusions}
    assert statuses == {"spring-upgrade": {"capped"}, "late-patch": {"rejected_late_notice"}}


def test_terms_are_those_of_the_period_with_every_clause() -> None:
    amended = FLEET.replace(b"exclusions:\n  - ", AMENDED + b"  - ")
    assert [one.revision for one in made(amended).contract.terms] == [2, 3]
    assert [one.revision for one in made(amended, label="2026-02").contract.terms] == [2]
    assert [one.revision for one in made(amended, label="2026-04").contract.terms] == [3]
    before = made(amended, label="2025-12")
    assert [one.revision for one in before.contract.terms] == [2]
    clauses = before.contract.terms[0].clauses
    assert clauses["exclusions"]["scheduled"]["approvals"] == 0, "also what was not written"
    assert before.records[0]["verdict"] == "no_eligible_time"


def test_s22_another_channel_for_a_grade_is_no_revision() -> None:
    own, others = (
        FLEET.replace(b"action: warn", b"action: warn, notify: [%s]" % one)
        + b"notify: [{id: desk, url: json://desk.example}, {id: night, url: json://night.example}]\n"
        for one in (b"desk", b"night")
    )
    assert own != others
    assert says_the_same(encode_report(made(own)), encode_report(made(others)))
    assert b"notify" not in encode_report(made(own))


def test_s21_the_same_facts_give_the_same_bytes() -> None:
    document = example_bytes()
    assert document == example_bytes()
    assert document.endswith(b"}\n")
    assert encode_report(decode_report(document)) == document
    reversed_facts = example_facts()
    turned = type(reversed_facts)(
        reversed_facts.agreement, reversed_facts.fleet, reversed_facts.observed, OUTAGES[::-1], 2, "0.1.0",
    )  # fmt: skip
    period = period_named("2026-03", "Europe/Warsaw")
    assert report_bytes(turned, period, instant("2026-04-04T00:00:00Z")) == document


def test_documents_are_compared_by_what_they_say() -> None:
    document = example_bytes()
    later = example_bytes(as_of="2026-04-05T00:00:00Z")
    assert later != document
    assert says_the_same(document, later)
    assert not says_the_same(document, example_bytes(as_of="2026-03-30T00:00:00Z"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{}", "missing required field"),
        (b"{", "truncated"),
        (b"\xff", "malformed|UTF-8"),
        (b'{"version":' + b"[" * 100_000, "nested|recursion|maximum|Expected"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decode_report(data)


def test_a_document_of_another_version_is_refused() -> None:
    other = json.loads(example_bytes()) | {"version": 2}
    with pytest.raises(
        ValueError, match="expected sla-report version 1, found sla-report version 2"
    ):
        decode_report(json.dumps(other).encode())
