"""A grade is told once: real agents, a real controller that is killed while it tells, a real receiver."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from controller.cli.demo.targets import Weather, targets
from tests.e2e.telling_stage import TellingStage
from tests.fakes.webhook_target import SECRET, Ill, webhook_target

WAIT_SECONDS_MAX = 60.0
FLEET = """\
version: 1
regions: [{{id: fra}}]
services: [{{id: shop}}]
checks:
  - id: home
    service: shop
    every: 1s
    timeout: 500ms
    http: {{url: "http://127.0.0.1:{http}/"}}
    quorum: {{freshness: 10s, min_evidence: 1}}
contracts:
  - id: acme
    effective_from: 2026-01-01T00:00:00Z
    scope: {{checks: [home]}}
    objectives: [{{id: availability, target: "99.9", min_coverage: "0"}}]
    grades: [{{below: "99.9", action: warn}}, {{below: "0.1", action: legal, notify: itsm}}]
notify:
  - id: itsm
    webhook: {{url: "http://127.0.0.1:{hook}/", secret: "${{secret:hook}}"}}
    on: [grade.warn]
"""


def until(stage: TellingStage, what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not holds():
        assert stage.dead() is None, stage.dead()
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        # Asking the command line is what lets time go by.
        stage.command("notify", "list", "--json")


def test_s52_a_grade_arrives_once_although_the_controller_is_killed_while_it_tells(
    tmp_path: Path,
) -> None:
    weather = Weather()
    with TellingStage(tmp_path) as stage, targets(weather) as ports, webhook_target() as receiver:
        stage.start_controller()
        stage.secret("hook", SECRET)
        file = tmp_path / "fleet.yaml"
        file.write_text(FLEET.format(http=ports.http, hook=receiver.port))
        stage.command("apply", "-f", str(file))
        stage.enrol("fra")
        stage.start_agent("fra")

        def verdict() -> str:
            checks = json.loads(stage.command("check", "list", "--json"))["checks"]
            return str(checks[0]["verdict"])

        until(stage, "a success", lambda: verdict() == "UP")
        receiver.answers += [Ill.SILENT]
        weather.is_down = True
        receiver.wait_for(1)
        stage.kill("controller")
        stage.serve()
        weather.is_down = False
        receiver.wait_for(2)
        until(stage, "its end", lambda: verdict() == "UP")

        def delivered() -> list[str]:
            listed = json.loads(stage.command("notify", "list", "--json"))["deliveries"]
            return [f"{one['event']} {one['state']}" for one in listed]

        until(stage, "the delivery", lambda: delivered() == ["grade.warn delivered"])
        assert len({one.headers["webhook-id"] for one in receiver.received}) == 1
        first = receiver.received[0]
        assert first.is_signed
        assert (first.event, first.json["data"]["grade"]["below"]) == ("grade.warn", "99.9")
        assert first.headers["vedette-subject"].startswith("contract/acme/availability/grade/warn/")
        objective = first.json["data"]["objective"]
        assert objective["attainment"]["num"] < objective["attainment"]["den"]
        said = stage.command("notify", "show", "1")
        assert "Contract: acme" in said
        assert "Grade: below 99.9 %, warn" in said
