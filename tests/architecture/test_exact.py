"""Nothing that a figure comes from is a floating-point number (S-1, S-34)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path("controller/core")
# As exact as what they are given.
EXACT_MATH = frozenset(
    {"ceil", "comb", "factorial", "floor", "gcd", "isqrt", "lcm", "perm", "prod"}
)
INEXACT_MODULES = frozenset({"cmath", "decimal", "math", "statistics"})


def inexact(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Where a module may leave integers and Fractions, and by what."""
    for node in ast.walk(tree):
        for what in _of(node):
            yield getattr(node, "lineno", 0), what


def _of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Constant(value=float() | complex()):
            yield f"the number {node.value!r}"
        case ast.Name(id="float" | "complex" as name):
            yield name
        case ast.Import(names=names):
            yield from (one.name for one in names if one.name in INEXACT_MODULES - {"math"})
        case ast.ImportFrom(module=str() as module, names=names) if module in INEXACT_MODULES:
            yield from (one.name for one in names if one.name not in EXACT_MATH)
        case ast.Attribute(value=ast.Name(id="math"), attr=attr) if attr not in EXACT_MATH:
            yield f"math.{attr}"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            # Two integers divided are a float; a Fraction that is named beside them is not.
            if not any(_is_fraction(part) for part in ast.walk(node)):
                yield f"a division without a Fraction: {ast.unparse(node)}"
        case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
            yield f"a negative power: {ast.unparse(node)}"
        case _:
            pass


def _is_fraction(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "Fraction"


def test_the_core_computes_with_integers_and_fractions_only() -> None:
    modules = sorted(CORE.rglob("*.py"))
    assert len(modules) > 50, "the core is where it was"
    found = [
        f"{path}:{line}: {what}"
        for path in modules
        for line, what in inexact(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 0.5",
        "x = float('1')",
        "def f(x: float) -> int: ...",
        "import math\ny = math.sqrt(2)",
        "from math import log",
        "from decimal import Decimal",
        "share = good / valid",
        "share /= 2",
        "small = 10**-3",
    ],
)
def test_what_is_not_exact_is_found(text: str) -> None:
    assert list(inexact(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["x = Fraction(1) / 3", "import math\ny = math.ceil(z)", "x = 7 // 2", "y = 10**3"]
)
def test_what_is_exact_is_not(text: str) -> None:
    assert not list(inexact(ast.parse(text)))
