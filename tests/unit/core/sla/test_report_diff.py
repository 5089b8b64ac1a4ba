"""What two documents say differently: by thing and field, and nothing of how they were made."""

from typing import Any

import msgspec
import pytest

from controller.core.sla.reports.report_diff import (
    What,
    changes_between,
    difference,
    difference_bytes,
)

RECORD = {
    "objective": "availability", "revision": 1, "period": {"from": 10, "to": 20},
    "downtime": 90, "attainment": {"num": 1, "den": 2}, "verdict": "met",
    "clauses": {"tzdata": "2026a", "unknown": "exclude"},
}  # fmt: skip
DAY = {"day": "2026-06-01", "from": 10, "to": 20, "downtime": 90}
OUTAGE = {"handle": "OUT-1", "check": "c", "started_at": 11, "ended_at": None, "regions": ["fra"]}
DOCUMENT = {
    "made": {"as_of": 30, "code": "1.0", "tzdata": "2026a", "issue": None},
    "contract": {
        "id": "acme", "title": "", "revision": 1,
        "terms": [{"revision": 1, "effective_from": 0, "clauses": {"amendments": "segmented"}}],
    },
    "period": {"label": "2026-06", "from": 10, "to": 20, "until": 20},
    "records": [RECORD],
    "courses": [{"days": [DAY], "counted": [[11, 12]]}],
    "exclusions": [{"id": "work", "reason": "a window", "outcomes": []}],
    "outages": [OUTAGE],
}  # fmt: skip


def document(**parts: Any) -> bytes:
    return msgspec.json.encode({**DOCUMENT, **parts})


OLD = document()


def told(new: bytes) -> list[tuple[str, str, str, list[tuple[str, Any, Any, int | None]]]]:
    return [
        (one.kind, one.id, one.what.value, [(f.name, f.old, f.new, f.delta) for f in one.fields])
        for one in changes_between(OLD, new)
    ]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({}, id="the same bytes"),
        pytest.param(
            {"made": {"as_of": 99, "code": "2.0", "tzdata": "2027a", "issue": {"revision": 2}}},
            id="how it was made",
        ),
        pytest.param(
            {"contract": {**DOCUMENT["contract"], "revision": 7}},  # type: ignore[dict-item]  # a mapping
            id="how often the file of the contract was changed",
        ),
        pytest.param(
            {"records": [{**RECORD, "revision": 7, "clauses": {"tzdata": "2027a", "unknown": "exclude"}}]},
            id="the same in a record",
        ),
    ],
)  # fmt: skip
def test_what_is_no_difference(parts: dict[str, Any]) -> None:
    assert told(document(**parts)) == []


def test_figures_differ_by_so_much() -> None:
    record = {**RECORD, "downtime": 0, "attainment": None, "verdict": "breached"}
    assert told(document(records=[record])) == [
        (
            "record",
            "availability 10",
            "changed",
            [
                ("downtime", 90, 0, -90),
                ("attainment.num", 1, None, None),
                ("attainment.den", 2, None, None),
                ("verdict", "met", "breached", None),
            ],
        )
    ]


def test_things_appear_vanish_and_change() -> None:
    moved = {**OUTAGE, "ended_at": 15}
    other = {**OUTAGE, "handle": "OUT-2", "started_at": 17}
    found = told(
        document(
            outages=[moved, other],
            exclusions=[],
            courses=[{"days": [{**DAY, "downtime": 91}], "counted": [[11, 13]]}],
        )
    )
    assert [one[:3] for one in found] == [
        ("record", "availability 10", "changed"),
        ("day", "availability 10 2026-06-01", "changed"),
        ("outage", "OUT-1", "changed"),
        ("outage", "OUT-2", "appeared"),
        ("exclusion", "work", "vanished"),
    ]
    assert found[2][3] == [("ended_at", None, 15, None)]
    assert ("started_at", None, 17, None) in found[3][3]


def test_a_clause_is_named() -> None:
    terms = [{"revision": 1, "effective_from": 0, "clauses": {"amendments": "blended"}}]
    contract = {**DOCUMENT["contract"], "terms": terms}  # type: ignore[dict-item]  # a mapping
    assert told(document(contract=contract)) == [
        ("terms", "0", "changed", [("clauses.amendments", "segmented", "blended", None)])
    ]


def test_a_field_that_only_a_newer_program_tells_of_is_no_difference() -> None:
    made = {"as_of": 99, "code": "2.0", "tzdata": "2026a", "issue": None}
    record = {**RECORD, "mood": "good"}
    assert told(document(made=made, records=[record])) == []
    assert told(document(records=[record])), "but of one program it is"
    worse = told(document(made=made, records=[{**record, "downtime": 91}]))
    assert [one[3] for one in worse] == [[("downtime", 90, 91, 1)]]


def test_the_document_of_a_difference_names_both_sides() -> None:
    made = {"as_of": 99, "code": "1.0", "tzdata": "2026a", "issue": {"revision": 2}}
    found = difference(OLD, document(made=made, outages=[]), ("aa", "bb"))
    data = msgspec.json.decode(difference_bytes(found))
    assert (data["version"], data["kind"]) == (1, "sla-report-diff")
    assert (data["contract"], data["period"]) == ("acme", "2026-06")
    assert data["old"] == {"as_of": 30, "revision": 0, "sha256": "aa"}
    assert data["new"] == {"as_of": 99, "revision": 2, "sha256": "bb"}
    assert [(one["id"], one["what"]) for one in data["changes"]] == [("OUT-1", What.VANISHED)]
