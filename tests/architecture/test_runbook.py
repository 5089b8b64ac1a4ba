"""What the pages tell people to type exists: commands, options, arguments, files."""

import re
from pathlib import Path

import pytest

from tests.command_lines import CommandLine, command_lines, problem_of

ROOT = Path(__file__).parents[2]
# The least that each page holds: a page out of which nothing is read proves nothing.
PAGES = {"deploy/README.md": 60, "docs/operations.md": 25, "README.md": 15}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_the_page_exists(page: str) -> None:
    lines = list(command_lines((ROOT / page).read_text()))
    wrong = [f"{line}: {problem}" for line in lines if (problem := problem_of(line))]
    assert not wrong
    assert len(lines) >= PAGES[page]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("vedette agnet list", "no command 'agnet'", id="a misspelt command"),
        pytest.param("vedette agent lst", "no command 'lst'", id="a misspelt one below"),
        pytest.param("vedette agent", "a command is missing", id="a group alone"),
        pytest.param("vedette agent list --al", "no option --al", id="an unknown option"),
        pytest.param("vedette agent approve", "needs ID", id="an argument is missing"),
        pytest.param("vedette agent approve a b", "takes no 'b'", id="an argument too many"),
        pytest.param("vedette agent revoke fra-1", "needs --reason", id="an option is missing"),
        pytest.param("vedette agent revoke a --reason", "needs a value", id="a value is missing"),
        pytest.param(
            "vedette token create --name a --role king", "'king' is none of", id="a value"
        ),
        pytest.param("sudo -u x vedette-agent rn", "no command 'rn'", id="as another user"),
        pytest.param("A=b vedette-agent rn", "no command 'rn'", id="with a setting"),
        pytest.param("true && /opt/v/bin/vedette x | less", "no command 'x'", id="in a line"),
        pytest.param("docker compose run --rm agent jin - < f", "no command 'jin'", id="container"),
        pytest.param("docker compose exec agent vedette-agent x", "no command", id="in it"),
        pytest.param("vedette completion bash|tcsh", "'tcsh' is none of", id="alternatives"),
        pytest.param("vedette \\\n  agnet", "no command 'agnet'", id="over two lines"),
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, words: str) -> None:
    (line,) = command_lines(f"```\n{text}\n```\n")
    assert words in str(problem_of(line))


@pytest.mark.parametrize(
    "text",
    [
        "see `vedette agent` and `vedette agent revoke`.",
        "`vedette completion bash|zsh|fish` prints it.",
        "`vedette-agent probe CHECK.yaml [--allow CIDR]... [--json]`",
        "```\n$ vedette outage list\nvedette is a word of the output\n```\n",
        "```\nvedette db lines --state ctl > lines.jsonl   # every line\n```\n",
    ],
)
def test_what_is_right_is_let_pass(text: str) -> None:
    assert [problem_of(line) for line in command_lines(text)] in ([None], [None, None])


def test_what_is_read_from_standard_input_is_known() -> None:
    (line,) = command_lines("```\nsudo -u a vedette-agent join - --state d < fra.join\n```\n")
    argv = ["vedette-agent", "join", "-", "--state", "d"]
    assert line == CommandLine(argv, stdin="fra.join")


def test_every_file_that_the_runbook_names_exists() -> None:
    page = (ROOT / "deploy" / "README.md").read_text()
    links = {Path("deploy") / link for link in re.findall(r"\]\(([^)#]+)\)", page)}
    named = {
        Path(name) for name in re.findall(r"\b((?:deploy|requirements|tests)/[\w./-]+\.\w+)", page)
    }
    missing = [str(path) for path in links | named if not (ROOT / path).exists()]
    assert not missing
