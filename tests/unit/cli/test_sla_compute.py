"""`vedette sla compute` on what `vedette replay` prints: the vectors from lines to figures."""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import cli
from controller.core.replay import decode_replay
from controller.core.samples import Sample
from tests.unit.cli.computing import DAY_US, JUNE_US, fleet_file, invoke, timeline_file
from tests.unit.core.scenes import SECOND, every_minute

DOWN = [(300, 600)]
ALL_DOWN = [
    *every_minute("a", 0, DOWN),
    *every_minute("b", 20, DOWN),
    *every_minute("c", 40, DOWN),
]
PARTITIONED = [
    *every_minute("a", 0, DOWN, until=301),
    *every_minute("b", 20, DOWN, until=321),
    *every_minute("c", 40, DOWN, until=341),
]
LATE = [
    *every_minute("a", 0, start=360),
    *every_minute("b", 20, start=360),
    *every_minute("c", 40, start=360),
]


def _computed(folder: Path, samples: Sequence[Sample], **terms: Any) -> tuple[dict[str, Any], int]:
    """The record of [60 s, 900 s) of June, as if the contract began there; and the exit code."""
    fleet = fleet_file(folder, start=JUNE_US + 60 * SECOND, **terms)
    lines = [
        {
            "agent": one.agent, "epoch": one.epoch, "seq": one.seq, "check": "shop",
            "region": one.region, "at": JUNE_US + one.at_us, "outcome": one.outcome.value,
        }
        for one in samples
    ]  # fmt: skip
    (folder / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    end_us = JUNE_US + 900 * SECOND
    replayed = invoke(
        "replay", "--config", fleet, "--from", JUNE_US + 60 * SECOND, "--to", end_us, "--json",
        folder / "results.jsonl",
    )  # fmt: skip
    assert replayed.exit_code == 0, replayed.output
    (folder / "timeline.json").write_bytes(replayed.stdout_bytes)
    outcome = invoke(
        "sla", "compute", "--config", fleet, "--timeline", folder / "timeline.json",
        "--contract", "gold", "--period", "2026-06", "--as-of", end_us, "--json",
    )  # fmt: skip
    (record,) = json.loads(outcome.stdout)["records"]
    return record, outcome.exit_code


def _percent(record: dict[str, Any]) -> Fraction:
    return 100 * Fraction(record["attainment"]["num"], record["attainment"]["den"])


def test_x01_the_figure_and_that_it_hangs_on_the_bounds(tmp_path: Path) -> None:
    record, code = _computed(tmp_path, ALL_DOWN)
    assert _percent(record) == Fraction(540, 840) * 100
    assert record["downtime"] == 300 * SECOND
    assert (record["downtime_min"], record["downtime_max"]) == (240 * SECOND, 360 * SECOND)
    assert (record["verdict"], record["robustness"], code) == ("met", "marginal", 0)
    assert (record["attainment_shown"], record["outages"]) == ("64.285", 1)


@pytest.mark.parametrize(("weight", "seconds"), [("0", 0), ("1", 300), ("regions", 100)])
def test_x04_one_region_of_three_costs_what_it_weighs(
    tmp_path: Path, weight: str, seconds: int
) -> None:
    alone = [*every_minute("a", 0, DOWN), *every_minute("b", 20), *every_minute("c", 40)]
    record, _ = _computed(tmp_path, alone, weight=weight)
    assert (record["partial"], record["downtime"]) == (300 * SECOND, seconds * SECOND)
    assert _percent(record) == 100 - Fraction(100 * seconds, 840)


def test_x08_no_quorum_is_no_evidence(tmp_path: Path) -> None:
    record, code = _computed(tmp_path, every_minute("a", 0, DOWN))
    assert record["coverage"] == {"num": 0, "den": 1}
    assert (record["verdict"], record["attainment"], code) == ("insufficient_evidence", None, 0)


def test_x11_and_x12_late_results_complete_the_figure(tmp_path: Path) -> None:
    before, _ = _computed(tmp_path, PARTITIONED)
    assert before["attainment"] == {"num": 26, "den": 41}
    assert (before["verdict"], before["unknown"]) == ("insufficient_evidence", 430 * SECOND)
    after, _ = _computed(tmp_path, [*PARTITIONED, *LATE])
    assert after["attainment"] == {"num": 13, "den": 14}
    assert (after["downtime"] - before["downtime"], after["unknown"]) == (-90 * SECOND, 0)
    assert (after["downtime_min"], after["downtime_max"]) == (0, 120 * SECOND)


def test_a_breach_is_exit_code_1(tmp_path: Path) -> None:
    record, code = _computed(tmp_path, ALL_DOWN, target="99")
    assert (record["verdict"], record["robustness"], code) == ("breached", "robust", 1)


@pytest.mark.parametrize(
    ("tz", "month", "down", "shown", "count"),
    [
        pytest.param("UTC", "2026-01", 1_800, "99.932", 1, id="x29 january"),
        pytest.param("UTC", "2026-02", 2_700, "99.888", 0, id="x29 february"),
        pytest.param("Europe/Warsaw", "2026-01", 0, "100.000", 0, id="x30 january"),
        pytest.param("Europe/Warsaw", "2026-02", 4_500, "99.813", 1, id="x30 february"),
    ],
)
def test_x29_an_outage_over_the_end_of_a_month(
    tmp_path: Path, tz: str, month: str, down: int, shown: str, count: int
) -> None:
    midnight = 20_485 * DAY_US
    timeline = timeline_file(tmp_path, (midnight - 1_800 * SECOND, midnight + 2_700 * SECOND))
    outcome = invoke(
        "sla", "compute", "--config", fleet_file(tmp_path, tz=tz, target="99.9"), "--timeline",
        timeline, "--contract", "gold", "--period", month, "--json",
    )  # fmt: skip
    (record,) = json.loads(outcome.stdout)["records"]
    assert record["downtime"] == down * SECOND
    assert (record["attainment_shown"], record["outages"]) == (shown, count)


def test_the_document_has_the_same_bytes_from_standard_input(tmp_path: Path) -> None:
    timeline = timeline_file(tmp_path)
    arguments = [
        "sla", "compute", "--config", str(fleet_file(tmp_path)), "--contract", "gold", "--period",
        "2026-02", "--json", "--timeline",
    ]  # fmt: skip
    piped = CliRunner().invoke(cli, [*arguments, "-"], input=timeline.read_bytes())
    assert piped.stdout_bytes == CliRunner().invoke(cli, [*arguments, str(timeline)]).stdout_bytes
    assert piped.stdout.endswith("}\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--contract": "silver"}, "Expected a contract of"),
        ({"--period": "June"}, "--period: expected a period such as 2026-06"),
        ({"--timeline": "{fleet}"}, "is not what `vedette replay --json` prints"),
        ({"--timeline": "nowhere"}, "Cannot read nowhere"),
        ({"--as-of": "later"}, "expected an instant"),
    ],
)
def test_bad_input_is_a_sentence(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    fleet = fleet_file(tmp_path)
    options = {
        "--config": str(fleet), "--timeline": str(timeline_file(tmp_path)), "--contract": "gold",
        "--period": "2026-02",
    }  # fmt: skip
    options |= {key: value.replace("{fleet}", str(fleet)) for key, value in changes.items()}
    outcome = invoke("sla", "compute", *[part for pair in options.items() for part in pair])
    assert outcome.exit_code == 2
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"version":1', '"version":7', "expected version 1, found 7"),
        ('"verdict":"UP"', '"verdict":"FINE"', "Invalid enum value"),
        ('"downtime_min":0', '"downtime_min":9', "downtime_min <= downtime"),
        ('"from":10,"to":20', '"from":20,"to":10', "one after another"),
    ],
)
def test_a_timeline_that_does_not_hold_is_refused(old: str, new: str, said: str) -> None:
    text = (
        '{"version":1,"from":0,"to":20,"horizon":20,"checks":{"c":{"intervals":['
        '{"from":10,"to":20,"verdict":"UP"}],"downtime":0,"downtime_min":0,"downtime_max":0,"outages":[]}}}'
    )
    with pytest.raises(ValueError, match=said):
        decode_replay(text.replace(old, new, 1).encode())


