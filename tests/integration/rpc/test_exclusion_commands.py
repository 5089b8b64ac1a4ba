"""`vedette exclusion` against a controller that runs: three people, a calendar, and what roles may do."""

import json
from pathlib import Path
from typing import Any

import pytest

from controller.core.instants import instant_text
from controller.identity.roles import Role
from controller.local import create_person_token
from tests.integration.rpc.running import DAY_US, FLEET, Running, now_us
from tests.integration.rpc.test_outage_commands import login, vedette

CONTRACT = b"""\
contracts:
  - id: acme
    effective_from: 2026-01-01T00:00:00Z
    scope: {checks: [home]}
    period: {kind: year}
    objectives: [{id: up, target: "99.0"}]
    exclusions: {scheduled: {notice: 24h}}
"""
HOUR_US = 3600 * 1_000_000


def as_person(controller: Running, name: str, role: Role = Role.OPERATOR) -> None:
    """Log in as somebody of that name."""
    token, _ = create_person_token(
        state=controller.state, database_url=None, name=name, role=role, ttl_us=DAY_US
    )
    controller.tokens[Role.COUNTERPARTY] = token
    login(controller, Role.COUNTERPARTY)


def document(*arguments: str) -> Any:
    return json.loads(vedette("exclusion", *arguments, "--json").stdout)


@pytest.fixture
def desk(controller: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setenv("VEDETTE_CONFIG", str(tmp_path / "config"))
    assert not controller.apply(FLEET + CONTRACT).problems
    return controller


def test_an_exclusion_is_declared_approved_and_withdrawn(desk: Running, tmp_path: Path) -> None:
    as_person(desk, "ada")
    begins_us = now_us() - 2 * HOUR_US
    photo = tmp_path / "flood.jpg"
    photo.write_bytes(b"water")
    made = vedette(
        "exclusion", "declare", "--id", "flood", "--type", "force_majeure", "--check", "home", "--reason", "the cellar",
        "--from", str(begins_us), "--to", instant_text(begins_us + HOUR_US), "--evidence-file", str(photo),
    )  # fmt: skip
    assert made.exit_code == 1, "a contract rejects it as it stands"
    assert "Under acme: rejected missing approvals: approved by 0 of 2 people" in made.stdout
    assert "Evidence:    sha256:" in made.stdout
    own = vedette("exclusion", "approve", "flood")
    assert (own.exit_code, own.stderr) == (
        3, "Error: ada declared flood: approving it is for another person.\n",
    )  # fmt: skip
    as_person(desk, "bo")
    assert vedette("exclusion", "approve", "flood", "--note", "seen it").exit_code == 1
    as_person(desk, "cy")
    done = vedette("exclusion", "approve", "flood")
    assert done.exit_code == 0
    assert "Approved by: bo, cy" in done.stdout
    assert "Under acme: applied" in done.stdout
    status = vedette("sla", "status")
    assert "exclusion flood applied: 1h" in status.stdout
    assert vedette("exclusion", "withdraw", "flood", "--reason", "it was ours").exit_code == 0
    page = document("show", "flood")["exclusion"]
    assert [(one["act"], one["who"]) for one in page["entries"]] == [
        ("declared", "ada"), ("approved", "bo"), ("approved", "cy"), ("withdrawn", "cy"),
    ]  # fmt: skip
    assert page["contracts"][0]["status"] == "withdrawn"
    assert "exclusion flood withdrawn" in vedette("sla", "status").stdout


def test_auditors_look_and_do_not_touch(desk: Running) -> None:
    as_person(desk, "ivy", Role.AUDITOR)
    assert vedette("exclusion", "list").exit_code == 0
    refused = vedette("exclusion", "withdraw", "flood", "--reason", "x")
    assert (refused.exit_code, "needs the role admin or operator" in refused.stderr) == (3, True)
    assert vedette("exclusion", "show", "none").exit_code == 2
    both = vedette(
        "exclusion", "declare", "--type", "emergency", "--reason", "x", "--from", "0", "--to", "1"
    )
    assert (both.exit_code, both.stderr) == (
        2, "Error: Expected --check and --service, or --all, and not both.\n",
    )  # fmt: skip


def test_a_calendar_is_imported_again_and_again(desk: Running, tmp_path: Path) -> None:
    as_person(desk, "ada")
    calendar = tmp_path / "work.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:patch@example\nSUMMARY:Patch day\n"
        "DTSTART;TZID=Europe/Warsaw:20260106T020000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;BYDAY=TU\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )
    begins_us = now_us() + 3 * DAY_US
    common = (
        "import", str(calendar), "--type", "scheduled", "--service", "shop",
        "--from", str(begins_us), "--until", str(begins_us + 21 * DAY_US),
    )  # fmt: skip
    dry = vedette("exclusion", *common, "--dry-run")
    assert "1 event: 3 to declare, 0 to replace, 0 to withdraw, 0 left as they are." in dry.stdout
    assert [one["step"] for one in document(*common)["done"]] == ["declare"] * 3
    assert [one["step"] for one in document(*common)["done"]] == ["keep"] * 3
    calendar.write_text(calendar.read_text().replace("PT2H", "PT3H"))
    again = document(*common)["done"]
    assert [(one["step"], one["id"]) for one in again] == [
        ("replace", f"{one['replaces']}-2") for one in again
    ]
    listed = document("list")["exclusions"]
    ours = [one for one in listed if one["source"] == "calendar"]
    assert len([one for one in ours if one["withdrawn_at"] is None]) == 3
    assert len(ours) == 6
    first = document("list", "--from", str(ours[0]["from"]), "--to", str(ours[0]["to"]))
    assert {one["from"] for one in first["exclusions"]} == {ours[0]["from"]}
    calendar.write_text("BEGIN:VCALENDAR\n")
    assert vedette("exclusion", *common).exit_code == 2
