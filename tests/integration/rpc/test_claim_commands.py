"""`vedette claim` against a controller that runs: a breach, its pack, and the way to settlement."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller import app
from controller.cli.main import cli
from controller.core.instants import instant
from controller.identity.roles import Role
from tests.integration.rpc.running import FLEET, Running, Site, connected, frame, line, running

MINUTE = 60_000_000
THEN = instant("2026-01-10T12:00:00Z")
CONTRACT = b"""contracts:
  - id: gold
    party: ACME
    effective_from: 2026-01-01T00:00:00Z
    scope: {checks: [home]}
    period: {kind: day}
    objectives: [{id: availability, target: "99", min_coverage: "0"}]
    acknowledge_unmeasurable: true
    credits: {fee: "50.00", currency: EUR, tiers: [{below: "99", percent: "10"}], claim_deadline: P3M}
"""


class Clock:
    """The controller's clock: the machine's, moved to where a test wants it."""

    _ahead_us = 0

    def move_to(self, at_us: int) -> None:
        self._ahead_us = at_us - time.time_ns() // 1000

    def go_on_after(self, at_us: int) -> None:
        """Tests move it as they like."""

    def __call__(self) -> int:
        return time.time_ns() // 1000 + self._ahead_us


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A controller two days after the check was down in both regions for three minutes of seven."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "LedgerClock", lambda: clock)
        with running(tmp_path_factory.mktemp("controller")) as started:
            # Certificates are of the machine's time; the check is of that of the story.
            assert not started.apply(FLEET.replace(b"id: home", b"id: other")).problems
            sites = [started.enrol(started.join_token(region)) for region in ("fra", "nyc")]
            clock.move_to(THEN)
            assert not started.apply(FLEET + CONTRACT).problems
            clock.move_to(THEN + 20 * MINUTE)
            for place, site in enumerate(sites):
                _send(started, site, THEN + MINUTE + place)
            clock.move_to(THEN + 2 * 86_400_000_000)
            yield started


def _send(controller: Running, site: Site, start_us: int) -> None:
    outcomes = ["up", "up", "down", "down", "down", "up", "up"]
    lines = [
        line(site, seq, at_us=start_us + seq * MINUTE, outcome=outcome)
        for seq, outcome in enumerate(outcomes, 1)
    ]
    with connected(controller, site) as stream:
        stream.send(frame=frame(lines))
        stream.until("ack")


def vedette(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def login(controller: Running, role: Role) -> None:
    token = controller.state.parent / "token"
    token.write_text(controller.token_of(role))
    result = vedette(
        "login", controller.people_address, "--ca", str(controller.state / "ca.pem"),
        "--token-file", str(token),
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr


@pytest.fixture(autouse=True)
def logged_in(controller: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_CONFIG", str(tmp_path / "config"))
    login(controller, Role.OPERATOR)


def document(*arguments: str) -> Any:
    result = vedette("claim", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def create(folder: Path, *more: str) -> Result:
    return vedette(
        "claim", "create", "--contract", "gold", "--period", "2026-01-10", "-o", str(folder), *more
    )


def test_s50_a_claim_from_breach_to_settlement(controller: Running, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    made = create(pack)
    assert made.exit_code == 0, made.stderr
    assert "CLM-1 draft: 5.00 EUR claimed" in made.stdout
    assert "vedette claim submit CLM-1" in made.stdout
    recomputed = vedette(
        "sla", "compute", "--config", str(pack / "fleet.yaml"), "--timeline", str(pack / "timeline.json"),
        "--contract", "gold", "--period", "2026-01-10", "--json",
        "--as-of", str(document("show", "CLM-1")["claim"]["as_of_us"]),
    )  # fmt: skip
    assert recomputed.exit_code == 1
    assert recomputed.stdout_bytes == (pack / "attainment.json").read_bytes()
    refused = create(tmp_path / "other")
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "CLM-1 (draft) claims availability for 2026-01-10 already" in refused.stderr
    assert not (tmp_path / "other").exists()
    vedette("claim", "submit", "CLM-1")
    vedette("claim", "dispute", "CLM-1", "--reason", "we saw two minutes")
    shown = vedette("claim", "settle", "CLM-1", "--amount", "4.00")
    assert "CLM-1 settled: 5.00 EUR" in shown.stdout
    (listed,) = document("list")["claims"]
    assert [(one["action"], one["amount"]) for one in listed["history"]] == [
        ("create", None), ("submit", None), ("dispute", None), ("settle", "4.00"),
    ]  # fmt: skip
    assert "CLM-1" in vedette("claim", "list", "--contract", "gold").stdout
    assert vedette("claim", "pack", "CLM-1", "-o", str(tmp_path / "again")).exit_code == 0
    for one in pack.rglob("*"):
        again = tmp_path / "again" / one.relative_to(pack)
        assert one.is_dir() or one.read_bytes() == again.read_bytes()


def test_s50_what_is_refused_says_what_to_do(controller: Running, tmp_path: Path) -> None:
    taken = create(tmp_path)
    assert (taken.exit_code, "Name another folder" in taken.stderr) == (2, True)
    later = vedette(
        "claim", "create", "--contract", "gold", "--period", "2026-01-12", "-o", str(tmp_path / "p")
    )
    assert (later.exit_code, "2026-01-12 is not over" in later.stderr) == (3, True)
    assert vedette("claim", "withdraw", "CLM-1").exit_code == 2
    missing = vedette("claim", "show", "CLM-99")
    assert (missing.exit_code, "There is no claim CLM-99" in missing.stderr) == (2, True)


def test_s50_auditors_read_and_do_not_write(controller: Running, tmp_path: Path) -> None:
    login(controller, Role.AUDITOR)
    assert vedette("claim", "list").exit_code == 0
    refused = create(tmp_path / "pack")
    assert (refused.exit_code, "needs the role" in refused.stderr) == (3, True)
    login(controller, Role.COUNTERPARTY)
    assert vedette("claim", "list").exit_code == 3


def test_evidence_is_held_and_countered(controller: Running, tmp_path: Path) -> None:
    placed = vedette(
        "evidence",
        "hold",
        "place",
        "--contract",
        "gold",
        "--period",
        "2026-01-10",
        "--reason",
        "audit",
    )
    assert placed.exit_code == 0, placed.stderr
    name = placed.stdout.split()[0]
    assert placed.stdout == f"{name} holds gold 2026-01-10: nothing of it is pruned.\n"
    listed = json.loads(vedette("evidence", "hold", "list", "--json").stdout)["holds"]
    assert (listed[0]["handle"], listed[0]["checks"], listed[0]["reason"]) == (
        name,
        ["home"],
        "audit",
    )
    login(controller, Role.AUDITOR)
    refused = vedette("evidence", "hold", "lift", name, "--reason", "over")
    assert (refused.exit_code, "needs the role admin or operator" in refused.stderr) == (3, True)
    login(controller, Role.OPERATOR)
    assert "is lifted" in vedette("evidence", "hold", "lift", name, "--reason", "over").stdout
    shown = vedette("evidence", "hold", "list", "--all").stdout
    assert "over" in shown
    none = vedette("evidence", "hold", "place", "--reason", "why")
    assert (none.exit_code, "Expected one of these" in none.stderr) == (2, True)
    file = tmp_path / "theirs.json"
    file.write_bytes(b'{"up":true}')
    said = vedette("evidence", "counter", "OUT-1", "--text", "it was up", "--file", str(file))
    assert (said.exit_code, "as a leaf of the log" in said.stdout) == (0, True), said.stderr
    file.write_bytes(b"x" * 70_000)
    large = vedette("evidence", "counter", "OUT-1", "--text", "and\nhere", "--file", str(file))
    assert "only its SHA-256" in large.stdout
    outage = vedette("outage", "show", "OUT-1")
    assert "(operator): it was up" in outage.stdout
    assert "theirs.json, 11 bytes, kept, SHA-256 " in outage.stdout
    assert "70000 bytes, not kept here" in vedette("outage", "history", "OUT-1").stdout
    found = json.loads(vedette("outage", "show", "OUT-1", "--json").stdout)["outage"]["counters"]
    assert [(one["file"], one["is_kept"]) for one in found] == [
        ("theirs.json", True),
        ("theirs.json", False),
    ]
    assert "it was up" in vedette("evidence", "counter", "OUT-1").stdout
    none = vedette("evidence", "counter", "--contract", "gold", "--period", "2026-01-10")
    assert "Nothing was said against it" in none.stdout
    missing = vedette("evidence", "counter", "OUT-1", "--file", str(file))
    assert (missing.exit_code, "Expected --text with --file" in missing.stderr) == (2, True)
    gone = vedette("evidence", "counter", "OUT-1", "--text", "x", "--file", str(tmp_path / "none"))
    assert gone.exit_code == 2
