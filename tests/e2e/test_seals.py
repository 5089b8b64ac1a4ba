"""Seals with real processes: what was probed is sealed, across kills of both sides."""

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from controller.cli.demo.targets import Weather, targets
from tests.e2e.sealing_stage import SealingStage

WAIT_SECONDS_MAX = 60.0
FLEET = """\
version: 1
regions: [{{id: fra}}]
services: [{{id: shop}}, {{id: dns}}]
checks:
  - {{id: home, service: shop, every: 1s, timeout: 500ms, http: {{url: "http://127.0.0.1:{http}/"}}}}
  - {{id: other, service: dns, every: 10s, timeout: 500ms, http: {{url: "http://127.0.0.1:{http}/"}}}}
"""


def streams(stage: SealingStage) -> dict[str, dict[str, Any]]:
    """The streams of the present epoch, by name."""
    answer = json.loads(stage.command("evidence", "streams", "--json"))
    return {one["stream"]: one for one in answer["streams"]}


def until(stage: SealingStage, holds: Callable[[dict[str, dict[str, Any]]], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not holds(found := streams(stage)):
        assert stage.dead() is None, stage.dead()
        assert time.monotonic() < deadline, found


def test_everything_that_was_probed_is_sealed_across_kills_of_both_sides(tmp_path: Path) -> None:
    with SealingStage(tmp_path) as stage, targets(Weather()) as ports:
        stage.start_controller()
        fleet = tmp_path / "fleet.yaml"
        fleet.write_text(FLEET.format(http=ports.http))
        stage.command("apply", "-f", str(fleet))
        stage.enrol("fra")
        stage.start_agent("fra")
        until(stage, lambda s: "shop" in s and s["shop"]["seals"] >= 2)
        for victim in ("fra", "controller", "fra"):
            before = streams(stage)["shop"]["sealed_lines"]
            stage.kill(victim)
            if victim == "controller":
                stage.serve()
            else:
                stage.start_agent(victim)
            until(stage, functools.partial(_has_sealed, before + 3))
        stage.terminate("fra")
        shop, dns = (streams(stage)[name] for name in ("shop", "dns"))
        for one in (shop, dns):
            assert (one["unsealed_lines"], one["lost"]) == (0, 0)
            assert (one["missing_seals"], one["forked_seals"]) == (0, 0)
            assert one["lines"] == one["seq"] == one["scheduled_slots"] - one["missed_slots"]
        assert shop["missed_slots"] < shop["scheduled_slots"]
        # A stream that rarely has a line is sealed all the same.
        assert dns["seals"] > dns["lines"]
        table = stage.command("evidence", "streams")
        assert "MISSED SLOTS" in table


def _has_sealed(lines: int, seen: dict[str, Any]) -> bool:
    return bool(seen["shop"]["sealed_lines"] > lines)
