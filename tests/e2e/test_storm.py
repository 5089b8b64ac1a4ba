"""A storm with real processes: every target fails at once, and agents are asked for no more than they have to give."""

import asyncio
import contextlib
import threading
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@contextlib.contextmanager
def anchors() -> Iterator[int]:
    """Something that accepts connections on every address of loopback; gives the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="anchors", daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", 0)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(timeout=10)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[WatchedStage, Weather]]:
    weather = Weather()
    with WatchedStage(tmp_path) as stage, targets(weather) as ports, anchors() as anchor:
        stage.wait_seconds_max = 120.0
        stage.begin(fleet(ports.http, anchor))
        yield stage, weather


def most_within(times: list[int], span_us: int) -> int:
    """The most instants that lie within a span of this length."""
    return max(bisect_left(times, at_us + span_us) - place for place, at_us in enumerate(times))


@pytest.mark.timeout(300)
def test_a_storm_is_confirmed_within_its_budget(scene: tuple[WatchedStage, Weather]) -> None:
    stage, weather = scene
    stage.until("every check to be up", are_up)
    weather.is_down = True
    stage.until("every check to be judged", lambda peer: len(outages(peer)) == CHECKS)

    lines = stage.lines()
    failed_us = min(one["at"] for one in lines if one["outcome"] == "down")
    looks = [one for one in lines if one.get("trigger") == "confirm"]
    for region in REGIONS:
        own = [one["at"] for one in looks if one["region"] == region]
        assert len(own) > CHECKS // 4
        assert most_within(own, SECOND) <= 3 * CONFIRM_AGENT_ORDERS_PER_SECOND
        assert most_within(own, 10 * SECOND) <= 12 * CONFIRM_AGENT_ORDERS_PER_SECOND
    answered_us = min(
        one["at"] for one in lines if one["check"] == "@anchors" and one["at"] >= failed_us
    )
    before = {one["check"] for one in looks if one["at"] < answered_us}
    assert len(before) <= CONFIRM_FEW_FAILURES * len(REGIONS)
