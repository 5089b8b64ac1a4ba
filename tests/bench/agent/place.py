"""Where a benchmark runs: which core whom, and what a process has used of it."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cores() -> tuple[set[int], set[int]]:
    """(the core of those who are measured, the cores of everything else)."""
    every = sorted(os.sched_getaffinity(0))
    return {every[0]}, set(every[1:] or every)


def started(
    command: Sequence[str | Path], on: set[int], *, out: int | None = None, log: Path | None = None
) -> subprocess.Popen[str]:
    """`command` as a process that may run on the cores `on` only, from its first instruction."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'protos'}"}
    noise = subprocess.DEVNULL if log is None else log.open("w")
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=noise if out is None else out,
        stderr=noise,
        text=True,
        env=environment,
        cwd=ROOT,
        preexec_fn=lambda: os.sched_setaffinity(0, on),
    )


def ended(process: subprocess.Popen[str]) -> None:
    """Stop `process` and wait for it."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def cpu_us_of(pid: int) -> int:
    """CPU time that the process has used, all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000 // _TICKS


def resident_mb_of(pid: int) -> float:
    """Memory that the process holds now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
