"""What runs without the extras, and what is said where one is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFORMANCE = ROOT / "tests" / "conformance" / "timeline" / "0001"
# With `vedette[audit]` alone these cannot be imported.
ABSENT = ("alembic", "cel", "google", "grpc", "httpx", "psycopg", "sqlalchemy", "sqlmodel")
RUN = """
import importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from controller.__main__ import main
main()
"""


def vedette(*arguments: str, absent: tuple[str, ...] = ABSENT) -> subprocess.CompletedProcess[str]:
    """The command where some packages are not installed."""
    return subprocess.run(
        [sys.executable, "-c", RUN.format(absent=set(absent)), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )


def test_help_needs_no_extra() -> None:
    done = vedette("--help")
    assert done.returncode == 0
    assert "replay" in done.stdout


def test_replay_needs_neither_grpc_nor_a_database() -> None:
    done = vedette(
        "replay", "--config", str(CONFORMANCE / "fleet.yaml"), "--from", "0", "--to", "1000000",
        str(CONFORMANCE / "results.jsonl"), "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("{")


def test_sla_compute_needs_neither_grpc_nor_a_database() -> None:
    done = vedette("sla", "compute", "--help")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "list"),
        ("serve",),
        ("init", "--state", "/nonexistent"),
        ("sla", "status"),
        ("db", "check"),
        ("plan",),
        ("login", "localhost:1", "--ca", "x"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_missing_extra_is_a_sentence(arguments: tuple[str, ...]) -> None:
    done = vedette(*arguments)
    assert done.returncode == 2
    assert "install vedette[controller]" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


FLEET = """version: 1
regions: [{id: a}]
services: [{id: s}]
checks: [{id: c, service: s, every: 60s, http: {url: "http://x.example/"}}]
contracts: [{id: k, effective_from: 0, scope: {checks: [c]}, objectives: [{id: a, target: "99"}]}]
"""
TIMELINE = (
    '{"version":1,"from":0,"to":0,"horizon":0,"checks":{"c":'
    '{"intervals":[],"downtime":0,"downtime_min":0,"downtime_max":0,"outages":[]}}}'
)


def test_a_pdf_names_the_extra_that_it_needs(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    (tmp_path / "replay.json").write_text(TIMELINE)
    done = vedette(
        "sla", "compute", "--config", f"{tmp_path}/fleet.yaml", "--timeline", f"{tmp_path}/replay.json",
        "--contract", "k", "--period", "2026-06", "--report", "pdf", "-o", f"{tmp_path}/report.pdf",
        absent=("typst",),
    )  # fmt: skip
    assert done.returncode == 2
    assert "This command needs typst, which is not installed: install vedette[pdf]." in done.stderr
    assert not (tmp_path / "report.pdf").exists()
