"""Watching processes: how long a command takes, what memory it and its children hold at most, how long others wait."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

_LOOK_SECONDS: Final = 0.05
_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended: its exit code, what it said, and what it took."""

    code: int
    said: str
    seconds: float
    processor_seconds: float
    bytes_max: int


def ran(arguments: Sequence[str], environment: Mapping[str, str]) -> Ran:
    """Run a command to its end. What its children used of the processors counts as well."""
    started, before = time.perf_counter(), os.times()
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    memory = Memory(process.pid)
    with memory:
        said, _ = process.communicate()
    seconds, after = time.perf_counter() - started, os.times()
    used = sum(after[2:4]) - sum(before[2:4])
    return Ran(process.returncode, said, seconds, used, memory.bytes_max)


def processor_seconds(process: int) -> float:
    """What a process has used of the processors since it began (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _Looking(AbstractContextManager["_Looking"]):
    """Does something again and again, beside what is done in its block."""

    def __init__(self) -> None:
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def look(self) -> None:
        """One look."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            self.look()

    def __enter__(self) -> "_Looking":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()


class Memory(_Looking):
    """The real memory that a process and those that it started held at most; what they share counts once."""

    def __init__(self, process: int) -> None:
        super().__init__()
        self.bytes_max = 0
        self._process = process

    def look(self) -> None:
        """Once more."""
        own = _bytes_in(f"/proc/{self._process}/status", "VmHWM:")
        shared = sum(_bytes_in(f"/proc/{n}/smaps_rollup", "Pss:") for n in _family(self._process))
        self.bytes_max = max(self.bytes_max, own, shared)


class Waits(_Looking):
    """The longest that a small call waited."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self.seconds_max = 0.0
        self._call = call

    def look(self) -> None:
        """Once more."""
        started = time.perf_counter()
        self._call()
        self.seconds_max = max(self.seconds_max, time.perf_counter() - started)


def _family(process: int) -> list[int]:
    """A process and all that it started and that still run."""
    found = [process]
    for one in found:
        try:
            text = Path(f"/proc/{one}/task/{one}/children").read_text()
        except OSError:
            continue
        found += map(int, text.split())
    return found


def _bytes_in(file: str, name: str) -> int:
    """A figure of a process (proc(5)): the most that it ever held, or its share of what is held; 0 if it is gone."""
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return 0
    return next((int(one.split()[1]) * _KIB for one in lines if one.startswith(name)), 0)
