"""The commands as processes: from an empty folder to a list of checks."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.rpc.running import FLEET, SECONDS_MAX

ANY_PORT = ("--agents-address", "127.0.0.1:0", "--people-address", "127.0.0.1:0")


class Shell:
    """Runs `vedette` with a state and a config of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "VEDETTE_STATE": str(folder / "state"),
            "VEDETTE_CONFIG": str(folder / "config"),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "controller", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX * 3,
            check=False,
            cwd=Path(__file__).parents[3],
        )

    @contextmanager
    def serve(self) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
        """The controller as a process, and its addresses by who connects there."""
        with (self.folder / "serve.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "controller", "serve", *ANY_PORT],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=Path(__file__).parents[3],
            )
        assert process.stdout is not None
        try:
            ready = [process.stdout.readline().strip() for _ in range(2)]
            yield process, {one.split()[2]: one.rsplit(" ", 1)[-1] for one in ready}
        finally:
            process.kill()
            process.communicate(timeout=SECONDS_MAX)


def test_from_init_to_a_list_of_checks(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    token, ca, fleet = tmp_path / "token", tmp_path / "state" / "ca.pem", tmp_path / "fleet.yaml"
    fleet.write_bytes(FLEET)
    assert shell.run("init", "--token-file", str(token)).returncode == 0
    with shell.serve() as (process, addresses):
        assert set(addresses) == {"agents", "people"}
        login = shell.run("login", addresses["people"], "--ca", str(ca), "--token-file", str(token))
        assert login.returncode == 0, login.stderr
        applied = shell.run("apply", "-f", str(fleet))
        assert applied.returncode == 0, applied.stderr
        listed = shell.run("check", "list", "--json")
        assert [check["id"] for check in json.loads(listed.stdout)["checks"]] == ["home", "name"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_MAX) == 0
        assert process.stdout is not None
        assert process.stdout.read() == ""
    log = (tmp_path / "serve.log").read_text()
    assert "controller.started" in log
    assert "controller.stopped" in log
    assert token.read_text().strip() not in log


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.run("init", "--token-file", str(tmp_path / "token"))
    other = ("--state", str(tmp_path / "other"))
    shell.run("init", "--token-file", str(tmp_path / "other-token"), *other)
    with shell.serve() as (_, addresses):
        ports = ("--agents-address", addresses["agents"], "--people-address", "127.0.0.1:0")
        taken = shell.run("serve", *ports, *other)
    assert taken.returncode == 3
    assert taken.stdout == ""
    assert taken.stderr == (
        f"Error: Cannot listen on {addresses['agents']}: the port is in use, or the address is not"
        " of this machine.\n"
    )


def test_a_second_controller_on_one_state_directory_is_one_sentence(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.run("init", "--token-file", str(tmp_path / "token"))
    with shell.serve() as (process, _):
        second = shell.run("serve", *ANY_PORT)
    state = tmp_path / "state"
    assert (second.returncode, second.stdout) == (3, "")
    assert second.stderr == (
        f"Error: Another vedette serve (process {process.pid}) is using {state}: stop it first, or give"
        " this one a state directory of its own with --state.\n"
    )


def test_what_was_applied_survives_a_kill(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    token, ca = tmp_path / "token", tmp_path / "state" / "ca.pem"
    (tmp_path / "fleet.yaml").write_bytes(FLEET)
    shell.run("init", "--token-file", str(token))
    with shell.serve() as (process, addresses):
        shell.run("login", addresses["people"], "--ca", str(ca), "--token-file", str(token))
        assert shell.run("apply", "-f", str(tmp_path / "fleet.yaml")).returncode == 0
        process.kill()
    with shell.serve() as (_, addresses):
        shell.run("login", addresses["people"], "--ca", str(ca), "--token-file", str(token))
        assert shell.run("export").stdout.encode() == FLEET
