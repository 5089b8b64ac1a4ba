"""How far the agent's phases are from what the target really did."""

import bisect
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.bench.agent.checks import check_of
from tests.bench.agent.place import started
from tests.bench.agent.targets import HOST, Targets, free_ports, until_open
from vedette.shared.definitions import Check

CHECKS: Final = 20
_SAME_US: Final = 200_000
Done = list[dict[str, Any]]


def checks(port: int, at: Targets) -> list[Check]:
    """Checks of the server that delays, told apart by their paths."""
    ca = at.ca_file.read_text()
    return [
        check_of(
            f"delayed-{n}",
            {"http": {"url": f"https://{HOST}:{port}/delayed-{n}", "tls": {"ca": ca}}},
        )
        for n in range(CHECKS)
    ]


@contextmanager
def delaying(folder: Path, on: set[int]) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """(port, process) of the server; `truth` ends it."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "tests.bench.agent.delays", str(folder), str(port)]
    process = started(command, on, out=subprocess.PIPE)
    try:
        until_open(port)
        yield port, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def truth(process: "subprocess.Popen[str]") -> Done:
    """What the server did."""
    out, _ = process.communicate(timeout=10)
    return msgspec.json.decode(out, type=Done)


def errors_us(seen: Done, done: Done) -> dict[str, list[int]]:
    """Sorted errors by phase: what the agent says and what the target did, probe by probe.

    A probe and a connection belong together when they are of one check and of one time.
    """
    found: dict[str, list[int]] = {"tls": [], "first_byte": [], "transfer": []}
    times: dict[str, list[tuple[int, dict[str, int]]]] = {}
    for one in sorted(done, key=lambda d: d["at"]):
        times.setdefault(one["check"], []).append((one["at"], one["phases"]))
    for line in seen:
        real = _nearest(times.get(line["check"], ()), line["at"])
        if real is None or set(found) - set(line["phases"]):
            continue
        for name, errors in found.items():
            errors.append(abs(line["phases"][name] - real[name]))
    return {name: sorted(errors) for name, errors in found.items()}


def _nearest(times: Sequence[tuple[int, dict[str, int]]], at: int) -> dict[str, int] | None:
    place = bisect.bisect_left([t for t, _ in times], at)
    near = min(times[max(place - 1, 0) : place + 1], key=lambda t: abs(t[0] - at), default=None)
    return near[1] if near is not None and abs(near[0] - at) < _SAME_US else None
