import builtins
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent.cli.main import COMMANDS, cli
from agent.spool.queue import DiskSpool
from tests.unit.spool.lines import fill


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, prog_name="vedette-agent")


def test_help_names_every_command_without_importing_any() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert all(name in result.output for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0, result.output
    assert "Usage: vedette-agent" in result.output


def test_the_version_is_shown() -> None:
    assert run("--version").output.startswith("vedette-agent ")


@pytest.mark.parametrize("arguments", [["run"], ["status"]])
def test_without_an_agent_it_says_how_to_get_one(tmp_path: Path, arguments: list[str]) -> None:
    result = run(*arguments, "--state", str(tmp_path))
    assert result.exit_code == 2
    assert "There is no agent in" in result.output
    assert "run `vedette-agent join FILE" in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["join", "none.join"], 2, "cannot be read: No such file", id="no join file"),
        pytest.param(["join", "-"], 2, "-: expected a join file made by", id="an empty join file"),
        pytest.param(["join", "x", "--allow", "y"], 2, "found 'y'", id="no network"),
        pytest.param(["run", "--spool-max", "5"], 2, "a size of at least 64K", id="too small"),
        pytest.param(["run", "--spool-max", "big"], 2, "such as 512M or 8G", id="no size"),
        pytest.param(["joyn"], 2, "No such command", id="a misspelt command"),
        pytest.param(["completion", "tcsh"], 2, "'bash', 'zsh', 'fish'", id="another shell"),
    ],
)
def test_bad_input_is_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.setenv("VEDETTE_AGENT_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == code
    assert words in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_for_this_command(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_VEDETTE_AGENT_COMPLETE" in result.output


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_grpc(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "grpc":
            raise ModuleNotFoundError("No module named 'grpc'", name="grpc")
        return real(name, *rest, **more)

    for module in [m for m in sys.modules if m.startswith(("agent.link", "agent.cli.join"))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without_grpc)
    result = run("join", "x")
    assert result.exit_code == 2
    assert "needs grpc, which is not installed: install vedette[agent]" in result.output


async def test_the_spool_is_counted_while_the_agent_runs(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path / "spool")
    fill(spool, "shop", 5)
    fill(spool, "dns", 2)
    await spool.sync()
    result = run("spool", "--state", str(tmp_path))
    assert result.exit_code == 0
    assert "7 lines in 1 files" in result.output
    shown = json.loads(run("spool", "--state", str(tmp_path), "--json").output)
    assert shown["epoch"] == spool.epoch
    assert [(s["stream"], s["lines"], s["first"], s["last"], s["lost"]) for s in shown["streams"]] == [
        ("dns", 2, 1, 2, 0),
        ("shop", 5, 1, 5, 0),
    ]  # fmt: skip
    await spool.close()


def test_a_spool_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert run("spool", "--state", str(tmp_path)).output == "0 lines in 0 files, 0 bytes\n"
