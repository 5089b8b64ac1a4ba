"""The main job with real processes: kill -9 in the middle of an outage changes nothing in the end."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from controller.cli.demo.stage import Stage
from controller.cli.demo.targets import Weather, targets

REGIONS = ("fra", "nyc", "sin")
WAIT_SECONDS_MAX = 40.0
FLEET = """\
version: 1
regions: [{{id: fra}}, {{id: nyc}}, {{id: sin}}]
services: [{{id: shop}}]
checks:
  - id: home
    service: shop
    every: 1s
    timeout: 500ms
    http: {{url: "http://127.0.0.1:{http}/"}}
    quorum: {{freshness: 10s}}
    outage: {{merge_gap: 2s}}
"""


class Watch:
    """Asks the command line, as a person would, until something holds."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def ask(self, *words: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._stage.command(*words, "--json"))
        return document

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not holds():
            assert self._stage.dead() is None, self._stage.dead()
            assert time.monotonic() < deadline, f"waited in vain for {what}"

    def labels(self) -> list[str]:
        return [vote["label"] for vote in self.ask("check", "list")["checks"][0]["labels"]]

    def outages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("outage", "list")["outages"]
        return found

    def lines_of(self, agent: str) -> int:
        agents = {a["id"]: int(a["lines"]) for a in self.ask("agent", "list")["agents"]}
        return agents[agent]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[tuple[Stage, Weather]]:
    weather = Weather()
    with Stage(tmp_path) as stage, targets(weather) as ports:
        (tmp_path / "fleet.yaml").write_text(FLEET.format(http=ports.http))
        stage.start_controller()
        stage.command("apply", "-f", str(tmp_path / "fleet.yaml"))
        for region in REGIONS:
            stage.enrol(region)
            stage.start_agent(region)
        yield stage, weather


@pytest.mark.timeout(300)
def test_kill_9_of_both_sides_in_an_outage_changes_nothing(
    fleet: tuple[Stage, Weather], tmp_path: Path
) -> None:
    stage, weather = fleet
    watch = Watch(stage)
    watch.until("all regions up", lambda: watch.labels() == ["UP"] * 3)
    weather.is_down = True
    watch.until("an outage", lambda: len(watch.outages()) == 1)

    stage.kill("fra")
    stage.kill("controller")
    stage.start_agent("fra")
    stage.serve()
    before = watch.lines_of("fra-1")
    watch.until("fra to report again", lambda: watch.lines_of("fra-1") > before + 2)
    stage.kill("controller")
    stage.serve()
    watch.until("nyc to report again", lambda: watch.labels().count("DOWN") == 3)
    weather.is_down = False
    watch.until("its end", lambda: all(o["ended_us"] is not None for o in watch.outages()))
    # The first regions that are up again end it; what the others saw meanwhile may still move its end.
    watch.until("all regions up again", lambda: watch.labels() == ["UP"] * 3)
    outages = watch.outages()
    assert len(outages) == 1
    stage.stop()

    lines = stored_lines(stage)
    identities = [(line["agent"], line["epoch"], line["stream"], line["seq"]) for line in lines]
    assert len(set(identities)) == len(identities), "a line was counted twice"
    for agent in {i[0] for i in identities}:
        numbers = sorted(i[3] for i in identities if i[0] == agent)
        assert numbers == list(range(1, len(numbers) + 1)), f"{agent} lost lines"
    assert undisturbed(stage, lines) == [
        {key: outages[0][f"{key}_us"] for key in ("started", "ended", "downtime")}
    ]


def stored_lines(stage: Stage) -> list[dict[str, Any]]:
    """Every line that the controller keeps, written out by the command for it."""
    text = stage.command("db", "lines", "--state", str(stage.folder / "controller"))
    (stage.folder / "lines.jsonl").write_text(text)
    return [json.loads(line) for line in text.splitlines()]


def undisturbed(stage: Stage, lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outages that a replay of the same lines gives, as if nothing had been killed."""
    instants = [line["at"] for line in lines]
    document = json.loads(
        stage.command(
            "replay", "--config", str(stage.folder / "fleet.yaml"),
            "--from", str(min(instants)), "--to", str(max(instants) + 1),
            str(stage.folder / "lines.jsonl"), "--json",
        )
    )  # fmt: skip
    return [
        {"started": o["started_at"], "ended": o["ended_at"], "downtime": o["downtime"]}
        for o in document["checks"]["home"]["outages"]
    ]
