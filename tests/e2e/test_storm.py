"""A storm with real processes: every target fails at once, and agents are asked for no more than they have to give."""

import asyncio
import contextlib
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from controller.cli.channel import connected
from controller.cli.demo.targets import Weather, targets
from tests.e2e.watched_stage import REGIONS, WatchedStage, are_up, outages
from vedette.shared.limits import CONFIRM_AGENT_ORDERS_PER_SECOND, CONFIRM_FEW_FAILURES

ANCHORS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
CHECKS = 150
SECOND = 1_000_000


def fleet(http: int, anchor: int) -> str:
    checks = "".join(
        f"  - {{id: check-{n}, service: shop, every: 20s, timeout: 5s,"
        f' http: {{url: "http://127.0.0.1:{http}/{n}"}}}}\n'
        for n in range(CHECKS)
    )
    regions = ", ".join(f"{{id: {region}}}" for region in REGIONS)
    anchors = "".join(f"  - {{tcp: {{host: {host}, port: {anchor}}}}}\n" for host in ANCHORS)
    return (
        f"version: 1\nregions: [{regions}]\nservices: [{{id: shop}}]\n"
        f"anchors:\n{anchors}checks:\n{checks}"
    )


class Anchors:
    """Something that accepts connections on every address of loopback, until it is stopped."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="anchors", daemon=True)
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self._server = listening.result(timeout=10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", 0)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)


@dataclass
class Scene:
    """Everything runs, and every check is up."""

    stage: WatchedStage
    weather: Weather
    anchors: Anchors


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    weather = Weather()
    with (
        WatchedStage(tmp_path) as stage,
        targets(weather) as ports,
        contextlib.closing(Anchors()) as anchors,
    ):
        stage.wait_seconds_max = 120.0
        stage.begin(fleet(ports.http, anchors.port))
        stage.until("every check to be up", are_up)
        yield Scene(stage, weather, anchors)


def looks_of(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results of confirming looks."""
    return [one for one in lines if one.get("trigger") == "confirm"]


def most_within(times: list[int], span_us: int) -> int:
    """The most instants that lie within a span of this length."""
    return max(bisect_left(times, at_us + span_us) - place for place, at_us in enumerate(times))


@pytest.mark.timeout(300)
def test_a_storm_is_confirmed_within_its_budget(scene: Scene) -> None:
    scene.weather.is_down = True
    scene.stage.until("every check to be judged", lambda peer: len(outages(peer)) == CHECKS)

    lines = scene.stage.lines()
    failed_us = min(one["at"] for one in lines if one["outcome"] == "down")
    for region in REGIONS:
        own = [one["at"] for one in looks_of(lines) if one["region"] == region]
        assert len(own) > CHECKS // 4
        assert most_within(own, SECOND) <= 3 * CONFIRM_AGENT_ORDERS_PER_SECOND
        assert most_within(own, 10 * SECOND) <= 12 * CONFIRM_AGENT_ORDERS_PER_SECOND
    answered_us = min(
        one["at"] for one in lines if one["check"] == "@anchors" and one["at"] >= failed_us
    )
    before = {one["check"] for one in looks_of(lines) if one["at"] < answered_us}
    assert len(before) <= CONFIRM_FEW_FAILURES * len(REGIONS)


@pytest.mark.timeout(300)
def test_s10_agents_that_reach_nothing_make_nobody_look(scene: Scene) -> None:
    """The anchors are gone with the targets: it is the network of the agents."""
    scene.anchors.stop()
    scene.weather.is_down = True

    def failed(_: object) -> list[dict[str, Any]]:
        lines = scene.stage.lines()
        failing = {(one["check"], one["agent"]) for one in lines if one["outcome"] == "down"}
        return lines if len(failing) == CHECKS * len(REGIONS) else []

    lines = scene.stage.until("every check to fail everywhere", failed)
    assert len(looks_of(lines)) <= 2 * CONFIRM_FEW_FAILURES * len(REGIONS)
    with connected(scene.stage.login()) as connection:
        assert not outages(connection), "what is void is no outage"
