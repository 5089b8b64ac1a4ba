"""A stage with an agent in each of three regions, watched over one connection until something holds."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

from controller.cli.channel import Connection, connected
from controller.cli.demo.stage import Stage
from vedette.v1 import (
    access_pb2,
    access_pb2_grpc,
    fleet_pb2,
    fleet_pb2_grpc,
    outage_pb2,
    outage_pb2_grpc,
)

T = TypeVar("T")
REGIONS = ("fra", "nyc", "sin")
LOOK_SECONDS = 0.25


class WatchedStage(Stage):
    """What a controller and its agents say, and all that they keep."""

    wait_seconds_max = 60.0

    def __enter__(self) -> Self:
        return self

    def begin(self, fleet: str) -> None:
        """A controller with this fleet, and every agent enrolled and running."""
        path = self.folder / "fleet.yaml"
        path.write_text(fleet)
        self.start_controller()
        self.command("apply", "-f", str(path))
        for region in REGIONS:
            self.enrol(region)
            self.start_agent(region)

    def until(self, what: str, holds: Callable[[Connection], T]) -> T:
        """What `holds` gives, once it gives something."""
        deadline = time.monotonic() + self.wait_seconds_max
        with connected(self.login()) as connection:
            while not (found := holds(connection)):
                assert self.dead() is None, self.dead()
                assert time.monotonic() < deadline, f"waited in vain for {what}"
                time.sleep(LOOK_SECONDS)
        return found

    def lines(self) -> list[dict[str, Any]]:
        """Every line that the controller keeps, in order of time."""
        text = self.command("db", "lines", "--state", str(self.folder / "controller"))
        return sorted(map(json.loads, text.splitlines()), key=lambda one: one["at"])


def outages(connection: Connection) -> Sequence[outage_pb2.Outage]:
    """Every outage that there is."""
    stub = outage_pb2_grpc.OutageServiceStub(connection.channel)
    return stub.ListOutages(outage_pb2.ListOutagesRequest(), **connection.call).outages


def have_ended(connection: Connection) -> bool:
    """No outage is open."""
    return all(outage.HasField("ended_us") for outage in outages(connection))


def are_away(connection: Connection) -> bool:
    """No agent has a stream: what they sent is taken, and nothing more comes."""
    stub = access_pb2_grpc.AgentServiceStub(connection.channel)
    agents = stub.ListAgents(access_pb2.ListAgentsRequest(), **connection.call).agents
    return not any(one.connected for one in agents)


def are_up(connection: Connection) -> bool:
    """Every region says UP of every check; those that have not reported of one are asked to."""
    stub = fleet_pb2_grpc.FleetServiceStub(connection.channel)
    checks = stub.ListChecks(fleet_pb2.ListChecksRequest(), **connection.call).checks
    waiting = [one.id for one in checks if [v.label for v in one.labels] != ["UP"] * len(REGIONS)]
    for check in waiting:
        stub.ProbeNow(fleet_pb2.ProbeNowRequest(check=check), **connection.call)
    return not waiting
