"""What happens in the demo, step by step. Every step waits for what it is to show, not for a time."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from controller.cli.channel import Connection
from controller.cli.demo.screen import Screen
from controller.cli.demo.stage import Stage
from controller.cli.demo.targets import Ports, Weather
from controller.errors import Fatal
from vedette.v1 import fleet_pb2, fleet_pb2_grpc, outage_pb2, outage_pb2_grpc

REGIONS: Final = ("fra", "nyc", "sin")
STEP_SECONDS_MAX: Final = 40.0
LOOK_SECONDS: Final = 0.25
PING_SECONDS: Final = 8.0
OUTAGE_SECONDS: Final = 10.0
BLIP_SECONDS: Final = 4.0
CALM_SECONDS: Final = 4.0

_FLEET: Final = """\
version: 1
regions: [{{id: fra, title: Frankfurt}}, {{id: nyc, title: New York}}, {{id: sin, title: Singapore}}]
services: [{{id: shop, title: Web shop, criticality: critical}}]
checks:
  - id: shop-home
    service: shop
    every: 1s
    timeout: 500ms
    http: {{url: "http://127.0.0.1:{http}/health", expect: ["status == 200", "json.ok == true"]}}
    quorum: {{rule: majority, fail_after: 2, recover_after: 2, freshness: 5s}}
    outage: {{merge_gap: 2s}}
  - id: shop-name
    service: shop
    every: 1s
    timeout: 500ms
    dns: {{name: shop.example, servers: [127.0.0.1], port: {dns}, expect: ["'192.0.2.1' in answers"]}}
    quorum: {{freshness: 5s}}
  - id: shop-ping
    service: shop
    every: 1s
    timeout: 500ms
    icmp: {{host: 127.0.0.1, count: 1}}
    quorum: {{freshness: 5s}}
"""
_CONTRACT: Final = """\
contracts:
  - id: acme-gold
    title: ACME web shop, gold
    party: ACME GmbH
    level: customer
    effective_from: {began_us}
    scope: {{checks: [shop-home]}}
    period: {{kind: month, tz: Europe/Warsaw, denominator: actual}}
    objectives:
      - {{id: availability, metric: availability, formula: time, target: "99.9", unknown: exclude, min_coverage: "95"}}
"""


class Story:
    """Plays the demo on a stage, showing it on a screen."""

    def __init__(self, stage: Stage, screen: Screen, weather: Weather, ports: Ports) -> None:
        self._stage = stage
        self._screen = screen
        self._weather = weather
        self._fleet = _FLEET.format(http=ports.http, dns=ports.dns)

    def set_up(self) -> None:
        """A controller, and an agent in each region."""
        self._stage.start_controller()
        self._screen.event(
            "controller started on SQLite; agents' and people's ports are open (TLS)"
        )
        self._apply("")
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._stage.enrol, REGIONS))
        self._screen.event(
            "three agents enrolled: one-use join tokens, keys made on the site, mTLS"
        )
        for region in REGIONS:
            self._stage.start_agent(region)

    def play(self, connection: Connection) -> None:
        """Calm, a blip of one region, calm, an outage, its end."""
        checks = self._watch(connection, "every region to report", self._all_report)
        if not _labels(checks, "shop-ping"):
            self._screen.event("ping is not permitted to this user; going on without it", "yellow")
        self._apply(_CONTRACT.format(began_us=time.time_ns() // 1000))
        self._calm(connection)

        self._screen.event("--- fra alone loses its way to the shop ---", "bold")
        self._weather.blocked_agents.add("fra-1")
        self._watch(connection, "fra to see it", lambda c: _labels(c, "shop-home")["fra"] == "DOWN")
        self._pause(connection, BLIP_SECONDS)
        self._weather.blocked_agents.clear()
        self._watch(connection, "fra to recover", _is_up)
        self._expect_outages(connection, 0)
        self._screen.event("one region against two: PARTIAL, and no outage", "green")
        self._calm(connection)

        self._screen.event("--- the shop itself fails ---", "bold")
        self._weather.is_down = True
        failed = time.monotonic()
        self._watch(connection, "an outage", lambda _: bool(self._outages(connection)))
        self._screen.event(
            f"outage confirmed {time.monotonic() - failed:.1f} s after it began", "bold red"
        )
        self._pause(connection, OUTAGE_SECONDS)
        self._weather.is_down = False
        self._screen.event("--- the shop is repaired ---", "bold")
        self._watch(connection, "the end of the outage", lambda _: self._is_closed(connection))
        self._calm(connection)
        self._expect_outages(connection, 1)

    def _apply(self, more: str) -> None:
        path = self._stage.folder / "fleet.yaml"
        path.write_text(self._fleet + more)
        self._stage.command("apply", "-f", str(path))

    def _all_report(self, checks: Sequence[fleet_pb2.Check]) -> bool:
        """HTTP and DNS are up everywhere; ping too, unless it stays silent because it is not permitted."""
        wanted = all(
            list(_labels(checks, name).values()) == ["UP"] * len(REGIONS)
            for name in ("shop-home", "shop-name")
        )
        if not wanted:
            self._ping_deadline = time.monotonic() + PING_SECONDS
            return False
        return (
            len(_labels(checks, "shop-ping")) == len(REGIONS)
            or time.monotonic() > self._ping_deadline
        )

    _ping_deadline = 0.0

    def _calm(self, connection: Connection) -> None:
        self._pause(connection, CALM_SECONDS)

    def _pause(self, connection: Connection, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._watch(connection, "time to pass", lambda _: time.monotonic() >= until)

    def _watch(
        self,
        connection: Connection,
        what: str,
        is_reached: Callable[[Sequence[fleet_pb2.Check]], bool],
    ) -> Sequence[fleet_pb2.Check]:
        """Look again and again, show what is seen, and return once `is_reached`."""
        stub = fleet_pb2_grpc.FleetServiceStub(connection.channel)
        deadline = time.monotonic() + STEP_SECONDS_MAX
        while True:
            checks = stub.ListChecks(fleet_pb2.ListChecksRequest(), **connection.call).checks
            self._screen.show(checks)
            if is_reached(checks):
                return checks
            if dead := self._stage.dead():
                raise Fatal(f"The demo cannot go on: {dead}")
            if time.monotonic() > deadline:
                raise Fatal(f"The demo waited {STEP_SECONDS_MAX:.0f} s in vain for {what}.")
            time.sleep(LOOK_SECONDS)

    def _outages(self, connection: Connection) -> Sequence[outage_pb2.Outage]:
        stub = outage_pb2_grpc.OutageServiceStub(connection.channel)
        return stub.ListOutages(outage_pb2.ListOutagesRequest(), **connection.call).outages

    def _is_closed(self, connection: Connection) -> bool:
        outages = self._outages(connection)
        return bool(outages) and all(outage.HasField("ended_us") for outage in outages)

    def _expect_outages(self, connection: Connection, count: int) -> None:
        found = len(self._outages(connection))
        if found != count:
            raise Fatal(f"The demo expected {count} outages at this point and found {found}.")


def _labels(checks: Sequence[fleet_pb2.Check], name: str) -> dict[str, str]:
    """Region -> label of the check `name`, for regions that have evidence."""
    found = next(check for check in checks if check.id == name)
    return {vote.region: vote.label for vote in found.labels if vote.label != "NONE"}


def _is_up(checks: Sequence[fleet_pb2.Check]) -> bool:
    return list(_labels(checks, "shop-home").values()) == ["UP"] * len(REGIONS)
