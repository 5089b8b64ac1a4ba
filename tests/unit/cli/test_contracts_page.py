"""The examples of docs/contracts.md: what stands under each command is what the program prints."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from controller.cli.main import cli

PAGE = Path(__file__).parents[3] / "docs" / "contracts.md"
BLOCK = re.compile(r"^```\n\$ vedette (.*?)\n(.*?)^```", re.DOTALL | re.MULTILINE)
EXAMPLES = BLOCK.findall(PAGE.read_text())


@pytest.mark.parametrize(("command", "printed"), EXAMPLES)
def test_an_example_of_a_contract_prints_what_its_page_shows(
    command: str, printed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PAGE.parent / "examples")
    result = CliRunner().invoke(cli, shlex.split(command))
    assert result.stdout == printed
    assert result.exit_code == (1 if "breached" in printed else 0)


def test_every_example_is_on_the_page() -> None:
    shown = {name for command, _ in EXAMPLES for name in shlex.split(command)}
    assert {path.name for path in (PAGE.parent / "examples").iterdir()} <= shown
    assert len(EXAMPLES) == 4
