"""Rights as people and programs read them."""

import json
from zoneinfo import ZoneInfo

import pytest

from controller.cli.sla.rights import with_rights, write_rights

CHAIN = {
    "objective": "a", "below": "95", "periods": 3, "count": 2, "arose_at": None,
    "chain": [
        {"label": "2026-04", "attainment": {"num": 949, "den": 1000}, "below": True},
        {"label": "2026-05", "attainment": None, "below": False},
    ],
}  # fmt: skip
RIGHTS = [
    {
        "contract": "gold",
        "termination": [CHAIN, {**CHAIN, "count": 3, "arose_at": 0, "chain": []}],
        "earn_back": [
            {"objective": "a", "label": "2026-04", "taken": "6", "standing": "earned_back", "steps": ["x", "y"]}
        ],
        "year": {"cap": "25", "currency": "EUR", "credited": {"2026-04": "20", "2026-05": "0.5"}},
    }
]  # fmt: skip


def test_x65_rights_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    write_rights(RIGHTS, ZoneInfo("UTC"))
    assert capsys.readouterr().out.splitlines() == [
        (
            "gold a: no right to terminate, which needs to be below 95% in 3 periods running: 2 so far"
            " (2026-04 94.900%, 2026-05 not judged)"
        ),
        "gold a: right to terminate since 1970-01-01T00:00:00Z, below 95% in 3 periods running",
        "gold a: 6 taken in 2026-04, earned back: x; y",
        "gold credits of the year: 20.5 of at most 25 EUR, 4.5 left",
    ]


def test_a_document_without_rights_keeps_its_bytes() -> None:
    document = b'{"version":1,"records":[]}\n'
    assert with_rights(document, []) is document
    assert json.loads(with_rights(document, RIGHTS)) == {
        "version": 1, "records": [], "rights": RIGHTS,
    }  # fmt: skip
