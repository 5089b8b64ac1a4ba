"""Confirm now with real processes: three agents at an interval of a minute, and an outage known in seconds."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.cli.channel import Connection, connected
from controller.cli.demo.stage import Stage
from controller.cli.demo.targets import Weather, targets
from vedette.v1 import fleet_pb2, fleet_pb2_grpc, outage_pb2, outage_pb2_grpc

REGIONS = ("fra", "nyc", "sin")
SECOND = 1_000_000
# A slot of some region comes within 20 s. Everything else takes seconds, also on a busy machine.
WAIT_SECONDS_MAX = 60.0
# By slots alone it would take a minute and more.
SOON_US = 15 * SECOND
FLEET = """\
version: 1
regions: [{{id: fra}}, {{id: nyc}}, {{id: sin}}]
services: [{{id: shop}}]
checks:
  - id: home
    service: shop
    every: 60s
    timeout: 5s
    http: {{url: "http://127.0.0.1:{http}/"}}
    outage: {{every: 5s}}
"""


class Scene:
    """A controller with three agents that have reported, and what is to be seen of them."""

    def __init__(self, stage: Stage, weather: Weather) -> None:
        self.stage = stage
        self.weather = weather

    def until(self, what: str, holds: Callable[[Connection], Any]) -> Any:
        """What `holds` gives, once it gives something."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        with connected(self.stage.login()) as connection:
            while not (found := holds(connection)):
                assert self.stage.dead() is None, self.stage.dead()
                assert time.monotonic() < deadline, f"waited in vain for {what}"
                time.sleep(0.1)
        return found

    def outages(self, connection: Connection) -> list[outage_pb2.Outage]:
        stub = outage_pb2_grpc.OutageServiceStub(connection.channel)
        answer = stub.ListOutages(outage_pb2.ListOutagesRequest(), **connection.call)
        return list(answer.outages)

    def has_ended(self, connection: Connection) -> bool:
        return all(outage.HasField("ended_us") for outage in self.outages(connection))

    def are_up(self, connection: Connection) -> bool:
        """Every region says UP; those that have not reported are asked to."""
        stub = fleet_pb2_grpc.FleetServiceStub(connection.channel)
        (check,) = stub.ListChecks(fleet_pb2.ListChecksRequest(), **connection.call).checks
        if [vote.label for vote in check.labels] == ["UP"] * len(REGIONS):
            return True
        stub.ProbeNow(fleet_pb2.ProbeNowRequest(check="home"), **connection.call)
        return False

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the check that the controller keeps, in order of time."""
        text = self.stage.command("db", "lines", "--state", str(self.stage.folder / "controller"))
        found = [json.loads(line) for line in text.splitlines()]
        return sorted((one for one in found if one["check"] == "home"), key=lambda one: one["at"])

    def looks_since(self, at_us: int) -> dict[str, int]:
        """How often each region looked by order since then."""
        found = dict.fromkeys(REGIONS, 0)
        for line in self.lines():
            if line.get("trigger") == "confirm" and line["at"] > at_us:
                found[line["region"]] += 1
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    weather = Weather()
    with Stage(tmp_path) as stage, targets(weather) as ports:
        (tmp_path / "fleet.yaml").write_text(FLEET.format(http=ports.http))
        stage.start_controller()
        stage.command("apply", "-f", str(tmp_path / "fleet.yaml"))
        for region in REGIONS:
            stage.enrol(region)
            stage.start_agent(region)
        yield Scene(stage, weather)


@pytest.mark.timeout(300)
def test_an_outage_is_known_in_seconds_watched_closely_and_over_as_soon(scene: Scene) -> None:
    scene.until("all regions up", scene.are_up)
    scene.weather.is_down = True
    (outage,) = scene.until("the outage", scene.outages)
    failed_us = min(one["at"] for one in scene.lines() if one["outcome"] == "down")
    assert outage.detected_us - failed_us < SOON_US
    # The first failure came in a slot, and made every region look, more than once.
    first = next(one for one in scene.lines() if one["outcome"] == "down")
    assert first.get("trigger", "schedule") == "schedule"
    assert all(scene.looks_since(failed_us).values())

    # In the middle of it the controller is killed, and an agent too: both go on with it.
    scene.stage.kill("controller")
    scene.stage.kill("nyc")
    scene.stage.serve()
    scene.stage.start_agent("nyc")
    again_us = time.time_ns() // 1000
    scene.until("every region to look again", lambda _: min(scene.looks_since(again_us).values()))

    scene.weather.is_down = False
    scene.until("the end of the outage", scene.has_ended)
    with connected(scene.stage.login()) as connection:
        (ended,) = scene.outages(connection)
    recovered_us = min(
        one["at"] for one in scene.lines() if one["outcome"] == "up" and one["at"] > again_us
    )
    assert ended.closed_known_us - recovered_us < SOON_US
