"""A newcomer's proof: with the runbook alone, an agent on another machine reports, and is cut off when revoked.

The commands are those that stand in deploy/README.md, the services those of the units; only paths, the host's
name and the site's allowed network are put in.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_lines import in_shell
from tests.e2e.two_machines import Wire, connections_to, wired

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "deploy" / "README.md").read_text()
MODULES = {"vedette": "controller", "vedette-agent": "agent"}
WAIT_SECONDS_MAX = 60.0
ENROL_SECONDS_MAX = 300.0
CUT_SECONDS_MAX = 1.0
FLEET = """\
version: 1
regions: [{{id: fra}}]
services: [{{id: shop}}]
checks:
  - {{id: home, service: shop, every: 1s, timeout: 900ms, http: {{url: "http://{host}:{port}/"}}}}
"""


def blocks_of(section: str) -> list[tuple[str, str]]:
    """(who types it, what) of every block in a section of the runbook."""
    text = RUNBOOK.split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(
        r"^(you|controller|site)\b[^\n]*:\n```\n(.*?)```", text, re.MULTILINE | re.DOTALL
    )


class Newcomer:
    """Types what the runbook says, at three places."""

    def __init__(self, folder: Path, wire: Wire) -> None:
        self.wire = wire
        self.agents_port, self.people_port = wire.port(7443), wire.port(7444)
        self.target_port = wire.port(8080)
        self.places = {who: folder / who for who in ("you", "controller", "site")}
        for place in self.places.values():
            (place / "home").mkdir(parents=True)
        self._said: dict[str, str] = {
            "/var/lib/vedette-agent": str(self.places["site"] / "state"),
            "/var/lib/vedette": str(self.places["controller"] / "state"),
            "probe.example.net:7444": f"{wire.host}:{self.people_port}",
            "probe.example.net": wire.host,
            "${VEDETTE_AGENTS_ADDRESS}": f"{wire.host}:{self.agents_port}",
            "${VEDETTE_PEOPLE_ADDRESS}": f"{wire.host}:{self.people_port}",
        }
        self.services: dict[str, subprocess.Popen[bytes]] = {}

    def types(self, section: str, *more: str) -> None:
        """Everything in a section, in its order; `more` goes to `join`."""
        for who, block in blocks_of(section):
            for line in block.splitlines():
                service = re.search(r"systemctl enable --now (\S+)", line)
                if service is not None:
                    self.start(service[1])
                    continue
                for command in in_shell(line):
                    extra = more if command.argv[1:2] == ["join"] else ()
                    self.run(who, [*command.argv, *extra], command.stdin)
            self._carry()

    def run(self, who: str, argv: list[str], stdin: str | None = None) -> str:
        """What one command prints; it must end with 0."""
        place = self.places[who]
        done = subprocess.run(
            self.placed(who, argv),
            cwd=place,
            env=self.environment(place),
            input=(place / stdin).read_text() if stdin else "",
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    def ask(self, *words: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.run("you", ["vedette", *words, "--json"]))
        return document

    def start(self, service: str) -> subprocess.Popen[bytes]:
        """What the unit of that name starts."""
        who = "site" if service == "vedette-agent" else "controller"
        unit = (
            ROOT / "deploy" / service.removeprefix("vedette-") / f"{service}.service"
        ).read_text()
        (command,) = in_shell(re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)[0])
        return self.serve(service, who, self.placed(who, list(command.argv)))

    def serve(self, name: str, who: str, words: list[str]) -> subprocess.Popen[bytes]:
        """Start something that goes on; its log is `<name>.log`."""
        place = self.places[who]
        with (place / f"{name}.log").open("ab") as log:
            self.services[name] = subprocess.Popen(
                words, cwd=place / "home", env=self.environment(place), stdout=log, stderr=log
            )
        if name == "vedette-controller":
            told = place / f"{name}.log"
            self.until("the controller", lambda: told.read_text().count("Listening for") == 2)
        return self.services[name]

    def serve_target(self) -> None:
        """Something to probe, beside the controller."""
        server = [sys.executable, "-m", "http.server", str(self.target_port)]
        self.serve("target", "controller", [*self.wire.here, *server, "--bind", self.wire.host])
        fleet = FLEET.format(host=self.wire.host, port=self.target_port)
        (self.places["you"] / "fleet.yaml").write_text(fleet)

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not holds():
            ended = [name for name, one in self.services.items() if one.poll() is not None]
            assert not ended, f"{ended} ended while waiting for {what}"
            assert time.monotonic() < deadline, f"waited in vain for {what}"

    def stop(self) -> None:
        for process in self.services.values():
            process.terminate()
        for process in self.services.values():
            process.wait(WAIT_SECONDS_MAX)

    def placed(self, who: str, argv: list[str]) -> list[str]:
        words = [self._told(word) for word in argv[1:]]
        prefix = self.wire.there if who == "site" else self.wire.here
        return [*prefix, sys.executable, "-m", MODULES[argv[0]], *words]

    def _told(self, word: str) -> str:
        for said, meant in self._said.items():
            word = word.replace(said, meant)
        return word

    def _carry(self) -> None:
        """What people carry from place to place."""
        state, you = self.places["controller"] / "state", self.places["you"]
        for name in ("ca.pem", "admin.token"):
            if (state / name).exists():
                shutil.copy(state / name, you / name)
        if (you / "fra.join").exists():
            (you / "fra.join").replace(self.places["site"] / "fra.join")

    def environment(self, place: Path) -> dict[str, str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith("VEDETTE_")}
        path = os.pathsep.join([str(ROOT), str(ROOT / "protos")])
        return {**own, "PYTHONPATH": path, "HOME": str(place / "home"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    with wired() as wire:
        one = Newcomer(tmp_path, wire)
        try:
            one.serve_target()
            yield one
        finally:
            one.stop()


@pytest.mark.timeout(400)
def test_by_the_runbook_alone_an_agent_is_enrolled_and_then_cut_off_within_a_second(
    newcomer: Newcomer,
) -> None:
    newcomer.types("Start a controller")
    began = time.monotonic()
    newcomer.types("Enrol an agent", "--allow", f"{newcomer.wire.host}/32")

    def is_reporting() -> bool:
        (agent,) = newcomer.ask("agent", "list")["agents"]
        return bool(agent["connected"] and int(agent["lines"]) > 0)

    newcomer.until("the agent to report", is_reporting)
    (check,) = newcomer.ask("check", "list")["checks"]
    enrolled_seconds = time.monotonic() - began
    assert [vote["label"] for vote in check["labels"]] == ["UP"]
    assert enrolled_seconds < ENROL_SECONDS_MAX

    agent = newcomer.services["vedette-agent"]
    assert connections_to(newcomer.agents_port, agent.pid) == 1
    ((_, block),) = blocks_of("Revoke an agent")
    (command,) = in_shell(block)
    revoking = subprocess.Popen(
        newcomer.placed("you", [*command.argv, "--json"]),
        env=newcomer.environment(newcomer.places["you"]),
        stdout=subprocess.PIPE,
    )
    newcomer.services.pop("vedette-agent")
    newcomer.until("the cut", lambda: not connections_to(newcomer.agents_port, agent.pid))
    cut_us = time.time_ns() // 1000
    told, _ = revoking.communicate(timeout=WAIT_SECONDS_MAX)
    answer = json.loads(told)
    cut_seconds = (cut_us - answer["revoked_us"]) / 1_000_000
    assert answer["was_connected"]
    assert cut_seconds < CUT_SECONDS_MAX
    assert agent.wait(WAIT_SECONDS_MAX) == 3
    print(f"enrolled and reporting in {enrolled_seconds:.1f} s, cut in {cut_seconds * 1000:.0f} ms")

    # Whatever starts it again, it stays away.
    assert newcomer.start("vedette-agent").wait(WAIT_SECONDS_MAX) == 3
    newcomer.services.pop("vedette-agent")
    log = (newcomer.places["site"] / "vedette-agent.log").read_text()
    assert "This agent was revoked, and does not run again." in log
    assert "machine stolen" in log
    assert "Traceback" not in log
    (listed,) = newcomer.ask("agent", "list")["agents"]
    assert (listed["standing"], listed["connected"]) == ("revoked", False)


def test_where_namespaces_cannot_be_made_there_is_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with wired() as wire:
        assert (wire.host, wire.here, wire.is_another_network) == ("127.0.0.1", (), False)
        assert wire.port(7443) != 0
