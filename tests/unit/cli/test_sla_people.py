"""`vedette sla compute --outages`: what people did, offline."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import cli
from controller.core.instants import instant

FLEET = """version: 1
regions: [{id: a}]
services: [{id: s}]
checks: [{id: shop, service: s, every: 60s, http: {url: "http://x.test/"}}]
contracts:
  - id: gold
    effective_from: 2026-01-01T00:00:00Z
    scope: {checks: [shop]}
    outage: {downtime_start: START}
    objectives:
      - {id: up, target: "99.0"}
      - {id: ack, metric: acknowledge, severity: SEVERITY, target: 15m}
"""
JUNE, JULY = instant("2026-06-01T00:00:00Z"), instant("2026-07-01T00:00:00Z")
DOWN, UP = instant("2026-06-30T23:50:00Z"), instant("2026-06-30T23:58:00Z")
MINUTE = 60_000_000


def listed(**more: Any) -> dict[str, Any]:
    """The outage as `vedette outage list --json` prints it; nobody was told of it yet."""
    return {
        "id": "OUT-4", "check": "shop", "severity": "P1", "region": None, "started_us": DOWN,
        "ended_us": UP, "confirmed_us": DOWN + MINUTE, "detected_us": DOWN + 2 * MINUTE,
        "notified_us": None, "remarks": [], "retracted": None, **more,
    }  # fmt: skip


def remark(kind: str, at_us: int, role: str = "operator", **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "at_us": at_us,
        "who": "ada",
        "role": role,
        "peer": "",
        "text": "",
        **more,
    }


def compute(
    folder: Path,
    document: object = None,
    *,
    start: str = "first_failure",
    severity: str = "P1",
    as_of: str = "2026-07-02T00:00:00Z",
) -> Result:
    spans = [(JUNE, DOWN, "UP"), (DOWN, UP, "DOWN"), (UP, JULY, "UP")]
    check = {
        "intervals": [{"from": a, "to": b, "verdict": verdict} for a, b, verdict in spans],
        "downtime": UP - DOWN, "downtime_min": UP - DOWN, "downtime_max": UP - DOWN,
        "outages": [{"started_at": DOWN, "ended_at": UP, "downtime": UP - DOWN, "unknown": 0}],
    }  # fmt: skip
    timeline = {"version": 1, "from": JUNE, "to": JULY, "horizon": JULY, "checks": {"shop": check}}
    (folder / "timeline.json").write_text(json.dumps(timeline))
    (folder / "fleet.yaml").write_text(FLEET.replace("START", start).replace("SEVERITY", severity))
    arguments = [
        "sla", "compute", "--config", str(folder / "fleet.yaml"), "--timeline",
        str(folder / "timeline.json"), "--contract", "gold", "--period", "2026-06", "--as-of", as_of,
        "--json",
    ]  # fmt: skip
    if document is not None:
        (folder / "outages.json").write_text(json.dumps(document))
        arguments += ["--outages", str(folder / "outages.json")]
    return CliRunner().invoke(cli, arguments)


def computed(folder: Path, *outages: dict[str, Any], **more: Any) -> dict[str, dict[str, Any]]:
    found = compute(folder, {"outages": outages, "regional_not_shown": 0, "cut": False}, **more)
    assert found.exit_code in (0, 1), found.output
    return {one["objective"]: one for one in json.loads(found.stdout)["records"]}


def test_s47_timers_are_computed_from_the_list_of_outages(tmp_path: Path) -> None:
    one = listed(
        notified_us=DOWN + 3 * MINUTE,
        remarks=[
            remark("ack", DOWN + 4 * MINUTE, role="agent"),
            remark("pause", DOWN + 5 * MINUTE, from_us=DOWN + 4 * MINUTE),
            remark("annotation", DOWN + 5 * MINUTE),
            remark("resume", DOWN + 7 * MINUTE),
            remark("ack", JULY + 9 * MINUTE),
        ],
    )
    found = computed(tmp_path, one)
    (timer,) = found["ack"]["timers"]
    # From 23:52 to 00:09, less a pause of three minutes; a machine's ack is none.
    assert (timer["outage"], timer["elapsed"], timer["state"]) == ("OUT-4", 14 * MINUTE, "met")
    assert (found["up"]["mttd"], found["up"]["mtta"]) == (2 * MINUTE, 16 * MINUTE)
    at_its_end = computed(tmp_path, one, as_of="2026-07-01T00:00:00Z")["ack"]
    assert (at_its_end["attainment"], at_its_end["timers"][0]["state"]) == (None, "running")


def test_s39_downtime_begins_where_the_list_says(tmp_path: Path) -> None:
    confirmed = computed(tmp_path, listed(), start="confirmation")["up"]
    assert [confirmed[f"downtime{name}"] for name in ("", "_min", "_max")] == [7 * MINUTE] * 3
    assert computed(tmp_path, listed(), start="notification")["up"]["downtime"] == 0
    told = computed(tmp_path, listed(notified_us=DOWN + 5 * MINUTE), start="notification")["up"]
    assert (told["downtime"], told["down"]) == (3 * MINUTE, 8 * MINUTE)


def test_s47_without_the_list_promises_of_people_are_not_judged(tmp_path: Path) -> None:
    found = compute(tmp_path)
    assert found.exit_code == 0
    assert "these objectives are about that: ack. --outages takes what" in found.stderr
    (up, ack) = json.loads(found.stdout)["records"]
    assert (up["verdict"], ack["verdict"]) == ("met", "insufficient_evidence")


@pytest.mark.parametrize(
    ("document", "more", "sentence"),
    [
        (None, {"start": "notification"}, "begins with the notification, which no timeline says"),
        ([], {}, "is not what `vedette outage list --scope all --json` prints"),
        ({"outages": [{"id": "OUT-4"}]}, {}, "is not what `vedette outage list"),
        ({"outages": [listed(started_us=1.5)]}, {}, "is not what `vedette outage list"),
        ({"outages": [listed(), listed()]}, {}, "expected each outage once, found OUT-4 again"),
        ({"outages": [listed(ended_us=DOWN)]}, {}, "expected the end of OUT-4 after its start"),
        ({"outages": [listed()], "cut": True}, {}, "is cut off by its --limit"),
        (
            {"outages": [listed()], "regional_not_shown": 2},
            {"severity": "[P1, P3]"},
            "leaves out 2 outages of single regions",
        ),
        ({"outages": []}, {}, "begins at 2026-06-30T23:50:00Z, found none that overlaps it"),
        ({"outages": [listed(region="a")]}, {}, "found none that overlaps it"),
    ],
)
def test_a_list_that_cannot_be_the_one_is_a_sentence(
    tmp_path: Path, document: object, more: dict[str, Any], sentence: str
) -> None:
    found = compute(tmp_path, document, **more)
    assert found.exit_code == 2
    assert sentence in " ".join(found.stderr.split())