def test_a_timeline_nested_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nested|maximum"):
        decode_replay(b'{"version":1,"x":' + b"[" * 100_000)


def test_a_file_nested_without_end_is_bad_input(tmp_path: Path) -> None:
    timeline = tmp_path / "deep.json"
    timeline.write_text('{"x":' + "[" * 5000 + "]" * 5000 + "}")
    outcome = invoke(
        "sla", "compute", "--config", fleet_file(tmp_path), "--timeline", timeline, "--contract", "gold", "--period", "1970-01",
    )  # fmt: skip
    assert outcome.exit_code == 2
    assert "nested" in outcome.stderr


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000 + "]" * 100_000, id="lists"),
        pytest.param('{"a":' * 100_000 + "1" + "}" * 100_000, id="objects"),
        pytest.param(
            '{"version":1,"from":0,"to":0,"horizon":0,"checks":{"c":' * 50_000, id="its own keys"
        ),
        pytest.param("[" * 100_000, id="open"),
    ],
)
@pytest.mark.parametrize("which", ["fleet", "timeline"])
def test_files_that_are_nested_without_end_are_a_sentence(
    tmp_path: Path, which: str, text: str
) -> None:
    timeline = tmp_path / "timeline.json"
    timeline.write_text('{"version":1,"from":0,"to":0,"horizon":0,"checks":{}}')
    files = {"fleet": fleet_file(tmp_path), "timeline": timeline}
    files[which].write_text(text)
    outcome = invoke(
        "sla", "compute", "--config", files["fleet"], "--timeline", timeline,
        "--contract", "gold", "--period", "2026-06",
    )  # fmt: skip
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(f"Error: {files[which]}")
    assert len(outcome.stderr.splitlines()) == 1


