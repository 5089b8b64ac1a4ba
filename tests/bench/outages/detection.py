"""How soon an outage is known: from the first failing probe to the committed row, live, at an interval of 60 s.

A controller and three agents run as processes, and every check has a target of its own that begins to fail at a
random instant. Beside it stands what the schedule alone would have taken: the same failures, seen by slots only.
How soon its end is known, from the first probe that succeeds again, is measured too.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from controller.cli.channel import Connection, connected
from controller.cli.demo.stage import Stage
from controller.cli.demo.targets import Weather, targets
from vedette.shared.slots import cadence_of, slot_at, slot_start_us
from vedette.v1 import fleet_pb2, fleet_pb2_grpc, outage_pb2, outage_pb2_grpc

REGIONS: Final = ("fra", "nyc", "sin")
INTERVAL_SECONDS: Final = 60
FAIL_AFTER: Final = 2
BAR_SECONDS: Final = 3.0
OUTAGES: Final = 8
RECOVERY_SECONDS: Final = 10
# After its target failed, a check waits for a slot in one of three regions, then for its looks.
WAIT_SECONDS_MAX: Final = 90.0
_LOOK_SECONDS: Final = 0.5
_CHECK: Final = """\
  - id: {name}
    service: shop
    every: {interval}s
    timeout: 5s
    http: {{url: "http://127.0.0.1:{port}/{name}"}}
"""


@dataclass
class Switches(Weather):
    """Every path is a target of its own, and fails from when it was switched off."""

    off: set[str] = field(default_factory=set)

    def fails_for(self, request: bytes) -> bool:
        """The path of this request was switched off."""
        return request.split(b" ", 2)[1].decode().lstrip("/") in self.off


@dataclass(frozen=True, slots=True)
class Detection:
    """One outage: when its first failing probe began and when its row was committed, microseconds.

    `by_slots_us` is when slots alone would have confirmed it. `recovered_us` is when the first probe began that
    succeeded again, and `closed_us` when the end was committed.
    """

    check: str
    failed_us: int
    detected_us: int
    by_slots_us: int
    recovered_us: int
    closed_us: int

    @property
    def seconds(self) -> float:
        """From the first failing probe to the row."""
        return (self.detected_us - self.failed_us) / 1e6

    @property
    def seconds_by_slots(self) -> float:
        """The same, had nobody been asked to look."""
        return (self.by_slots_us - self.failed_us) / 1e6

    @property
    def seconds_to_close(self) -> float:
        """From the first probe that succeeds again to the end in the row."""
        return (self.closed_us - self.recovered_us) / 1e6


def measured(
    folder: Path,
    *,
    outages: int = OUTAGES,
    seed: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Detection]:
    """Run that many outages, all within an interval, and measure each. `folder` is for the processes."""
    chance = random.Random(seed)
    checks = [f"target-{n}" for n in range(outages)]
    switches = Switches()
    with Stage(folder) as stage, targets(switches) as ports:
        _set_up(stage, checks, ports.http)
        with connected(stage.login()) as connection:
            _prime(stage, connection, checks)
            tell(f"{len(REGIONS)} agents probe {outages} targets, each every {INTERVAL_SECONDS} s")
            _toggle(switches, checks, chance, INTERVAL_SECONDS)
            found = _until(stage, "every outage", lambda: _rows(connection, outages))
            _toggle(switches, checks, chance, RECOVERY_SECONDS)
            ends = _until(stage, "every end", lambda: _rows(connection, outages, is_ended=True))
        stage.stop()
        text = stage.command("db", "lines", "--state", str(folder / "controller"))
    lines = [json.loads(line) for line in text.splitlines()]
    failed = _first(lines, "down", {})
    recovered = _first(lines, "up", {check: one.detected_us for check, one in found.items()})
    return [
        Detection(
            check,
            failed[check],
            found[check].detected_us,
            _by_slots_us(check, failed[check]),
            recovered[check],
            ends[check].closed_known_us,
        )
        for check in checks
    ]


def _set_up(stage: Stage, checks: Sequence[str], port: int) -> None:
    regions = ", ".join(f"{{id: {region}}}" for region in REGIONS)
    text = f"version: 1\nregions: [{regions}]\nservices: [{{id: shop}}]\nchecks:\n"
    text += "".join(_CHECK.format(name=c, interval=INTERVAL_SECONDS, port=port) for c in checks)
    fleet = stage.folder / "fleet.yaml"
    fleet.write_text(text)
    stage.start_controller()
    stage.command("apply", "-f", str(fleet))
    for region in REGIONS:
        stage.enrol(region)
        stage.start_agent(region)


def _prime(stage: Stage, connection: Connection, checks: Sequence[str]) -> None:
    """Wait until every region said of every check that it is up; asked, so that it takes no interval."""
    stub = fleet_pb2_grpc.FleetServiceStub(connection.channel)

    def are_up() -> bool:
        answer = stub.ListChecks(fleet_pb2.ListChecksRequest(), **connection.call)
        waiting = [one.id for one in answer.checks if [v.label for v in one.labels] != ["UP"] * 3]
        for check in waiting:
            stub.ProbeNow(fleet_pb2.ProbeNowRequest(check=check), **connection.call)
        return not waiting

    _until(stage, "every region to report", are_up)


def _toggle(
    switches: Switches, checks: Sequence[str], chance: random.Random, seconds_max: float
) -> None:
    """Let the targets fail, or work again, one after another at random instants of so many seconds."""
    begun = time.monotonic()
    instants = sorted(chance.uniform(0, seconds_max) for _ in checks)
    for check, seconds in zip(chance.sample(checks, len(checks)), instants, strict=True):
        time.sleep(max(0.0, begun + seconds - time.monotonic()))
        switches.off ^= {check}


def _rows(
    connection: Connection, count: int, *, is_ended: bool = False
) -> dict[str, outage_pb2.Outage] | None:
    """The outage of each check; None until there are so many, or so many have ended."""
    stub = outage_pb2_grpc.OutageServiceStub(connection.channel)
    answer = stub.ListOutages(outage_pb2.ListOutagesRequest(), **connection.call)
    found = {one.check: one for one in answer.outages if one.HasField("ended_us") or not is_ended}
    return found if len(found) == count else None


def _until(stage: Stage, what: str, look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not (found := look()):
        if dead := stage.dead():
            raise RuntimeError(dead)
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited in vain for {what}")
        time.sleep(_LOOK_SECONDS)
    return found


def _first(
    lines: Sequence[dict[str, Any]], outcome: str, after_us: Mapping[str, int]
) -> dict[str, int]:
    """When the first probe of each check with this outcome began, by the controller's clock."""
    first: dict[str, int] = {}
    for line in lines:
        check = line["check"]
        at_us = line["at"] - (line.get("clock") or {}).get("offset", 0)
        if line["outcome"] == outcome and at_us > after_us.get(check, 0):
            first[check] = min(at_us, first.get(check, at_us))
    return first


