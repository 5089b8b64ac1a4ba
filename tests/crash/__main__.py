"""`make crash`: a controller and an agent, killed or failed at every call that writes, one call after another.

Each life is of real processes on what the life before left: from the start over lines, seals, their leaves, a signed
checkpoint and its acknowledgement. Killed: at the N-th call of its kind, for every N up to a life that came through.
Failed: the call gives an error; the process has to say so and end, or to wait for room and go on. After each life the
database is checked and compared with every promise that the agent has on its own disk. VEDETTE_CRASH_EVERY=3 takes
every third call only.
"""

import itertools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.crash.order import order_in, words
from tests.crash.promises import Promises
from tests.crash.stage import CONTROLLER, REGION, CrashStage, Fault

EVERY: Final = int(os.environ.get("VEDETTE_CRASH_EVERY", "1"))
CALLS_MAX: Final = 400
LIFE_SECONDS_MAX: Final = 30.0
FULL_SECONDS: Final = 4.0
KILLED: Final = "signal=KILL"
BROKEN: Final = "error=EIO"
FULL: Final = "error=ENOSPC"
# Victim, call, what befalls it, and how far apart the numbers are: SQLite writes pages one by one.
PLAN: Final = (
    (CONTROLLER, "fdatasync", KILLED, 1),
    (CONTROLLER, "pwrite64", KILLED, EVERY),
    (CONTROLLER, "fdatasync", BROKEN, 1),
    (CONTROLLER, "pwrite64", FULL, 10),
    (REGION, "fsync", KILLED, 1),
    (REGION, "rename", KILLED, 1),
    (REGION, "write", KILLED, EVERY),
    (REGION, "fsync", BROKEN, 1),
)  # fmt: skip


# How many calls of a kind a victim makes in a life that comes through, by those that it was killed at.
bounds: Final[dict[tuple[str, str], int]] = {}


@dataclass
class Count:
    """Of one row of the plan."""

    lives: int = 0
    died: int = 0


@dataclass(frozen=True)
class Life:
    """Whether the controller came to listen, and whether the victim ended, by itself or by the fault."""

    listened: bool
    died: bool


def lived(stage: CrashStage, promises: Promises, fault: Fault | None) -> Life:
    """One life of both, up to the victim's end or until it came through."""
    before = promises.acked()
    seconds = FULL_SECONDS if fault is not None and fault.fault == FULL else LIFE_SECONDS_MAX
    listened = stage.begin_life(fault)
    victim = CONTROLLER if fault is None else fault.victim
    died = stage.wait(victim, lambda: promises.acked().goes_on_from(before), seconds)
    stage.end_life()
    return Life(listened, died)


def told_early(stage: CrashStage, promises: Promises) -> list[str]:
    """Whether a life tells of commits that are not on the disk."""
    trace = stage.folder / "trace"
    before = promises.acked()
    stage.begin_life(None, words(trace))
    stage.wait(CONTROLLER, lambda: promises.acked().goes_on_from(before), LIFE_SECONDS_MAX)
    stage.end_life()
    found = order_in(trace)
    print(f"{found.commits} commits of a life, {len(found.told_early)} told before their sync")
    return found.told_early if found.commits else ["no commit was seen in the trace of a life"]


def enumerated(
    stage: CrashStage, promises: Promises, row: tuple[str, str, str, int], count: Count
) -> Iterator[str]:
    """Every number of a row, up to a life that came through; what is broken after each."""
    victim, call, kind, step = row
    for number in itertools.count(1, step):
        fault = Fault(victim, call, kind, number)
        life = lived(stage, promises, fault)
        count.lives += 1
        count.died += life.died
        yield from (f"{fault}: {one}" for one in promises.broken())
        if kind == FULL and life.died and life.listened:
            yield f"{fault}: it ended, where it should wait for room: {stage.last_words(victim)}"
        if kind != KILLED and life.died and not stage.last_words(victim).endswith("."):
            yield f"{fault}: it ended without a sentence: {stage.last_words(victim)}"
        # What a life that came through was killed at before; failing calls may be passed over, so they need a bound.
        if kind == KILLED:
            bounds[victim, call] = number
        bound = CALLS_MAX if kind == KILLED else bounds.get((victim, call), CALLS_MAX)
        if (kind == KILLED and not life.died) or number + step > bound:
            return


def main() -> int:
    if shutil.which("strace") is None:
        print("strace is not installed (apt-get install strace): it injects the faults.")
        return 2
    problems: list[str] = []
    begun = time.monotonic()
    total = Count()
    with tempfile.TemporaryDirectory() as folder, CrashStage(Path(folder)) as stage:
        stage.begin()
        promises = Promises(stage)
        problems += told_early(stage, promises)
        for row in PLAN:
            count = Count()
            for problem in enumerated(stage, promises, row, count):
                print(problem, flush=True)
                problems.append(problem)
            if lived(stage, promises, None).died or list(promises.broken()):
                problems.append(f"{row}: it does not go on: {list(promises.broken())}")
            total.lives, total.died = total.lives + count.lives, total.died + count.died
            victim, call, kind, step = row
            told = f"{victim:10} {call:10} {kind:12} every {step:2}"
            print(f"{told} {count.lives:4} points, ended at {count.died:4}", flush=True)
        heads, leaves = len(promises.heads), len(promises.leaves)
    print(
        f"{total.lives} points, {total.died} ends, {heads} heads, {leaves} leaves,"
        f" {time.monotonic() - begun:.0f} s: {len(problems)} promises broken."
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
