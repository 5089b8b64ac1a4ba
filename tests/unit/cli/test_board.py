"""`vedette sla status` at a glance: narrow, plain where it is no terminal, and never better than it is."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.cli.sla.board import write_board
from tests.unit.reporting.example import example_bytes

WARSAW = ZoneInfo("Europe/Warsaw")


def records(label: str = "2026-03", as_of: str = "2026-04-04T00:00:00Z") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(example_bytes(label, as_of))["records"]
    return found


def board(capsys: pytest.CaptureFixture[str], *listed: dict[str, Any]) -> list[str]:
    write_board(listed, WARSAW)
    return capsys.readouterr().out.splitlines()


def row_of(lines: list[str]) -> str:
    """The first row, without the blanks between columns."""
    return " ".join(lines[1].split())


def test_a_row_has_the_figure_the_budget_as_a_bar_and_the_verdict(
    capsys: pytest.CaptureFixture[str],
) -> None:
    head, row, *_ = board(capsys, records()[0])
    assert head.split() == [
        "CONTRACT", "OBJECTIVE", "PERIOD", "TARGET", "ATTAINED", "COVERAGE", "BUDGET", "LEFT", "VERDICT",
    ]  # fmt: skip
    assert row.split()[:6] == ["acme-gold", "availability", "2026-03", "99.9%", "99.863%", "99.19%"]
    assert "--------  -16m 14s" in row
    assert "breached" in row


def test_s43_a_bar_is_rounded_down(capsys: pytest.CaptureFixture[str]) -> None:
    record = records("2026-02")[0]
    almost = record | {"budget": 10_000_000, "budget_left": 9_999_999}
    assert "#######- 9s" in row_of(board(capsys, almost))
    assert "######## 10s" in row_of(board(capsys, almost | {"budget_left": 10_000_000}))
    assert " 2h 3m " in row_of(board(capsys, almost | {"budget_left": 7_439_999_999}))
    assert " -1d 3h " in row_of(board(capsys, almost | {"budget_left": -93_700_000_000}))
    assert "-------- 0s" in row_of(board(capsys, almost | {"budget": 0, "budget_left": 0}))


def test_s40_insufficient_evidence_is_not_taken_for_met(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(" ".join(board(capsys, *records("2026-Q1"))).split())
    assert "(99.928%)" in text
    assert "insufficient" in text
    assert " met" not in text


def test_s45_it_says_where_a_running_period_is_going(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(board(capsys, *records(as_of="2026-03-30T00:00:00Z")))
    assert "breached so far" in text
    assert "irrecoverable" in text


def test_s47_timers_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(board(capsys, records()[2]))
    assert "1 of 2" in text
    assert "acknowledged after 49m, promised were 10m" in text


@pytest.mark.parametrize("name", ["gold", "a-contract-of-a-very-long-name-" * 2])
def test_it_fits_a_hundred_columns_and_is_plain(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    listed = [*records(), *(one | {"contract": name} for one in records("2026-01"))]
    lines = board(capsys, *listed)
    table = [line for line in lines if ": " not in line]
    assert max(map(len, table)) <= 100
    assert "\x1b" not in "".join(lines)
    assert "".join(lines).isascii()


def test_of_several_contracts_it_says_only_what_is_urgent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    others = [one | {"contract": "silver"} for one in records()]
    assert not [line for line in board(capsys, *records(), *others) if "MTTR" in line]
    assert [line for line in board(capsys, *records()) if "MTTR" in line]


def test_a_terminal_gets_a_bar_of_blocks_unless_it_wants_no_colour(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = records("2026-02")[0]
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    text = "\n".join(board(capsys, record))
    assert "████████  40m 15s" in text
    assert "\x1b[32m" in text
    monkeypatch.setenv("NO_COLOR", "1")
    text = "\n".join(board(capsys, record))
    assert "\x1b[32m" not in text
    assert "########  40m 15s" in text


def test_names_drive_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(board(capsys, records()[0] | {"contract": "gold\x1b[2J"}))
    assert "\x1b" not in text


def test_no_contract_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert board(capsys) == ["There is no contract in force."]
