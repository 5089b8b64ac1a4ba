"""Every folder of tests/conformance/timeline, to the microsecond, by library and by command."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from controller.cli.main import cli
from controller.core.admission import admitted_line
from controller.core.engine import CheckEngine
from controller.core.fleet import read_fleet
from controller.core.policy import always, policy_of
from controller.core.replay import Gathered, replay, replay_bytes, sorted_out
from controller.core.samples import Quarantined, Sample
from controller.core.timeline import ATTRIBUTED, HIGH, LOW, downtime, verdict_intervals

FOLDERS = sorted(p for p in (Path(__file__).parent / "timeline").iterdir() if p.is_dir())


def _expected(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "expected.json").read_bytes())
    return document


def _command(folder: Path, *results: Path) -> bytes:
    expected = _expected(folder)
    window = [f"--{key}={expected[key]}" for key in ("from", "to", "horizon")]
    config = ["replay", "--config", str(folder / "fleet.yaml"), "--json"]
    outcome = CliRunner().invoke(cli, [*config, *window, *map(str, results)])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout_bytes


def test_there_are_folders() -> None:
    assert len(FOLDERS) == 24


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_folder_agrees_to_the_microsecond(folder: Path) -> None:
    expected = _expected(folder)
    document = json.loads(_command(folder, folder / "results.jsonl"))
    window = {key: expected[key] for key in ("from", "to", "horizon")}
    assert {key: document[key] for key in window} == window
    assert document["checks"] == {
        "c": {key: value for key, value in expected.items() if key not in window}
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_engine_agrees_to_the_microsecond(folder: Path) -> None:
    expected = _expected(folder)
    fleet = read_fleet((folder / "fleet.yaml").read_bytes(), "fleet.yaml")
    engine = CheckEngine(always(policy_of(fleet.checks["c"])))
    for line in (folder / "results.jsonl").read_bytes().splitlines():
        item = admitted_line(line)
        assert not isinstance(item, Quarantined)
        taken = engine.insert(item) if isinstance(item, Sample) else engine.insert_anchor(item)
        assert taken
        engine.drain()
    segments = engine.segments(expected["from"], expected["to"], expected["horizon"])
    assert [
        {"from": one.from_us, "to": one.to_us, "verdict": one.verdict}
        for one in verdict_intervals(segments)
    ] == expected["intervals"]
    bounds = [downtime(segments, which) for which in (ATTRIBUTED, LOW, HIGH)]
    assert bounds == [expected[key] for key in ("downtime", "downtime_min", "downtime_max")]


@pytest.mark.parametrize("folder", FOLDERS[:6], ids=lambda folder: folder.name)
def test_x13_lines_shuffled_doubled_and_split_give_the_same_bytes(
    folder: Path, tmp_path: Path
) -> None:
    lines = (folder / "results.jsonl").read_bytes().splitlines(keepends=True)
    doubled = [*lines, *lines]
    random.Random(folder.name).shuffle(doubled)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_bytes(b"".join(doubled[::3]))
    second.write_bytes(b"".join(doubled[1::3] + doubled[2::3]))
    assert _command(folder, first, second) == _command(folder, folder / "results.jsonl")


def test_the_library_gives_the_bytes_of_the_command() -> None:
    folder = FOLDERS[0]
    expected = _expected(folder)
    fleet = read_fleet((folder / "fleet.yaml").read_bytes(), "fleet.yaml")
    gathered = Gathered()
    for line in (folder / "results.jsonl").read_bytes().splitlines():
        gathered.add(line)
    document = replay(
        fleet,
        sorted_out(fleet, gathered.items),
        from_us=expected["from"],
        to_us=expected["to"],
        horizon_us=expected["horizon"],
    )
    assert replay_bytes(document) == _command(folder, folder / "results.jsonl")
