"""An outage of real agents, explained: the page is compared with the raw lines by sums of its own."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from controller.cli.demo.targets import Weather, targets
from tests.e2e.watched_stage import (
    REGIONS,
    WatchedStage,
    are_away,
    are_up,
    have_ended,
    outages,
)

FLEET = """\
version: 1
regions: [{{id: fra}}, {{id: nyc}}, {{id: sin}}]
services: [{{id: shop, criticality: critical}}]
checks:
  - id: home
    service: shop
    every: 1s
    timeout: 500ms
    http: {{url: "http://127.0.0.1:{port}/"}}
    quorum: {{fail_after: 2, recover_after: 2, freshness: 30s}}
    outage: {{merge_gap: 2s}}
"""
FRESH_US = 30_000_000
# Results are late after a second and a half; each agent is to have so many that are.
LATE_LINES = 6
Line = dict[str, Any]


def event_us(one: Line) -> int:
    """The event time of a line (S-3)."""
    clock: Line = one.get("clock", {})
    return int(one["at"]) - int(clock.get("offset", 0))


def labels(own: list[Line]) -> list[str]:
    """S-6, written down a second time: two in a row turn a region, from the first of them on."""
    found: list[str] = []
    state, run = "", 0
    for one in own:
        side = "DOWN" if one["outcome"] == "down" else "UP"
        if side == state or (not state and side == "UP"):
            state, run = side, 0
            found.append(side)
            continue
        run += 1
        found.append(state or "NONE")
        if run == 2:
            found[-2:] = [side, side]
            state, run = side, 0
    return found


def down_times(lines: list[Line]) -> list[tuple[int, int]]:
    """When two of three regions said DOWN, by these lines alone; no gap here is as long as a result counts."""
    turns: list[tuple[int, str, str]] = []
    for region in REGIONS:
        own = [one for one in lines if one["region"] == region]
        turns += [
            (event_us(one), region, label) for one, label in zip(own, labels(own), strict=True)
        ]
    said: dict[str, str] = {}
    found: list[tuple[int, int]] = []
    since = None
    for at_us, region, label in sorted(turns):
        said[region] = label
        is_down = list(said.values()).count("DOWN") >= 2
        if is_down and since is None:
            since = at_us
        elif not is_down and since is not None:
            found.append((since, at_us))
            since = None
    return found


def until_waiting(stage: WatchedStage, region: str) -> None:
    """Until the agent of a region has seen the end of the outage, and has nobody to tell."""
    state = str(stage.folder / f"agent-{region}")
    deadline = time.monotonic() + stage.wait_seconds_max
    while True:
        said = json.loads(stage.command("status", "--state", state, "--json", program="agent"))
        if said["spool"]["lines"] >= LATE_LINES:
            return
        assert time.monotonic() < deadline, f"waited in vain for lines of {region}"


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, list[Line]]:
    """(the page, the history, the raw lines) of an outage whose end was only known from a backlog."""
    weather = Weather()
    folder: Path = tmp_path_factory.mktemp("explained")
    with targets(weather) as ports, WatchedStage(folder) as stage:
        stage.begin(FLEET.format(port=ports.http))
        stage.until("all regions", are_up)
        weather.is_down = True
        (outage,) = stage.until("the outage", outages)
        stage.kill("controller")
        weather.is_down = False
        for region in REGIONS:
            until_waiting(stage, region)
        stage.serve()
        stage.until("its end", have_ended)
        stage.until("what every region has seen since", are_up)
        for region in REGIONS:
            stage.kill(region)
        stage.until("the last of their lines", are_away)
        page = json.loads(stage.command("outage", "explain", outage.handle, "--json"))
        history = json.loads(stage.command("outage", "history", outage.handle, "--json"))
        stage.stop()
        lines = [one for one in stage.lines() if one["check"] == "home"]
    return page, history, lines


Explained = tuple[Any, Any, list[Line]]


def test_every_result_on_the_page_is_a_line_and_every_line_is_there(explained: Explained) -> None:
    page, _, lines = explained
    inside = [one for one in lines if page["from_us"] <= event_us(one) < page["to_us"]]
    by_name = {(one["agent"], one["seq"]): one for one in inside}
    for sample in page["samples"]:
        raw = by_name.pop((sample["agent"], sample["seq"]))
        assert sample["at_us"] == event_us(raw)
        for key in ("region", "epoch", "stream", "outcome"):
            assert sample[key] == raw[key]
        for key in ("kind", "detail", "addr"):
            assert sample[key] == raw.get(key)
        assert sample["trigger"] == raw.get("trigger", "schedule")
        assert sample["received_us"] > sample["at_us"]
    assert not by_name


def test_start_end_and_downtime_follow_from_the_lines(explained: Explained) -> None:
    page, _, lines = explained
    outage = page["outage"]
    ((started_us, ended_us),) = down_times(sorted(lines, key=event_us))
    assert (outage["started_us"], outage["ended_us"]) == (started_us, ended_us)
    assert outage["downtime_us"] == ended_us - started_us
    assert outage["severity"] == "P1"
    less = sum(one["to_us"] - one["from_us"] for one in page["doubts"] if one["down"])
    more = sum(one["to_us"] - one["from_us"] for one in page["doubts"] if not one["down"])
    assert outage["downtime_min_us"] == outage["downtime_us"] - less
    assert outage["downtime_max_us"] == outage["downtime_us"] + more


def test_every_vote_is_the_newest_result_of_its_region(explained: Explained) -> None:
    page, _, lines = explained
    said = {
        region: list(
            zip(*(lambda own: (map(event_us, own), labels(own)))(
                sorted((one for one in lines if one["region"] == region), key=event_us)
            ), strict=True)
        )
        for region in REGIONS
    }  # fmt: skip
    judged = [one for one in page["ballots"] if one["verdict"] != "UNKNOWN"]
    assert judged
    for ballot in judged:
        for voice in ballot["voices"]:
            before = [one for one in said[voice["region"]] if one[0] <= ballot["from_us"]]
            if voice["label"] != "NONE":
                assert (voice["sample_us"], voice["label"]) == before[-1]
                assert ballot["from_us"] - voice["sample_us"] < FRESH_US


def test_what_agents_captured_stands_on_the_page_as_in_the_line(explained: Explained) -> None:
    page, _, lines = explained
    captured = {(one["agent"], one["seq"]): one["capture"] for one in lines if "capture" in one}
    shown = {(one["agent"], one["seq"]): one["capture"] for one in page["captures"]}
    assert shown
    assert all(captured[name] == capture for name, capture in shown.items())


def test_the_history_names_the_late_lines_that_ended_it(explained: Explained) -> None:
    _, history, lines = explained
    closed = next(one for one in history["events"] if one["kind"] == "closed")
    late = [one for one in closed["lines"] if one["late_us"] is not None]
    assert late
    by_name = {(one["agent"], one["seq"]): one for one in lines}
    for one in late:
        raw = by_name[one["agent"], one["seq"]]
        assert one["late_us"] == closed["recorded_us"] - event_us(raw) > 1_500_000
        assert one["said"] == raw["outcome"]
