"""Documents in every form: one, and packs of several."""

import csv
import io
import json

import pytest

from controller.core.calendars import period_named
from controller.core.instants import instant
from controller.core.sla.reports.report import report_bytes
from controller.reporting.rendering import Form, Manner, rendered
from tests.unit.reporting.example import FLEET, example_bytes, example_facts

PACK = ("2026-Q1", "2026-01", "2026-02", "2026-03")


@pytest.mark.parametrize("form", list(Form))
def test_one_document_in_every_form(form: Form) -> None:
    found = rendered([example_bytes()], form)
    assert found == rendered([example_bytes()], form), "the same document gives the same bytes"
    if form is not Form.PDF:
        assert b"acme-gold" in found


@pytest.mark.parametrize("form", [Form.TEXT, Form.CSV, Form.HTML])
def test_x64_a_pack_has_the_quarter_and_its_months(form: Form) -> None:
    found = rendered([example_bytes(label) for label in PACK], form).decode()
    assert all(label in found for label in PACK)


def test_json_is_the_document_itself_and_a_pack_has_them_unchanged() -> None:
    documents = [example_bytes(label) for label in PACK]
    assert rendered(documents[:1], Form.JSON) == documents[0]
    pack = rendered(documents, Form.JSON)
    assert json.loads(pack)["reports"] == [json.loads(one) for one in documents]
    assert all(one.strip() in pack for one in documents)


def test_days_alike_without_downtime_are_one_row() -> None:
    text = " ".join(rendered([example_bytes("2026-Q1")], Form.TEXT).decode().split())
    # The hour after local midnight of the 1st of February is not covered by the timeline either.
    assert "2026-01-01 – 2026-02-01 – 31d 1h" in text
    assert "2026-03-05 30m 20s" in text


def test_s47_what_people_promised_is_not_judged_where_outages_may_be_missing() -> None:
    text = " ".join(rendered([example_bytes("2026-01")], Form.TEXT).decode().split())
    assert "answer-p1: neither met nor breached." in text
    assert "outages may have been that nobody saw" in text


@pytest.mark.parametrize("form", [Form.TEXT, Form.CSV, Form.HTML, Form.OUTAGES_CSV])
@pytest.mark.parametrize(
    ("label", "as_of"),
    [
        pytest.param("2025-12", "2026-04-04T00:00:00Z", id="before the contract"),
        pytest.param("2026-03", "2026-02-01T00:00:00Z", id="before the period"),
        pytest.param("2026-03-29", "2026-04-04T00:00:00Z", id="a day of 23 hours"),
        pytest.param("2026-W10", "2026-03-05T13:15:00Z", id="a week in the midst of an outage"),
        pytest.param("2026", "2026-04-04T00:00:00Z", id="a year that runs"),
    ],
)
def test_s29_any_period_at_any_time_is_told(form: Form, label: str, as_of: str) -> None:
    assert (
        label in rendered([example_bytes(label, as_of)], form).decode() or form is Form.OUTAGES_CSV
    )


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@sum(a1)"])
def test_no_spreadsheet_takes_words_for_a_formula(title: str) -> None:
    facts = example_facts(FLEET.replace(b"ACME GmbH", f'"{title}"'.encode()))
    month = period_named("2026-03", "Europe/Warsaw")
    document = report_bytes(facts, month, instant("2026-04-04T00:00:00Z"))
    (row, *_) = csv.DictReader(io.StringIO(rendered([document], Form.CSV).decode()))
    assert row["party"] == f"'{title}"


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
def test_no_line_of_text_is_wider_than_asked_and_nothing_is_cut_off(width: int) -> None:
    text = rendered([example_bytes("2026-Q1")], Form.TEXT, Manner(width=width)).decode()
    assert max(map(len, text.splitlines())) <= width
    assert "marginal" in text or width < 60, "words are broken before they are lost"
