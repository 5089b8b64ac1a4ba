"""What `vedette sla compute` says to people beside the records."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.computing import DAY_US, fleet_file, invoke, timeline_file
from tests.unit.core.scenes import SECOND


def test_s32_what_is_said_of_a_part_of_a_period_names_the_part(tmp_path: Path) -> None:
    fleet = fleet_file(tmp_path, target="99.9")
    amendment = "  - {id: gold, effective_from: 2026-01-16T00:00:00Z, amendments: segmented}\n"
    fleet.write_text(fleet.read_text() + amendment)
    down = [(day * DAY_US, day * DAY_US + 600 * SECOND + 1) for day in (20_460, 20_470)]
    outcome = invoke(
        "sla", "compute", "--config", fleet, "--timeline", timeline_file(tmp_path, *down), "--contract",
        "gold", "--period", "2026-01",
    )  # fmt: skip
    said = [line.partition(": ")[0] for line in outcome.stdout.splitlines()[3:]]
    first, second = (f"gold availability from 2026-01-{day}T00:00:00Z" for day in ("01", "16"))
    assert said == [first, first, second, second]


def test_s42_what_is_left_of_a_budget_is_rounded_down_below_zero_too(tmp_path: Path) -> None:
    down = (20_460 * DAY_US, 20_460 * DAY_US + 3_600 * SECOND)
    outcome = invoke(
        "sla", "compute", "--config", fleet_file(tmp_path, target="99.9"), "--timeline",
        timeline_file(tmp_path, down), "--contract", "gold", "--period", "2026-01",
    )  # fmt: skip
    # 2,678.4 s of budget less 3,600 s are -921.6 s.
    assert "  -15m 22s  breached" in outcome.stdout


def _said(folder: Path, fleet: Path, month: str) -> str:
    outcome = invoke(
        "sla", "compute", "--config", fleet, "--timeline", folder / "timeline.json", "--contract", "gold",
        "--period", month,
    )  # fmt: skip
    return outcome.stderr


def test_a_contract_that_began_later_says_so(tmp_path: Path) -> None:
    timeline_file(tmp_path)
    fleet = fleet_file(tmp_path, start="2026-03-01T00:00:00Z")
    said = "gold is in force from 2026-03-01T00:00:00Z on: 2026-02 was over by then.\n"
    assert _said(tmp_path, fleet, "2026-02") == said
    assert _said(tmp_path, fleet, "2026-03") == ""


def test_s8_bounds_that_are_not_known_are_told_and_no_others(tmp_path: Path) -> None:
    timeline = timeline_file(tmp_path, (20_460 * DAY_US, 20_460 * DAY_US + 60 * SECOND))
    fleet = fleet_file(tmp_path)
    assert _said(tmp_path, fleet, "2026-01") == "", "no less and no more than that was possible"
    wider = timeline.read_text().replace('"downtime_max": 60', '"downtime_max": 90')
    timeline.write_text(wider)
    assert "`vedette replay --bounds` gives them" in _said(tmp_path, fleet, "2026-01")


@pytest.mark.parametrize(
    ("as_of", "mttr_us"),
    [("2026-01-10T00:00:00Z", None), ("2026-01-10T01:00:00Z", 3_600 * SECOND)],
)
def test_s46_a_rolling_period_knows_no_end_of_an_outage_that_is_yet_to_come(
    tmp_path: Path, as_of: str, mttr_us: int | None
) -> None:
    start = 20_463 * DAY_US - 3_540 * SECOND
    fleet = fleet_file(tmp_path, target="99.9")
    text = fleet.read_text().replace("kind: month", "kind: rolling, length: 7d")
    fleet.write_text(text.replace("- id: gold", "- id: gold\n    acknowledge_unmeasurable: true"))
    outcome = invoke(
        "sla", "compute", "--config", fleet, "--timeline",
        timeline_file(tmp_path, (start, start + 3_600 * SECOND)), "--contract", "gold", "--period",
        "rolling", "--as-of", as_of, "--json",
    )  # fmt: skip
    (record,) = json.loads(outcome.stdout)["records"]
    assert (record["outages"], record["mttr"]) == (1, mttr_us)
