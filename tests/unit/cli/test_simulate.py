"""`vedette simulate`: the same bytes for the same seed, the figures of the page, a picture, refusals."""

import importlib.util
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import cli
from tests.unit.core.simulation.scenes import MIXED

DOCS = Path(__file__).parents[3] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def vedette(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_bytes(MIXED.replace(b"8h", b"4h"))
    return path


def player() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_simulations", DOCS / "simulations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["flapping", "dying-agents"])
def test_the_page_shows_what_is_printed(name: str) -> None:
    playing = player()
    page = (DOCS / "simulation.md").read_text()
    assert playing.figures_of(page, name) == playing.block(name, playing.printed(name))


def test_the_page_has_every_scenario_once() -> None:
    page = (DOCS / "simulation.md").read_text()
    assert sorted(player().names(page)) == sorted(
        path.stem for path in (DOCS / "scenarios").glob("*.yaml")
    )


def test_the_same_seed_gives_the_same_bytes_in_every_process(small: Path) -> None:
    def printed(hash_seed: str, plot: str) -> bytes:
        command = [sys.executable, "-m", "controller", "simulate", str(small), "--json"]
        env = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [*command, "--plot", plot], env=env, check=True, capture_output=True, timeout=100
        )
        return run.stdout + Path(plot).read_bytes()

    first = printed("1", str(small.with_suffix(".1.svg")))
    assert first == printed("2", str(small.with_suffix(".2.svg")))


def test_another_seed_gives_another_month(small: Path) -> None:
    one = vedette("simulate", str(small), "--json").stdout
    other = vedette("simulate", str(small), "--json", "--seed", "5").stdout
    assert json.loads(one)["seed"] == 1
    assert json.loads(other)["seed"] == 5
    assert json.loads(one)["rules"] != json.loads(other)["rules"]


def test_the_document_says_what_the_table_says(small: Path) -> None:
    result = vedette("simulate", str(small))
    assert result.exit_code == 0
    assert "of one core for 2,160 results" in result.stderr
    document = json.loads(vedette("simulate", str(small), "--json").stdout)
    assert document["version"] == 1
    rows = {row.split()[0]: row.split() for row in result.stdout.splitlines()[4:]}
    for rule in document["rules"]:
        row = rows[rule["id"]]
        assert row[1:4] == [str(rule[key]) for key in ("alarms", "false", "withdrawn")]
        assert rule["right"] + rule["false"] == rule["alarms"]
        assert f"{rule['found']}/{document['true_outages']}" in row


def test_the_curves_are_a_picture_that_lies_within_its_frame(small: Path, tmp_path: Path) -> None:
    plot = tmp_path / "out.svg"
    assert vedette("simulate", str(small), "--plot", str(plot)).exit_code == 0
    root = ET.fromstring(plot.read_text())
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    curves = root.findall(f"{SVG}polyline")
    assert len(curves) >= 5
    for curve in curves:
        for point in curve.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    texts = [element.text for element in root.findall(f"{SVG}text")]
    assert texts[0] == "Everything at once (seed 1)"
    assert "False alarms until" in " ".join(filter(None, texts))


def test_a_scenario_without_outages_has_a_picture_too(tmp_path: Path) -> None:
    path, plot = tmp_path / "calm.yaml", tmp_path / "calm.svg"
    path.write_bytes(MIXED[: MIXED.index(b"faults:")].replace(b"0.8%", b"0%"))
    result = vedette("simulate", str(path), "--plot", str(plot))
    assert result.exit_code == 0
    assert "0 true outages" in result.stdout
    assert len(ET.fromstring(plot.read_text()).findall(f"{SVG}polyline")) == 5


def test_a_bad_scenario_is_told_with_file_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(MIXED.replace(b"kind: late", b"kind: lat").replace(b"title:", b"titles:"))
    result = vedette("simulate", str(path))
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert any(line.startswith(f"{path}:13: faults[5].kind: expected one of") for line in lines)
    assert any(f"{path}:2: titles: expected no such key" in line for line in lines)


def test_a_file_that_cannot_be_read_or_written_is_a_sentence(small: Path, tmp_path: Path) -> None:
    missing = vedette("simulate", str(tmp_path / "nope.yaml"))
    assert (missing.exit_code, "Cannot read" in missing.stderr) == (2, True)
    full = vedette("simulate", str(small), "--plot", str(tmp_path / "no" / "out.svg"))
    assert (full.exit_code, "Cannot write" in full.stderr) == (2, True)
