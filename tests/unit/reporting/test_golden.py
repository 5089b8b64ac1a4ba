"""The month with something of everything, to the letter. After a wanted change: VEDETTE_GOLDEN=write."""

import os
from pathlib import Path

import pytest

from controller.reporting.rendering import Form, rendered
from tests.unit.reporting.example import example_bytes

GOLDEN = Path(__file__).parent / "golden"
PACK = ("2026-Q1", "2026-01", "2026-02", "2026-03")
CASES = [
    pytest.param("month.txt", Form.TEXT, ("2026-03",), id="text"),
    pytest.param("month.json", Form.JSON, ("2026-03",), id="json"),
    pytest.param("month.html", Form.HTML, ("2026-03",), id="html"),
    pytest.param("pack.csv", Form.CSV, PACK, id="csv"),
    pytest.param("pack.outages.csv", Form.OUTAGES_CSV, PACK, id="csv of outages"),
    pytest.param("pack.txt", Form.TEXT, PACK, id="x64 quarter and months"),
]


@pytest.mark.parametrize(("name", "form", "labels"), CASES)
def test_s21_a_report_to_the_letter(name: str, form: Form, labels: tuple[str, ...]) -> None:
    found = rendered([example_bytes(label) for label in labels], form)
    path = GOLDEN / name
    if os.environ.get("VEDETTE_GOLDEN") == "write":
        path.write_bytes(found)
    assert found.decode() == path.read_text()
