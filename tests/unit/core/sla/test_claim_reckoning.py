"""What the letter of a claim says of figures of each kind, line by line."""

from typing import Any

import pytest

from controller.core.sla.claims.claim_reckoning import reckoned, target_text

BASE = {
    "objective": "a", "target": "99", "verdict": "breached", "attainment_shown": "66.666",
    "attainment": {"num": 2, "den": 3}, "credits": {"steps": ["fee 1 EUR"]},
    "eligible": 3_000_000, "downtime": 1_000_000,
}  # fmt: skip
VERDICT = ["met if that is at least 99 / 100: breached", "fee 1 EUR"]
THIRDS = "2/3, which is 66.666 %, cut off"
TIMER = {
    "outage": "OUT-1", "severity": "P1", "started": 0, "due": 900_000_000, "stopped": 900_000_001,
    "elapsed": 900_000_001, "state": "breached",
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ({}, ["eligible time 3 s, counted downtime 1 s", f"attainment (3 - 1) / 3 = {THIRDS}"]),
        ({"samples": {"good": 2, "valid": 3}}, ["2 good results of 3", f"that is {THIRDS}"]),
        (
            {"samples": {"good": 2, "valid": 3}, "slices": {"counted": 3, "silent": 1, "good": {"num": 2, "den": 1}}},
            ["2 good slices of 3; 1 had no result", f"that is {THIRDS}"],
        ),
        ({"days": {"good": 2, "counted": 3}}, ["2 good days of 3", f"that is {THIRDS}"]),
        (
            {"members": [{"check": "c", "weight": {"num": 1, "den": 2}, "attainment": {"num": 1, "den": 1}}]},
            ["c: weight 1/2 x 1", f"together {THIRDS}"],
        ),
        (
            {"samples_of": {"c": {"samples": {"good": 1, "valid": 2}}}},
            ["c: 1 good results of 2", f"together {THIRDS}"],
        ),
    ],
)  # fmt: skip
def test_a_figure_can_be_computed_again(more: dict[str, Any], lines: list[str]) -> None:
    assert list(reckoned({**BASE, **more})) == [*lines, *VERDICT]


def test_s47_clocks_of_people_are_told_to_the_microsecond() -> None:
    record = {
        **BASE,
        "target": "15m",
        "timers": [TIMER, {**TIMER, "outage": "OUT-2", "stopped": None}],
    }
    lines = list(reckoned(record))
    assert lines[0] == (
        "OUT-1 P1: began 1970-01-01T00:00:00Z, due 1970-01-01T00:15:00Z, stopped"
        " 1970-01-01T00:15:00.000001Z; 15m 0.000001s of 15m: breached"
    )
    assert "not stopped" in lines[1]
    assert lines[2] == "0 of 2 in time; met if all are: breached"
    assert (target_text(record), target_text(BASE)) == ("15m", "99 %")
