"""The agent's runtime as a process of its own, measured from inside: slot, probe, verdict, line, spool.

Everything is the real thing, the spool on disk included; only the link is left out, because there is no
controller. `python -m tests.bench.agent.subject FOLDER WARM SECONDS` runs the assignment that is stored in FOLDER
and prints what was used within SECONDS, as JSON.
"""

import asyncio
import cProfile
import json
import os
import resource
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from agent.core.policy import Policy
from agent.link.offset import MeasuredOffset
from agent.probers.registry import probers_of
from agent.runtime.assignments import StoredAssignment
from agent.runtime.clock import SystemClock
from agent.runtime.executor import Executor
from agent.runtime.pipeline import Pipeline, Who
from agent.spool.queue import DiskSpool

STREAM = "bench"
WINDOW_BYTES = 1 << 30


def offset_of(clock: SystemClock) -> MeasuredOffset:
    """As it is after a few exchanges with a controller."""
    offset = MeasuredOffset(clock)
    for _ in range(8):
        now = clock.wall_us()
        offset.exchanged(now - 200, received_there_us=now - 100, sent_there_us=now - 100)
    return offset


def used_us() -> int:
    """CPU time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return int((used.ru_utime + used.ru_stime) * 1e6)


async def measured(folder: Path, warm: float, seconds: float) -> dict[str, Any]:
    clock = SystemClock()
    spool = DiskSpool.open(folder / "spool")
    pipeline = Pipeline(
        Who("bench", "bench"),
        Executor(probers_of(Policy.of(["127.0.0.0/8"])), clock),
        spool,
        clock=clock,
        offset=offset_of(clock),
        stored=StoredAssignment(folder / "assignment.json"),
    )
    running = [asyncio.create_task(spool.run()), asyncio.create_task(pipeline.run())]
    await asyncio.sleep(warm)
    profiler = cProfile.Profile() if "VEDETTE_BENCH_PROFILE" in os.environ else None
    if profiler is not None:
        profiler.enable()
    first, cpu_us = spool.next_seq(STREAM), used_us()
    await asyncio.sleep(seconds)
    cpu_us, last = used_us() - cpu_us, spool.next_seq(STREAM)
    if profiler is not None:
        profiler.disable()
        profiler.dump_stats(os.environ["VEDETTE_BENCH_PROFILE"])
    for task in reversed(running):
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await spool.sync()
    batches = spool.read({}, WINDOW_BYTES)
    while len(lines := [line for b in batches for line in b.lines]) < last - 1:
        more = spool.read({(spool.epoch, STREAM): len(lines)}, WINDOW_BYTES)
        assert more, "the spool does not give back what it took"
        batches = [*batches, *more]
    await spool.close()
    written = [msgspec.json.decode(line) for line in lines[first - 1 : last - 1]]
    return {
        "checks": last - first,
        "cpu_us": cpu_us,
        "missed": pipeline.missed_slots,
        "outcomes": Counter(f"{w['outcome']} {w.get('kind', '')}".strip() for w in written),
        "lags_us": sorted(w["lag"] for w in written),
        "lines": [
            {
                "check": w["check"],
                "at": w["at"],
                "phases": w.get("phases", {}),
                "loop_lag": w.get("loop_lag", 0),
            }
            for w in written
            if w["check"].startswith("delayed-")
        ],
    }


def main() -> None:
    folder, warm, seconds = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    with asyncio.Runner(loop_factory=uvloop.Loop) as runner:
        print(json.dumps(runner.run(measured(folder, warm, seconds))))


if __name__ == "__main__":
    main()
