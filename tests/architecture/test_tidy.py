"""The house rules that no linter holds: length of modules and functions, and what no file may name."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
# Spelt in parts, so that this file does not name them either.
MACHINE = re.compile(
    "|".join(
        [
            r"(?<![\w.])/wo" + r"rk/",
            r"/ro" + r"ot/",
            r"/home/[a-z]+/",
            r"/opt/wh" + "eels",
            r"\.\./sha" + "red",
        ]
    )
)
INDEX = re.compile(r"--(extra-)?index-url|--find-links|files\.pythonhosted\.org")


def tracked(*suffixes: str) -> list[Path]:
    """Files of the project: those that git tracks, or all below the root where there is no git."""
    try:
        names = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if ".venv" not in p.parts]
    files = [ROOT / name for name in names if not suffixes or name.endswith(suffixes)]
    return [f for f in files if f.is_file()]


def our_python() -> list[Path]:
    return [f for f in tracked(".py") if "vedette/v1" not in f.as_posix()]


def test_no_module_is_a_wall() -> None:
    long = {
        str(f.relative_to(ROOT)): lines
        for f in our_python()
        if (lines := len(f.read_text().splitlines())) > MODULE_LINES_MAX
    }
    assert not long, f"more than {MODULE_LINES_MAX} lines; make a package of it: {long}"


def test_no_function_is_a_wall() -> None:
    long = [
        f"{f.relative_to(ROOT)}:{node.lineno} {node.name}"
        for f in our_python()
        for node in ast.walk(ast.parse(f.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert not long, f"more than {FUNCTION_LINES_MAX} lines: {long}"


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "manager"])
def test_no_module_is_named_for_nothing(name: str) -> None:
    assert not [f for f in our_python() if f.stem == name or f.parent.name == name]


def test_package_inits_hold_a_docstring_and_exports_only() -> None:
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    crowded = [
        str(f.relative_to(ROOT))
        for f in our_python()
        if f.name == "__init__.py"
        and not all(isinstance(node, allowed) for node in ast.parse(f.read_text()).body)
    ]
    assert not crowded


def test_no_file_names_a_machine_or_an_index() -> None:
    named = [
        f"{f.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for f in tracked()
        if f.suffix not in {".binpb", ".png"}
        for number, line in enumerate(f.read_text(errors="replace").splitlines(), 1)
        if MACHINE.search(line) or (INDEX.search(line) and f.name != Path(__file__).name)
    ]
    assert not named


def test_every_dependency_has_its_line() -> None:
    """docs/dependencies.md says what each dependency is for and why it was chosen."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [d for group in project["optional-dependencies"].values() for d in group]
    names = {re.split(r"[\[<>=;~ ]", d)[0] for d in [*project["dependencies"], *extras]} - {
        "vedette"
    }
    page = (ROOT / "docs" / "dependencies.md").read_text()
    missing = sorted(n for n in names if f"`{n}`" not in page)
    assert not missing
