"""A process that uses gRPC is not forked.

A child inherits connections and none of the threads that serve them: whether a call of its own then works, fails
or hangs differs from run to run (grpcio 1.85.1: "skipping fork() handlers").
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("agent", "controller", "protos")
    for path in (ROOT / folder).rglob("*.py")
)
# `vedette verify` uses no gRPC, as a test of its own shows, and its children share the bundle that is open.
WITHOUT_GRPC = {Path("controller/cli/evidence/verify_spread.py")}
# A program that is started (subprocess, asyncio's) is no fork of this one, unless Python runs in between.
FORKING_NAMES = {"fork", "forkpty", "ProcessPoolExecutor", "preexec_fn"}
FORKING_MODULES = {"multiprocessing", "pty"}


def forks(source: str) -> Iterator[int]:
    """Lines of `source` that fork, or could."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr=name) if name in FORKING_NAMES:
                yield node.lineno
            case ast.keyword(arg=str(name)) if name in FORKING_NAMES:
                yield node.value.lineno
            case ast.Import(names=names) if {n.name.split(".")[0] for n in names} & FORKING_MODULES:
                yield node.lineno
            case ast.ImportFrom(module=str(module), names=names) if (
                module.split(".")[0] in FORKING_MODULES or {n.name for n in names} & FORKING_NAMES
            ):
                yield node.lineno
            case _:
                pass


def test_nothing_forks() -> None:
    found = [
        f"{p}:{line}"
        for p in MODULES
        if p not in WITHOUT_GRPC
        for line in forks((ROOT / p).read_text())
    ]
    assert MODULES
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.fork()",
        "from os import fork",
        "import multiprocessing.pool",
        "from multiprocessing import Pool",
        "from concurrent.futures import ProcessPoolExecutor",
        "import subprocess\nsubprocess.Popen([], preexec_fn=print)",
    ],
)
def test_a_fork_is_found(source: str) -> None:
    assert list(forks(source))
