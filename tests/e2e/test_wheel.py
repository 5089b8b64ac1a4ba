"""The agent alone: the built wheel with its extra in a clean environment brings nothing of the controller."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from controller.cli.demo.targets import Weather, targets

ROOT = Path(__file__).parents[2]
CONTROLLER_ONLY = ("sqlmodel", "sqlalchemy", "fastapi", "alembic", "psycopg")


def run(*words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(w) for w in words],
        # Whoever runs the tests may be logged in to a controller.
        env={**os.environ, "VEDETTE_CONFIG": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_three_packages_and_the_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"agent", "controller", "vedette"}
    assert any("storage/migrations/versions/" in name for name in names)
    assert any(name.endswith("v1/session_pb2.py") for name in names)


@pytest.mark.timeout(300)
def test_the_agent_extra_is_enough_to_probe(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    locked = ROOT / "requirements" / "agent.txt"
    run(python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", locked)
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", wheel)
    run(python, "-m", "pip", "check")
    installed = {
        p["name"].lower()
        for p in json.loads(run(python, "-m", "pip", "list", "--format=json").stdout)
    }
    assert not installed & set(CONTROLLER_ONLY)

    check = tmp_path / "check.yaml"
    with targets(Weather()) as ports:
        check.write_text(f"http: {{url: 'http://127.0.0.1:{ports.http}/', expect: ['json.ok']}}\n")
        agent = python.with_name("vedette-agent")
        line = json.loads(run(agent, "probe", check, "--allow", "127.0.0.0/8", "--json").stdout)
    assert line["outcome"] == "up"

    refused = run(python.with_name("vedette"), "check", "list", check=False)
    assert refused.returncode in (2, 3)
    assert "Traceback" not in refused.stderr
    serving = run(python.with_name("vedette"), "init", "--state", tmp_path / "state", check=False)
    assert serving.returncode == 2
    assert "install vedette[controller]" in serving.stderr
