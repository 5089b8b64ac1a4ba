"""People are told: real agents, a real controller that is killed in the middle of telling, real receivers."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.cli.demo.targets import Weather, targets
from tests.e2e.telling_stage import TellingStage
from tests.fakes.webhook_target import SECRET, Ill, Received, WebhookTarget, webhook_target

REGIONS = ("fra", "nyc", "sin")
WAIT_SECONDS_MAX = 60.0
FLEET = """\
version: 1
regions: [{{id: fra}}, {{id: nyc}}, {{id: sin}}]
services: [{{id: shop, criticality: critical}}]
checks:
  - id: home
    service: shop
    every: 1s
    timeout: 500ms
    http: {{url: "http://127.0.0.1:{http}/"}}
    quorum: {{freshness: 10s}}
    outage: {{merge_gap: 2s}}
notify:
  - id: itsm
    webhook: {{url: "http://127.0.0.1:{hook}/${{secret:path}}", secret: "${{secret:hook}}"}}
    on: [outage.opened, outage.confirmed, outage.closed, outage.reopened]
  - id: ops
    url: "json://127.0.0.1:{hook}/people"
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[tuple[TellingStage, Weather, WebhookTarget]]:
    weather = Weather()
    with (
        TellingStage(tmp_path) as stage,
        targets(weather) as ports,
        webhook_target() as receiver,
    ):
        stage.start_controller()
        stage.secret("hook", SECRET)
        stage.secret("path", "s3cret path")
        file = tmp_path / "fleet.yaml"
        file.write_text(FLEET.format(http=ports.http, hook=receiver.port))
        stage.command("apply", "-f", str(file))
        for region in REGIONS:
            stage.enrol(region)
            stage.start_agent(region)
        yield stage, weather, receiver


def until(stage: TellingStage, what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not holds():
        assert stage.dead() is None, stage.dead()
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        # Asking the command line is what lets time go by.
        stage.command("notify", "list", "--json")


def labels(stage: TellingStage) -> list[str]:
    checks = json.loads(stage.command("check", "list", "--json"))["checks"]
    return [vote["label"] for vote in checks[0]["labels"]]


def hooks(receiver: WebhookTarget) -> list[Received]:
    """What came by webhook, each message once, as it came first."""
    found: dict[str, Received] = {}
    for one in receiver.received:
        if "webhook-id" in one.headers:
            found.setdefault(one.headers["webhook-id"], one)
    return list(found.values())


def told(receiver: WebhookTarget) -> list[str]:
    return [one.event for one in hooks(receiver)]


def test_an_outage_is_told_in_order_although_the_controller_is_killed_while_it_tells(
    stage: tuple[TellingStage, Weather, WebhookTarget],
) -> None:
    stage_, weather, receiver = stage
    until(stage_, "three votes", lambda: labels(stage_).count("UP") == 3)
    receiver.answers += [Ill.SILENT, Ill.SILENT]
    weather.is_down = True
    receiver.wait_for(2)
    stage_.kill("controller")
    attempted = len(receiver.received)
    stage_.serve()
    until(stage_, "the opening again", lambda: len(receiver.received) > attempted)
    weather.is_down = False
    until(stage_, "the end", lambda: "outage.closed" in told(receiver))
    until(
        stage_,
        "people",
        lambda: any("up again" in one.json["title"] for one in people_of(receiver)),
    )

    messages = hooks(receiver)
    assert told(receiver)[:3] == ["outage.opened", "outage.confirmed", "outage.closed"]
    assert all(one.is_signed for one in messages)
    assert {one.path for one in messages} == {"/s3cret%20path"}
    handles = {one.headers["vedette-subject"] for one in messages}
    assert len(handles) == 1
    (handle,) = handles
    opened, confirmed, closed = (one.json["data"]["outage"] for one in messages[:3])
    assert (opened["handle"], opened["severity"], opened["service"]) == (handle, "P1", "shop")
    assert (opened["scope"], opened["region"]) == ("global", None)
    assert opened["ended_us"] is None
    assert confirmed["downtime_us_min"] > 0
    assert closed["ended_us"] > closed["started_us"]
    titles = list(dict.fromkeys(one.json["title"] for one in people_of(receiver)))
    assert titles[0] == f"[{handle}] P1 home is down"
    assert titles[-1].startswith(f"[{handle}] home is up again after ")
    _nothing_private_is_kept(stage_)


def people_of(receiver: WebhookTarget) -> list[Received]:
    return [one for one in receiver.received if one.path == "/people"]


def _nothing_private_is_kept(stage: TellingStage) -> None:
    """Neither key nor path stands in a log, in the fleet that is exported, or in what is listed."""
    said = [file.read_text() for file in (stage.folder / "logs").glob("*.log")]
    said += [
        stage.command(*words)
        for words in (
            ("export",),
            ("notify", "list"),
            ("notify", "show", "1", "--json"),
            ("doctor",),
        )
    ]
    for text in said:
        assert SECRET not in text
        assert "s3cret" not in text
