"""Regenerate the Python of protos/vedette/v1 (the only way to do so). `--check` fails if it is not up to date."""

import argparse
import os
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parent
SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def generate(target: Path) -> None:
    """Write the generated modules of every .proto file below `target`."""
    # protoc looks for its plugins on PATH, and a virtual environment need not be active.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    protos = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "vedette").rglob("*.proto"))
    include = str(resources.files("grpc_tools") / "_proto")
    outputs = [f"--{kind}={target}" for kind in ("python_out", "grpc_python_out")]
    arguments = [
        "protoc",
        f"-I{ROOT}",
        f"-I{include}",
        *outputs,
        f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}",
        *protos,
    ]
    if protoc.main(arguments) != 0:
        sys.exit("protoc failed; its message stands above")


def main() -> None:
    """Generate in place, or compare with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    if not parser.parse_args().check:
        generate(ROOT)
        return
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        generate(fresh)
        files = [p for p in fresh.rglob("*") if p.name.endswith(SUFFIXES)]
        stale = [
            str(p.relative_to(fresh))
            for p in files
            if not (ROOT / p.relative_to(fresh)).exists()
            or p.read_bytes() != (ROOT / p.relative_to(fresh)).read_bytes()
        ]
    if stale:
        sys.exit(f"not up to date: {', '.join(sorted(stale))}. Run: make proto")


if __name__ == "__main__":
    main()
