"""`vedette-agent doctor`: what a machine lets an agent do, and what to set where it does not."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli import diagnosis
from agent.cli.diagnosis import State
from agent.cli.main import cli
from agent.config import ASSIGNMENT_FILE, CLOCK_FILE
from agent.link.identity import DIRECTORY
from agent.probers.network.fault import Fault
from agent.runtime.assignments import StoredAssignment
from tests.unit.runtime.test_pipeline import assignment, check
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.probes import Family, HttpProbe

NO_RIGHT = "give its process CAP_NET_RAW, or set net.ipv4.ping_group_range"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine on which everything is as it should be."""
    monkeypatch.setattr(diagnosis, "permission_problem", lambda version: None)
    monkeypatch.setattr(diagnosis, "_route_problem", lambda version: None)
    monkeypatch.setattr(diagnosis, "_clock", lambda: diagnosis.Seen("clock", State.FINE, "kept"))
    return monkeypatch


def run(state: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", "--state", str(state), *options])


def seen(state: Path) -> dict[str, tuple[str, str]]:
    found = json.loads(run(state, "--json").output)["found"]
    return {one["name"]: (one["state"], one["detail"]) for one in found}


def agent_with(state: Path, *checks: Check) -> None:
    """An agent of region fra that these checks are assigned to."""
    (state / DIRECTORY).mkdir()
    StoredAssignment(state / ASSIGNMENT_FILE).save(assignment(*checks))


@pytest.fixture
def of_fra(machine: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    class Known:
        class facts:  # noqa: N801 - stands for an attribute
            region = "fra"
            session_address = enrol_address = ""

        @staticmethod
        def load(state: Path) -> "type[Known]":
            return Known

    machine.setattr(diagnosis, "Identity", Known)
    return machine


def test_a_machine_that_can_do_everything_is_fine(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    assert all(not line.startswith("BAD") for line in result.output.splitlines())
    assert json.loads(run(tmp_path, "--json").output)["fine"] is True


def test_it_says_what_to_set_for_icmp(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    machine.setattr(diagnosis, "permission_problem", lambda version: NO_RIGHT)
    result = run(tmp_path)
    assert result.exit_code == 1
    assert f"BAD   icmp      ICMP checks cannot run: {NO_RIGHT}" in result.output


def test_no_way_to_ipv6_is_worth_a_note_and_none_to_ipv4_is_bad(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    machine.setattr(diagnosis, "_route_problem", lambda version: "Network is unreachable")
    found = seen(tmp_path)
    assert (found["ipv4"][0], found["ipv6"][0]) == ("bad", "note")
    assert "checks of IPv6 addresses give agent_error" in found["ipv6"][1]


def test_a_system_without_name_servers_is_bad(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise Fault(Failure.UNRUNNABLE, "this agent's system names no DNS servers")

    machine.setattr(diagnosis, "own_servers", none)
    assert seen(tmp_path)["resolver"] == ("bad", "this agent's system names no DNS servers")


def test_the_policy_is_told_and_a_wrong_one_is_bad(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    found = seen(tmp_path)["policy"][1]
    assert found.startswith("may probe public addresses; 1000/s in all")
    assert found.endswith("(there is no policy.yaml)")
    (tmp_path / "policy.yaml").write_text("allow: [10.0.0.0/8]\ndeny: [10.9.0.0/16]\n")
    state, detail = seen(tmp_path)["policy"]
    assert state == "fine"
    assert detail.startswith("may probe public addresses, 10.0.0.0/8; never 10.9.0.0/16; ")
    (tmp_path / "policy.yaml").write_text("paused: true\n")
    state, detail = seen(tmp_path)["policy"]
    assert state == "note"
    assert "all probing is PAUSED by policy.yaml" in detail
    (tmp_path / "policy.yaml").write_text("alow: [10.0.0.0/8]\n")
    state, detail = seen(tmp_path)["policy"]
    assert state == "bad"
    assert "policy.yaml:1: alow: expected no such key" in detail


@pytest.mark.parametrize(
    ("free", "state", "words"),
    [(1 << 20, "bad", "make room"), (1 << 30, "note", "less than the 12 GiB"), (1 << 40, "fine", "")],
)  # fmt: skip
def test_room_for_the_spool_is_looked_at(
    tmp_path: Path, machine: pytest.MonkeyPatch, free: int, state: str, words: str
) -> None:
    class Usage:
        def __init__(self, path: Path) -> None:
            self.free = free

    machine.setattr("shutil.disk_usage", Usage)
    found = seen(tmp_path / "not" / "made" / "yet")["spool"]
    assert found[0] == state
    assert words in found[1]


def v6(name: str) -> Check:
    http = HttpProbe(url="http://a.example/", family=Family.IPV6)
    return Check(id=name, service="s", regions=["fra"], http=http)


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ("permission_problem", "1 of 2 assigned checks cannot run: ping: no right to send ICMP"),
        ("_route_problem", "1 of 2 assigned checks cannot run: six: no IPv6 route"),
    ],
)
def test_assigned_checks_that_cannot_run_here_are_named(
    tmp_path: Path, of_fra: pytest.MonkeyPatch, lacking: str, expected: str
) -> None:
    agent_with(tmp_path, check("ping"), v6("six"))
    assert seen(tmp_path)["checks"] == ("fine", "all 2 assigned checks can run")
    of_fra.setattr(diagnosis, lacking, lambda version: "no")
    assert seen(tmp_path)["checks"] == ("bad", expected)


def test_checks_that_the_sites_policy_refuses_are_named(
    tmp_path: Path, of_fra: pytest.MonkeyPatch
) -> None:
    agent_with(tmp_path, check("ping"), v6("six"))
    (tmp_path / "policy.yaml").write_text("kinds: [icmp]\n")
    expected = "1 of 2 assigned checks cannot run: six: this site runs no http probes (icmp only)"
    assert seen(tmp_path)["checks"] == ("bad", expected)


@pytest.mark.parametrize(
    ("offset_us", "state", "words"),
    [
        (-2_500_000, "fine", "-2.500 s from the controller's clock, give or take 0.0"),
        (61_000_000, "bad", "+61.000 s from the controller's clock"),
        (None, "note", "not measured against the controller's clock yet"),
    ],
)
def test_the_offset_that_was_measured_last_is_told(
    tmp_path: Path, machine: pytest.MonkeyPatch, offset_us: int | None, state: str, words: str
) -> None:
    if offset_us is not None:
        stored = {"offset_us": offset_us, "error_us": 900, "wall_us": time.time_ns() // 1000}
        (tmp_path / CLOCK_FILE).write_text(json.dumps(stored))
    found = seen(tmp_path)["offset"]
    assert found[0] == state
    assert words in found[1]


def test_the_controllers_ports_are_reached_or_it_is_said_which_is_not(
    tmp_path: Path, of_fra: pytest.MonkeyPatch
) -> None:
    known = vars(diagnosis)["Identity"].load(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        of_fra.setattr(known.facts, "session_address", place, raising=False)
        assert seen(tmp_path)["network"] == (
            "fine",
            f"the controller is reached at {place} (agents)",
        )
    state, detail = seen(tmp_path)["network"]
    assert state == "bad"
    assert detail == f"{place} (agents) cannot be reached: Connection refused"


def test_without_an_agent_it_says_how_to_get_one(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    state, detail = seen(tmp_path)["checks"]
    assert state == "note"
    assert "vedette-agent join" in detail


@pytest.mark.parametrize(
    "look",
    [
        lambda: diagnosis._clock(),
        lambda: diagnosis._resolver(),
        lambda: diagnosis._offset(Path("no")),
    ],
    ids=["clock", "resolver", "offset"],
)
def test_looking_at_this_very_machine_never_fails(look: Callable[[], diagnosis.Seen]) -> None:
    assert look().detail


@pytest.mark.parametrize("version", [4, 6])
def test_a_route_is_there_or_it_is_said_why_not(version: int) -> None:
    assert diagnosis._route_problem(version) != ""