def _by_slots_us(check: str, failed_us: int) -> int:
    """When the second of three regions had failed twice in slots, from the first failing slot on."""
    confirmed: list[int] = []
    for region in REGIONS:
        cadence = cadence_of(check, INTERVAL_SECONDS * 1_000_000, region, REGIONS)
        # A probe begins a little after its slot: the failing one counts as the first.
        slot = slot_at(cadence, failed_us - 1_000_000) + 1
        confirmed.append(slot_start_us(cadence, slot + FAIL_AFTER - 1))
    return sorted(confirmed)[len(REGIONS) // 2]


def rank(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * percent // 100), 1) - 1]


def report(found: Sequence[Detection]) -> str:
    """The figures, for people."""
    lines = [
        f"{one.check:10} {one.seconds:7.2f} s   by slots alone {one.seconds_by_slots:7.2f} s"
        f"   its end {one.seconds_to_close:7.2f} s"
        for one in found
    ]
    p50 = _line(lines, "first failing probe to outage row", [one.seconds for one in found])
    p50_slots = _line(lines, "by slots alone", [one.seconds_by_slots for one in found])
    _line(lines, "first success to its end known", [one.seconds_to_close for one in found])
    verdict = "met" if p50 <= BAR_SECONDS else "MISSED"
    lines.append(f"ratio {p50 / p50_slots:.3f}; bar: p50 <= {BAR_SECONDS:.0f} s: {verdict}")
    return "\n".join(lines)


def _line(lines: list[str], what: str, seconds: Sequence[float]) -> float:
    """Add a line with percentiles; gives the median."""
    p50, p99 = rank(seconds, 50), rank(seconds, 99)
    lines.append(f"{what:34} p50 {p50:.2f} s, p99 {p99:.2f} s ({len(seconds)} outages)")
    return p50


def main(arguments: Sequence[str] = ()) -> int:
    """Measure and print; 1 if the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outages", type=int, default=OUTAGES)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    print(f"detection: seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="vedette-detection-") as folder:
        found = measured(Path(folder), outages=chosen.outages, seed=chosen.seed, tell=print)
    print(report(found))
    return int(rank([one.seconds for one in found], 50) > BAR_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
