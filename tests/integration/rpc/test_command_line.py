"""The command line against a controller that runs: tables, documents, refusals, exit codes."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import cli
from controller.identity.roles import Role
from tests.integration.rpc.running import FLEET, Running, connected, frame, line, now_us


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, without a login."""
    monkeypatch.setenv("VEDETTE_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def vedette(*arguments: str, text: str | None = None) -> Result:
    result = CliRunner().invoke(cli, arguments, input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def login(controller: Running, role: Role = Role.ADMIN) -> Result:
    return vedette(
        "login", controller.people_address, "--ca", str(controller.state / "ca.pem"),
        "--token-file", "-", text=controller.token_of(role),
    )  # fmt: skip


@pytest.fixture
def logged_in(controller: Running, folder: Path) -> Path:
    """A user's folder, with an admin's login."""
    assert login(controller).exit_code == 0
    (folder / "fleet.yaml").write_bytes(FLEET)
    return folder


def test_login_says_who_and_keeps_it_private(controller: Running, folder: Path) -> None:
    result = login(controller, Role.AUDITOR)
    assert f"Logged in to {controller.people_address} as auditor (auditor), until" in result.stdout
    kept = folder / "config" / "contexts" / "default.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_token_that_is_not_accepted_is_not_kept(controller: Running, folder: Path) -> None:
    result = vedette(
        "login", controller.people_address, "--ca", str(controller.state / "ca.pem"),
        "--token-file", "-", text=f"vdt_{'0' * 16}_{'a' * 43}",
    )  # fmt: skip
    assert result.exit_code == 3
    assert result.stderr == ("Error: This token is not known here; ask an admin for a new one.\n")
    assert not (folder / "config" / "contexts" / "default.json").exists()


def test_a_wrong_ca_is_a_sentence(controller: Running, folder: Path) -> None:
    other = vedette("init", "--state", "other", "--token-file", "token")
    assert other.exit_code == 0
    result = vedette(
        "login", controller.people_address, "--ca", "other/ca.pem", "--token-file", "token"
    )
    assert result.exit_code == 3
    assert "is not of the CA that was given" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_no_controller_is_a_sentence(logged_in: Path) -> None:
    kept = logged_in / "config" / "contexts" / "default.json"
    document = json.loads(kept.read_text()) | {"address": "127.0.0.1:1"}
    kept.write_text(json.dumps(document))
    result = vedette("check", "list")
    assert result.exit_code == 3
    assert result.stderr == (
        "Error: There is no controller at 127.0.0.1:1: check the address and that it runs.\n"
    )


def test_a_role_that_may_not_is_a_sentence(controller: Running, logged_in: Path) -> None:
    login(controller, Role.AUDITOR)
    result = vedette("apply")
    assert result.exit_code == 3
    assert result.stderr == (
        "Error: Apply needs the role admin; the token of auditor has the role auditor.\n"
    )


def test_plan_shows_and_apply_changes(controller: Running, logged_in: Path) -> None:
    (logged_in / "fleet.yaml").write_bytes(FLEET.replace(b"every: 60s", b"every: 30s", 1))
    planned = vedette("plan")
    assert planned.exit_code == 0
    assert "~ check home\n    every: '60s' -> '30s'\n" in planned.stdout
    assert vedette("plan", "--json").stdout == vedette("plan", "--json").stdout
    applied = json.loads(vedette("apply", "--json").stdout)
    assert [(c["action"], c["noun"], c["id"]) for c in applied["changes"]] == [
        ("change", "check", "home")
    ]
    assert vedette("plan").stdout == "Nothing to change.\n"
    (logged_in / "fleet.yaml").write_bytes(FLEET)
    assert vedette("apply").exit_code == 0


CONTRACTS = b"""\
contracts:
  - id: acme
    effective_from: 0
    scope: {checks: [home]}
    objectives: [{id: availability, target: "99.9"}]
  - id: hosting
    level: underpinning
    parent: acme
    effective_from: 0
    scope: {checks: [home]}
    objectives: [{id: availability, target: "99.5"}]
"""


def test_s49_a_promise_above_what_underpins_it_is_warned_of_and_refused_nowhere(
    controller: Running, logged_in: Path
) -> None:
    (logged_in / "fleet.yaml").write_bytes(FLEET + CONTRACTS)
    line = FLEET.count(b"\n") + 5
    text = (
        "acme promises 99.9 % (availability), which is more than what underpins it gives at best, if"
        " failures are independent: hosting 99.5 %"
    )
    for command in ("plan", "apply", "apply"):
        result = vedette(command)
        assert result.exit_code == 0
        assert f"! fleet.yaml:{line}: {text}.\n" in result.stdout
    planned = json.loads(vedette("plan", "--json").stdout)
    assert planned["warnings"] == [{"line": line, "text": text}]
    assert f"! {text}.\n" in vedette("sla", "status").stdout
    status = vedette("sla", "status", "--json")
    assert json.loads(status.stdout)["version"] == 1
    assert status.stderr == f"! {text}.\n"
    (logged_in / "fleet.yaml").write_bytes(FLEET)
    assert vedette("apply").exit_code == 0


def test_every_problem_of_a_file_has_its_line(logged_in: Path) -> None:
    bad = FLEET.replace(b"id: shop}]", b"id: Shop}]").replace(b"url:", b"urll:")
    (logged_in / "bad.yaml").write_bytes(bad)
    result = vedette("apply", "-f", "bad.yaml")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert lines[0] == "Error: bad.yaml cannot be used, and nothing was changed:"
    assert any(one.startswith("bad.yaml:3: services[0].id: expected an id") for one in lines)
    assert any(one.startswith("bad.yaml:5: checks[0].http.urll: expected no") for one in lines)
    assert json.loads(vedette("export", "--json").stdout)["fleet"].encode() == FLEET


def test_export_gives_the_bytes_back(logged_in: Path) -> None:
    assert vedette("export").stdout_bytes == FLEET
    assert vedette("export", "--out", "copy.yaml").exit_code == 0
    assert (logged_in / "copy.yaml").read_bytes() == FLEET


def test_checks_are_listed(logged_in: Path) -> None:
    table = vedette("check", "list").stdout.splitlines()
    assert table[0].split()[:3] == ["ID", "SERVICE", "KIND"]
    assert table[1].split()[:4] == ["home", "shop", "http", "https://shop.example/"]
    document = json.loads(vedette("check", "list", "--json").stdout)
    assert [check["id"] for check in document["checks"]] == ["home", "name"]
    assert document["checks"][1]["regions"] == ["nyc"]
    assert document["version"] == 1


def test_a_probe_without_agents_is_a_sentence(logged_in: Path) -> None:
    result = vedette("check", "probe", "name")
    assert result.exit_code == 3
    assert "No agent of check name is connected" in result.stderr
    unknown = vedette("check", "probe", "nope")
    assert unknown.exit_code == 2
    assert "no check 'nope'" in unknown.stderr


def test_a_join_file_holds_what_an_agent_needs(controller: Running, logged_in: Path) -> None:
    result = vedette("agent", "token", "create", "--region", "fra", "--out", "join.json")
    assert result.exit_code == 0
    path = logged_in / "join.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(path.read_text())
    port = controller.people_address.rsplit(":", 1)[-1]
    assert set(document) == {
        "version", "address", "token_id", "token_secret", "expires", "ca_certificate",
    }  # fmt: skip
    assert document["address"] == f"localhost:{port}"
    assert document["ca_certificate"].encode() == controller.ca_pem
    assert document["expires"].endswith("Z")
    assert document["token_secret"] not in result.output
    again = vedette("agent", "token", "create", "--region", "fra", "--out", "join.json")
    assert again.exit_code == 2
    assert "already there" in again.stderr


def test_a_join_file_for_no_region_is_refused(logged_in: Path) -> None:
    result = vedette("agent", "token", "create", "--region", "mars", "--out", "-")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: Expected a region of the fleet file (fra, nyc), found 'mars'.\n"
    )


CONTRACT = b"""contracts:
  - id: gold
    title: Shop, gold
    party: ACME GmbH
    effective_from: 2026-01-01T00:00:00+01:00
    scope: {checks: [home]}
    period: {kind: month, tz: Europe/Warsaw}
    objectives: [{id: availability, metric: availability, formula: time, target: "99.9", min_coverage: "0"}]
"""


def test_a_contract_stands_as_its_evidence_says(controller: Running, logged_in: Path) -> None:
    (logged_in / "fleet.yaml").write_bytes(FLEET + CONTRACT)
    assert vedette("apply").exit_code == 0
    result = vedette("sla", "status")
    header, row, *_ = result.stdout.splitlines()
    assert header.split()[:2] == ["CONTRACT", "OBJECTIVE"]
    assert row.split()[:2] == ["gold", "availability"]
    document = json.loads(vedette("sla", "status", "--json").stdout)
    (record,) = document["records"]
    assert (record["contract"], record["target"]) == ("gold", "99.9")
    assert (record["verdict"] == "breached") == (result.exit_code == 1)
    unknown = vedette("sla", "status", "--contract", "tin")
    assert unknown.exit_code == 2
    assert "Expected a contract in force (gold), found 'tin'." in unknown.stderr
    bad = vedette("sla", "status", "--period", "last month")
    assert bad.exit_code == 2
    (logged_in / "fleet.yaml").write_bytes(FLEET)
    assert vedette("apply").exit_code == 0
    assert vedette("sla", "status").exit_code == 0


def test_the_lines_that_are_kept_come_out_as_they_came(
    controller: Running, logged_in: Path
) -> None:
    site = controller.enrol(controller.join_token("nyc"))
    lines = [line(site, seq, at_us=now_us()) for seq in range(1, 6)]
    with connected(controller, site) as stream:
        stream.send(frame=frame(lines[:3]))
        stream.send(frame=frame(lines[3:], 4))
        while stream.until("ack").durable[0].seq < 5:
            pass
    kept = vedette("db", "lines", "--state", str(controller.state)).stdout_bytes
    assert b"".join(lines) in kept
