"""A controller and three agents as processes, what they are killed with, and what is left at the end."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from controller.cli.demo.targets import Ports, Weather
from tests.e2e.sealing_stage import SealingStage

REGIONS: Final = ("fra", "nyc", "sin")
CONTROLLER: Final = "controller"
CHECKS: Final = ("home", "cart", "name", "login", "search")
WAIT_SECONDS_MAX: Final = 120.0


def fleet_file(ports: Ports) -> str:
    """Five checks a second in two services, in three regions."""
    checks = "".join(
        f"  - id: {check}\n    service: {'dns' if check == 'name' else 'shop'}\n    every: 1s\n"
        f'    timeout: 500ms\n    http: {{url: "http://127.0.0.1:{ports.http}/{check}"}}\n'
        "    quorum: {freshness: 30s}\n    outage: {merge_gap: 5s}\n"
        for check in CHECKS
    )
    regions = ", ".join(f"{{id: {region}}}" for region in REGIONS)
    return f"version: 1\nregions: [{regions}]\nservices: [{{id: shop}}, {{id: dns}}]\nchecks:\n{checks}"


@dataclass
class Fleet:
    """The processes, and chaos among them."""

    stage: SealingStage
    weather: Weather
    random: Random
    kills: Counter[str] = field(default_factory=Counter)

    def start(self, ports: Ports) -> None:
        """Everything up, and probing."""
        self.stage.start_controller()
        path = self.stage.folder / "fleet.yaml"
        path.write_text(fleet_file(ports))
        self.stage.command("apply", "-f", str(path))
        for region in REGIONS:
            self.stage.enrol(region)
            self.stage.start_agent(region)

    def chaos(self, seconds: float) -> None:
        """Kill one process or several every few seconds, and let targets fail now and then."""
        end = time.monotonic() + seconds
        turn = time.monotonic() + 8.0
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self.random.uniform(1.0, 4.0)))
            assert self.stage.dead() is None, self.stage.dead()
            if time.monotonic() >= turn:
                self.weather.is_down = not self.weather.is_down
                turn = time.monotonic() + self.random.uniform(6.0, 15.0)
            victims = self.random.sample(
                (CONTROLLER, *REGIONS), self.random.choice((1, 1, 1, 2, 4))
            )
            for victim in victims:
                self.stage.kill(victim)
                self.kills[victim] += 1
            time.sleep(self.random.choice((0.0, 0.1, 1.5)))
            for victim in sorted(victims, key=lambda _: self.random.random()):
                self.revive(victim)

    def revive(self, name: str) -> None:
        """Start a process again that was killed."""
        if name == CONTROLLER:
            self.stage.serve()
        else:
            self.stage.start_agent(name)

    def calm(self) -> None:
        """Targets up, outages over, agents told to stop, and nothing left in their spools."""
        self.weather.is_down = False
        self._until("the outages to end", lambda: all(o["ended_us"] for o in self.outages()))
        for region in REGIONS:
            self.stage.terminate(region)
        for region in REGIONS:
            self._until(f"the spool of {region} to empty", partial(self._is_empty, region))

    def _is_empty(self, region: str) -> bool:
        if not self.spool(region)["lines"]:
            return True
        self.stage.start_agent(region)
        time.sleep(2.0)
        self.stage.terminate(region)
        return False

    def _until(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not holds():
            assert self.stage.dead() is None, self.stage.dead()
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.5)

    # --- what is there

    def ask(self, *words: str) -> dict[str, Any]:
        """What a command prints as a document."""
        document: dict[str, Any] = json.loads(self.stage.command(*words, "--json"))
        return document

    def outages(self) -> list[dict[str, Any]]:
        """Every outage that the controller has."""
        found: list[dict[str, Any]] = self.ask("outage", "list")["outages"]
        return found

    def streams(self) -> list[dict[str, Any]]:
        """Every stream with its seals."""
        found: list[dict[str, Any]] = self.ask("evidence", "streams")["streams"]
        return found

    def state(self, region: str) -> Path:
        """The state directory of an agent."""
        return self.stage.folder / f"agent-{region}"

    def spool(self, region: str) -> dict[str, Any]:
        """What waits in an agent's spool."""
        state = str(self.state(region))
        text = self.stage.command("spool", "--state", state, "--json", program="agent")
        document: dict[str, Any] = json.loads(text)
        return document

    def numbered(self, region: str) -> dict[tuple[str, str, str], int]:
        """How far each stream of an agent's present epoch was numbered, by its own account."""
        positions = json.loads((self.state(region) / "spool" / "positions.json").read_bytes())
        agent = json.loads((self.state(region) / "identity" / "agent.json").read_bytes())["agent"]
        return {
            (agent, positions["epoch"], stream): last
            for stream, last in positions["used"].items()
            if "#" not in stream
        }
