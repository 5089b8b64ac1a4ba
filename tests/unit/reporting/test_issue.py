"""How a report was issued stands on its first page: by whom, why, and what may have been missing."""

from dataclasses import replace

import pytest

from controller.core.calendars import period_named
from controller.core.instants import instant
from controller.core.sla.reports.report import report_bytes
from controller.core.sla.reports.report_document import Issue as IssuePart
from controller.reporting.rendering import Form, Manner, rendered
from controller.reporting.story.context import Issue
from tests.unit.reporting.example import example_bytes, example_facts

SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def told(issued: IssuePart | None, issue: Issue | None, form: Form = Form.TEXT) -> str:
    month = period_named("2026-03", "Europe/Warsaw")
    facts = replace(example_facts(), issue=issued)
    document = report_bytes(facts, month, instant("2026-04-04T00:00:00Z"))
    issues = {("acme-gold", "2026-03"): issue} if issue else {}
    return " ".join(rendered([document], form, Manner(issues=issues)).decode().split())


@pytest.mark.parametrize("form", [Form.TEXT, Form.HTML])
def test_s22_a_sealed_report_says_its_hash_its_revision_and_who_issued_it(form: Form) -> None:
    issue = Issue("sealed", 1, SHA256, instant("2026-04-06T00:00:00Z"), "Ada", "the board meets")
    text = told(None, issue, form)
    assert "sealed, revision 1" in text
    assert SHA256 in text
    assert "2026-04-06 02:00:00 +02:00 by Ada" in text
    assert "the board meets" in text


def test_s22_an_early_report_says_so_and_names_who_was_not_heard() -> None:
    heard = instant("2026-03-30T00:00:00Z")
    issued = IssuePart(
        revision=1, by="Ada", reason="", is_early=True, unheard=(("agt-1", heard), ("agt-2", None))
    )
    text = told(issued, None)
    assert "before the period was final: late results may change it" in text
    assert "agt-1, heard until 2026-03-30 02:00:00 +02:00" in text
    assert "agt-2, never heard" in text


def test_a_report_on_a_period_that_runs_says_so() -> None:
    document = example_bytes(as_of="2026-03-20T00:00:00Z")
    text = " ".join(rendered([document], Form.TEXT).decode().split())
    assert "until 2026-03-20 01:00:00 +01:00, the period is not over" in text
    assert "At the rate of the last 6 hours" in text
    assert "Breached so far" not in text.split("BREACHED SO FAR")[0]
