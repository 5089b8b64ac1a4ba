"""Every conformance vector of docs/semantics.md has a test that names it: in its name, or in the id of a row."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
FIRST, LAST = 1, 68
NAMED = re.compile(r"(?:^|[_ ])x(\d\d)(?=[_ ]|$)")


def _names(tree: ast.AST) -> Iterator[str]:
    """The names of tests, and the ids of their rows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            yield node.name
        is_row = isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.param"
        for keyword in node.keywords if is_row and isinstance(node, ast.Call) else ():
            if keyword.arg == "id" and isinstance(keyword.value, ast.Constant):
                yield str(keyword.value.value)


def test_every_vector_has_a_test_that_names_it() -> None:
    named = {
        int(number)
        for path in sorted(TESTS.rglob("test_*.py"))
        for name in _names(ast.parse(path.read_text()))
        for number in NAMED.findall(name)
    }
    missing = [f"X-{number:02}" for number in range(FIRST, LAST + 1) if number not in named]
    assert not missing, f"no test is named for {', '.join(missing)}"