def _report(folder: Path, *more: object) -> Result:
    midnight = 20_485 * DAY_US
    timeline = timeline_file(folder, (midnight + 3_600 * SECOND, midnight + 6_300 * SECOND))
    return invoke(
        "sla", "compute", "--config", fleet_file(folder, target="99.9"), "--timeline", timeline,
        "--contract", "gold", "--period", "2026-02", *more,
    )  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json", "csv", "outages-csv", "html"])
def test_the_whole_report_is_made_offline_too(tmp_path: Path, form: str) -> None:
    outcome = _report(tmp_path, "--report", form)
    assert outcome.exit_code == 1
    assert "gold" in outcome.stdout
    assert "2700" in outcome.stdout or "45m" in outcome.stdout


def test_an_offline_report_goes_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    outcome = _report(tmp_path, "--report", "pdf", "-o", file)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert file.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--report", "word"), "'word' is not one of"),
        (("--report", "html", "-o", "{folder}"), "Cannot write"),
        (("-o", "{folder}/x"), "name one of them"),
    ],
)
def test_a_report_that_cannot_be_given_is_a_sentence(
    tmp_path: Path, more: Sequence[str], said: str
) -> None:
    outcome = _report(tmp_path, *[one.format(folder=tmp_path) for one in more])
    assert outcome.exit_code == 2
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_fonts_that_are_no_folder_are_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEDETTE_FONTS", str(tmp_path / "nowhere"))
    outcome = _report(tmp_path, "--report", "pdf", "-o", tmp_path / "report.pdf")
    assert outcome.exit_code == 2
    assert "Expected VEDETTE_FONTS to name a folder with fonts" in outcome.stderr


SAMPLED = """version: 1
regions: [{id: a}]
services: [{id: s}]
checks: [{id: shop, service: s, every: 60s, timeout: 10s, http: {url: "http://x.test/"}}]
contracts:
  - id: gold
    effective_from: 0
    scope: {checks: [shop]}
    period: {kind: day}
    objectives: [{id: speed, metric: latency, threshold: 3s, target: "95", min_coverage: "0"}]
"""


@pytest.mark.parametrize("option", ["--samples", "--bounds"])
def test_s48_samples_come_with_a_timeline_that_was_asked_for_them(
    tmp_path: Path, option: str
) -> None:
    fleet, lines = tmp_path / "fleet.yaml", tmp_path / "results.jsonl"
    fleet.write_text(SAMPLED)
    common = {"agent": "a-1", "epoch": "e", "check": "shop", "region": "a", "outcome": "up"}
    told = [
        {**common, "seq": n, "at": JUNE_US + n * 60 * SECOND, "took": (3 + n // 19) * SECOND}
        for n in range(20)
    ]
    lines.write_text("".join(json.dumps(one) + "\n" for one in told))
    to_us = JUNE_US + 1200 * SECOND
    replayed = invoke("replay", "--config", fleet, "--from", JUNE_US, "--to", to_us, option, "--json", lines)  # fmt: skip
    assert replayed.exit_code == 0, replayed.output
    (tmp_path / "timeline.json").write_bytes(replayed.stdout_bytes)
    computed = (
        "sla", "compute", "--config", fleet, "--timeline", tmp_path / "timeline.json",
        "--contract", "gold", "--period", "2026-06-01", "--as-of", to_us,
    )  # fmt: skip
    (record,) = json.loads(invoke(*computed, "--json").stdout)["records"]
    people = invoke(*computed)
    if option == "--samples":
        assert record["samples"] == {"good": 19, "valid": 20}
        assert (record["verdict"], people.exit_code) == ("met", 0)
        assert "gold speed: 19 of 20 samples are good" in people.stdout
    else:
        assert (record["verdict"], record["attainment"]) == ("insufficient_evidence", None)
        assert "answers took" not in people.stdout
        assert people.stderr == (
            "The timeline has no samples, and these objectives count them: speed."
            " `vedette replay --samples` gives them.\n"
        )
