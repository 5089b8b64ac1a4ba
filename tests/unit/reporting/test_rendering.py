"""Documents in every form: one, and packs of several."""

import json

import pytest

from controller.reporting.rendering import Form, rendered
from tests.unit.reporting.example import example_bytes

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
