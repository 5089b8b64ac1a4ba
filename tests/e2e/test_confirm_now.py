"""Confirm now with real processes: three agents at an interval of a minute, and an outage known in seconds."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.cli.channel import connected
from controller.cli.demo.targets import Weather, targets
from tests.e2e.watched_stage import REGIONS, WatchedStage, are_up, have_ended, outages

SECOND = 1_000_000
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


def lines(stage: WatchedStage) -> list[dict[str, Any]]:
    """The lines of the check."""
    return [one for one in stage.lines() if one["check"] == "home"]


def looks_since(stage: WatchedStage, at_us: int) -> dict[str, int]:
    """How often each region looked by order since then."""
    found = dict.fromkeys(REGIONS, 0)
    for line in lines(stage):
        if line.get("trigger") == "confirm" and line["at"] > at_us:
            found[line["region"]] += 1
    return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[WatchedStage, Weather]]:
    weather = Weather()
    with WatchedStage(tmp_path) as stage, targets(weather) as ports:
        stage.begin(FLEET.format(http=ports.http))
        yield stage, weather


@pytest.mark.timeout(300)
def test_an_outage_is_known_in_seconds_watched_closely_and_over_as_soon(
    scene: tuple[WatchedStage, Weather],
) -> None:
    stage, weather = scene
    stage.until("all regions up", are_up)
    weather.is_down = True
    (outage,) = stage.until("the outage", outages)
    first = next(one for one in lines(stage) if one["outcome"] == "down")
    assert outage.detected_us - first["at"] < SOON_US
    # The first failure came in a slot, and made the other regions look at once.
    assert first.get("trigger", "schedule") == "schedule"
    looks = looks_since(stage, first["at"])
    assert all(looks[region] for region in REGIONS if region != first["region"])

    # In the middle of it the controller is killed, and an agent too: both go on with it.
    stage.kill("controller")
    stage.kill("nyc")
    stage.serve()
    stage.start_agent("nyc")
    again_us = time.time_ns() // 1000
    stage.until("every region to look again", lambda _: min(looks_since(stage, again_us).values()))

    weather.is_down = False
    stage.until("the end of the outage", have_ended)
    with connected(stage.login()) as connection:
        (ended,) = outages(connection)
    works = (one["at"] for one in lines(stage) if one["outcome"] == "up" and one["at"] > again_us)
    assert ended.closed_known_us - min(works) < SOON_US
