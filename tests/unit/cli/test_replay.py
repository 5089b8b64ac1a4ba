"""`vedette replay`: what it refuses, what it leaves out, and what it needs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import cli

FLEET = """version: 1
regions: [{id: a}, {id: b}]
services: [{id: s}]
checks: [{id: c, service: s, every: 60s, timeout: 5s, http: {url: "http://x.test/"}}]
"""


def _line(**changes: Any) -> str:
    line = {
        "agent": "a0", "epoch": "e", "seq": 1, "check": "c", "region": "a", "at": 0, "outcome": "up",
    }  # fmt: skip
    return json.dumps(line | changes) + "\n"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    lines = [
        _line(seq=i, agent=f"{region}0", region=region, at=i * 60_000_000)
        for i in range(5)
        for region in "ab"
    ]
    (tmp_path / "results.jsonl").write_text("".join(lines))
    return tmp_path


def _run(folder: Path, *more: str, results: str = "results.jsonl", **kwargs: Any) -> Result:
    arguments = ["replay", "--config", str(folder / "fleet.yaml")]
    window = ["--from", "1970-01-01T00:01:00Z", "--to", "240000000"]
    file = results if results == "-" else str(folder / results)
    return CliRunner().invoke(cli, [*arguments, *window, *more, file], **kwargs)


def test_the_document_has_exactly_its_keys(folder: Path) -> None:
    outcome = _run(folder, "--json")
    assert outcome.exit_code == 0
    assert outcome.stdout == (
        '{"version":1,"from":60000000,"to":240000000,"horizon":240000000,"checks":{"c":{'
        '"intervals":[{"from":60000000,"to":240000000,"verdict":"UP"}],'
        '"downtime":0,"downtime_min":0,"downtime_max":0,"outages":[]}}}\n'
    )


def test_the_horizon_cuts_the_timeline(folder: Path) -> None:
    document = json.loads(_run(folder, "--json", "--horizon", "120000000").stdout)
    assert document["checks"]["c"]["intervals"][-1]["to"] == 120_000_000


def test_people_get_a_table(folder: Path) -> None:
    outcome = _run(folder)
    assert "1970-01-01T00:01:00Z  1970-01-01T00:04:00Z  UP" in outcome.stdout
    assert "downtime 0s (between 0s and 0s)" in outcome.stdout


def test_lines_may_come_from_standard_input(folder: Path) -> None:
    text = (folder / "results.jsonl").read_text()
    outcome = _run(folder, "--json", results="-", input="\n" + text + "\n\n")
    assert outcome.stdout == _run(folder, "--json").stdout


def test_every_line_that_cannot_be_read_is_named(folder: Path) -> None:
    text = ["{", "", _line().strip(), _line(at="now").strip(), "x" * 20_000, _line(outcome="odd")]
    (folder / "bad.jsonl").write_text("\n".join(text))
    outcome = _run(folder, results="bad.jsonl")
    assert outcome.exit_code == 2
    messages = outcome.stderr.splitlines()
    assert [m.split("bad.jsonl:")[1].split(":")[0] for m in messages] == ["1", "4", "5", "6"]
    assert "Expected `int`, got `str` - at `$.at`" in messages[1]
    assert "at most 16384 bytes" in messages[2]
    assert outcome.stdout == ""


def test_results_that_no_check_claims_are_counted_and_not_fatal(folder: Path) -> None:
    more = [_line(seq=90, check="gone"), _line(seq=91, region="mars"), _line(seq=92, region="mars")]
    with (folder / "results.jsonl").open("a") as file:
        file.write("".join(more))
        file.write(_line(seq=93, check="@anchors", ok=0, total=3, clock={"offset": None}))
    outcome = _run(folder, "--json")
    assert outcome.exit_code == 0
    assert "Left out 1 results of check 'gone': not in the fleet file." in outcome.stderr
    assert "Left out 2 results of check 'c' from region 'mars'" in outcome.stderr
    assert "Set aside 1 lines: an anchor round without a usable clock" in outcome.stderr


@pytest.mark.parametrize(
    ("ambiguous", "message"),
    [
        pytest.param("[" * 1500 + "]" * 1500, "at most 32 objects and arrays", id="deep"),
        pytest.param('{"a":1,"a":2}', "expected every key once, found 'a' twice", id="twice"),
        pytest.param('"\xff"', "expected UTF-8", id="no UTF-8"),
        pytest.param(f'"{"x" * 20_000}"', "expected at most 16384 bytes", id="long"),
    ],
)
def test_a_line_that_can_be_read_in_two_ways_is_a_sentence_with_its_place(
    folder: Path, ambiguous: str, message: str
) -> None:
    line = _line(seq=91).replace("}\n", f', "x": {ambiguous}}}\n')
    with (folder / "results.jsonl").open("ab") as file:
        file.write(line.encode("latin-1"))
    outcome = _run(folder, "--json")
    assert outcome.exit_code == 2
    assert "results.jsonl:11: not a result line: " in outcome.stderr
    assert message in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "240000000"], "Expected --from before --to"),
        (["--to", "tomorrow"], "expected an instant"),
        (["--config", "nowhere.yaml"], "Cannot read nowhere.yaml"),
    ],
)
def test_bad_arguments_are_a_sentence(folder: Path, arguments: list[str], message: str) -> None:
    outcome = _run(folder, *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr


NESTED = [
    pytest.param("[" * 100_000 + "]" * 100_000, id="lists"),
    pytest.param('{"a":' * 100_000 + "1" + "}" * 100_000, id="objects"),
    pytest.param("- " * 100_000 + "a", id="dashes"),
]


@pytest.mark.parametrize("text", NESTED)
def test_a_fleet_file_that_is_nested_without_end_is_a_sentence(folder: Path, text: str) -> None:
    """As a process of its own: what it must not do is die of it."""
    (folder / "fleet.yaml").write_text(text)
    words = ["replay", "--config", "fleet.yaml", "--from", "0", "--to", "1", "results.jsonl"]
    done = subprocess.run(
        [sys.executable, "-m", "controller", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: fleet.yaml:1: expected values nested at most 100 deep, found more\n"
    )


@pytest.mark.parametrize("text", NESTED[:2])
def test_results_that_are_nested_without_end_are_a_sentence(folder: Path, text: str) -> None:
    (folder / "deep.jsonl").write_text(text)
    outcome = _run(folder, results="deep.jsonl")
    assert outcome.exit_code == 2
    assert outcome.stderr.endswith("not a result line: expected at most 16384 bytes\n")
    (folder / "deep.jsonl").write_text(text[:8_000])
    outcome = _run(folder, results="deep.jsonl")
    assert outcome.exit_code == 2
    assert "deep.jsonl:1: not a result line: " in outcome.stderr


def test_a_file_that_is_not_there_is_a_sentence(folder: Path) -> None:
    outcome = _run(folder, results="nowhere.jsonl")
    assert outcome.exit_code == 2
    assert "nowhere.jsonl: No such file or directory." in outcome.stderr


def test_replay_needs_no_server_no_database_and_no_expressions() -> None:
    code = (
        "import controller.cli.replay, sys;"
        "found = {'grpc', 'sqlalchemy', 'sqlmodel', 'cel', 'google.protobuf'} & set(sys.modules);"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
