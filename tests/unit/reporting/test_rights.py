"""Rights over several periods, as reports tell them (X-65)."""

from dataclasses import replace
from typing import Any

import pytest

from controller.core.calendars import period_named
from controller.core.instants import instant
from controller.core.sla.reports.report import report_bytes
from controller.core.sla.reports.report_document import decode_report
from controller.reporting.rendering import Form, rendered
from tests.unit.reporting.example import FLEET, example_facts

CHAIN = {
    "objective": "availability", "below": "95", "periods": 3, "count": 1, "arose_at": None,
    "chain": [
        {"label": "2026-02", "attainment": None, "below": False},
        {"label": "2026-03", "attainment": {"num": 9499999, "den": 10000000}, "below": True},
    ],
}  # fmt: skip
POOL = {
    "objective": "availability", "label": "2026-02", "taken": "6", "standing": "open",
    "steps": ["2026-03: availability met, period 1 of 2", "1 more to be met"],
}  # fmt: skip


def document(rights: dict[str, Any]) -> bytes:
    facts = replace(example_facts(FLEET), rights=rights)
    month = period_named("2026-03", "Europe/Warsaw")
    return report_bytes(facts, month, instant("2026-04-04T00:00:00Z"))


def told(rights: dict[str, Any], form: Form = Form.TEXT) -> str:
    return " ".join(rendered([document(rights)], form).decode().split())


def test_x65_a_report_shows_the_chain() -> None:
    text = told({"termination": [CHAIN]})
    assert "availability: no right to terminate. 1 of 3 periods running are below 95 %." in text
    assert "2026-02 – not judged, which breaks the chain" in text
    assert "2026-03 94.999 % below 95 %" in text


def test_x65_a_report_says_when_the_right_arose() -> None:
    arose = {**CHAIN, "count": 3, "arose_at": instant("2026-03-31T22:00:00Z")}
    text = told({"termination": [arose]})
    assert "availability: the right to terminate arose at 2026-04-01 00:00:00" in text
    assert "2026-03-31T22:00:00Z" in told({"termination": [arose]}, Form.HTML)


@pytest.mark.parametrize(
    ("standing", "words"),
    [("open", "may be earned back"), ("earned_back", "is earned back"), ("lost", "lost for good")],
)
def test_s50_a_report_says_what_is_earned_back(standing: str, words: str) -> None:
    assert words in told({"earn_back": [{**POOL, "standing": standing}]})


@pytest.mark.parametrize(("kind", "is_claimed"), [("month", True), ("quarter", False)])
def test_s50_a_deadline_is_told_of_periods_that_can_be_claimed(kind: str, is_claimed: bool) -> None:
    facts = example_facts(FLEET.replace(b"kind: month", f"kind: {kind}".encode()))
    month = period_named("2026-03", "Europe/Warsaw")
    found = rendered([report_bytes(facts, month, instant("2026-04-04T00:00:00Z"))], Form.TEXT)
    assert (b"To be claimed within 2 calendar months" in found) is is_claimed


def test_a_contract_without_such_clauses_has_a_document_without_them() -> None:
    assert b'"rights"' not in document({})
    assert "Over several periods" not in told({})
    assert decode_report(document({"termination": [CHAIN]})).rights == {"termination": [CHAIN]}
