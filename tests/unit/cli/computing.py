"""A contract of one check and a timeline of it in files, and the command line that computes with them."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from controller.cli.main import cli
from tests.unit.core.scenes import SECOND

DAY_US = 86_400 * SECOND
# The vectors count seconds from 0; 1 June 2026 UTC is 20,605 days later.
JUNE_US = 20_605 * DAY_US
FLEET = """version: 1
regions: [{{id: a}}, {{id: b}}, {{id: c}}]
services: [{{id: s}}]
checks:
  - {{id: shop, service: s, every: 60s, timeout: 10s, http: {{url: "http://x.test/"}},
     quorum: {{fail_after: 1, recover_after: 1, partial_weight: "{weight}"}}}}
contracts:
  - id: gold
    effective_from: {start}
    scope: {{checks: [shop]}}
    period: {{kind: month, tz: {tz}}}
    objectives: [{{id: availability, target: "{target}", min_coverage: "{coverage}"}}]
"""


def fleet_file(folder: Path, **terms: Any) -> Path:
    """A fleet file with the contract `gold`."""
    terms = {"start": 0, "tz": "UTC", "target": "64", "coverage": "95", "weight": "0"} | terms
    path = folder / "fleet.yaml"
    path.write_text(FLEET.format(**terms))
    return path


def invoke(*arguments: object) -> Result:
    """What `vedette` does with these arguments."""
    return CliRunner().invoke(cli, [str(one) for one in arguments])


def timeline_file(folder: Path, *down: tuple[int, int]) -> Path:
    """A replay document of 2025-12 to 2026-03 that is UP but for `down`, in microseconds."""
    start, end = 20_423 * DAY_US, 20_544 * DAY_US
    intervals: list[dict[str, Any]] = []
    at_us = start
    for begin, stop in down:
        intervals.append({"from": at_us, "to": begin, "verdict": "UP"})
        intervals.append({"from": begin, "to": stop, "verdict": "DOWN"})
        at_us = stop
    intervals.append({"from": at_us, "to": end, "verdict": "UP"})
    total = sum(stop - begin for begin, stop in down)
    check = {
        "intervals": intervals, "downtime": total, "downtime_min": total, "downtime_max": total,
        "outages": [
            {"started_at": begin, "ended_at": stop, "downtime": stop - begin, "unknown": 0}
            for begin, stop in down
        ],
    }  # fmt: skip
    path = folder / "timeline.json"
    document = {"version": 1, "from": start, "to": end, "horizon": end, "checks": {"shop": check}}
    path.write_text(json.dumps(document))
    return path
