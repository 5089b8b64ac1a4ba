"""What an auditor has to read to know what `vedette verify` does: little, and nothing that is not about bundles."""

import ast
import io
import subprocess
import sys
import tokenize
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Lines of code: without blank ones, comments and docstrings. `limits.py` is a table of numbers.
CODE_LINES_MAX = 2500
_NO_READING = {"vedette.shared.limits"}
_LISTED = """
import sys
before = set(sys.modules)
import controller.cli.evidence.verify
for name in sorted(set(sys.modules) - before):
    print(name, getattr(sys.modules[name], "__file__", None) or "-")
"""
_LAYOUT = (
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER,
)  # fmt: skip


@pytest.fixture(scope="module")
def imported() -> dict[str, str]:
    """The modules that the command imports, and their files."""
    done = subprocess.run(
        [sys.executable, "-c", _LISTED], capture_output=True, text=True, timeout=60, check=True
    )
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def code_lines(path: Path) -> int:
    """How many lines say something to the machine."""
    source = path.read_text()
    told: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _LAYOUT:
            told |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if isinstance(node.value.value, str):
            told -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(told)


def test_what_verify_imports_can_be_read_in_an_afternoon(imported: dict[str, str]) -> None:
    ours = {
        name: code_lines(Path(file))
        for name, file in imported.items()
        if name.partition(".")[0] in ("controller", "vedette") and name not in _NO_READING
    }
    assert sum(ours.values()) <= CODE_LINES_MAX, sorted(ours.items(), key=lambda one: -one[1])


def test_it_computes_and_renders_nothing_unless_it_is_asked_to(imported: dict[str, str]) -> None:
    for part in ("controller.reporting", "controller.core.sla", "controller.core.replay", "yaml"):
        assert not any(name == part or name.startswith(f"{part}.") for name in imported), part


def test_it_imports_nothing_that_the_audit_extra_does_not_bring(imported: dict[str, str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["audit"]]
    brought = {one.partition(">")[0] for one in wanted}
    # What those bring along themselves; msgspec takes typing_extensions only where it is there.
    brought |= {"cffi", "pycparser", "markdown-it-py", "mdurl", "pygments", "typing_extensions"}
    brought.add("vedette")
    known = packages_distributions()
    for name in {name.partition(".")[0] for name in imported}:
        for distribution in known.get(name, []):
            assert distribution.lower() in brought, f"{name} of {distribution}"
