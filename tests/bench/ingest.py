"""`make bench-ingest`: results a second into a real controller: mTLS, durable before ack, evaluated, sealed.

The controller runs on one core, the load on another. Beside the figure stand this machine's limits,
measured in the same run.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from controller.cli.demo.stage import Stage
from tests.bench.load import LoadAgent, enrolled, frames_of, seals_of, sent
from tests.bench.reference import parse_only, raw_inserts

BAR_PER_SECOND = 30_000
BAR_BYTES = 120
CHECKS = 1000
ROUNDS = int(os.environ.get("VEDETTE_BENCH_ROUNDS", "200"))
REGIONS = ("fra", "nyc", "sin")


def fleet() -> str:
    """1,000 checks in three regions."""
    checks = "\n".join(
        f"  - {{id: check-{n}, service: shop, every: 60s, http: {{url: 'http://192.0.2.7/'}}}}"
        for n in range(CHECKS)
    )
    regions = ", ".join(f"{{id: {region}}}" for region in REGIONS)
    return f"version: 1\nregions: [{regions}]\nservices: [{{id: shop}}]\nchecks:\n{checks}\n"


def prepared(stage: Stage) -> list[LoadAgent]:
    """A controller on core 0 with the fleet applied and an agent a region; this process on the others."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    stage.start_controller()
    os.sched_setaffinity(0, cores[1:] or cores)
    path = stage.folder / "fleet.yaml"
    path.write_text(fleet())
    stage.command("apply", "-f", str(path))
    agents = []
    for region in REGIONS:
        join = stage.folder / f"{region}.join"
        stage.command("agent", "token", "create", "--region", region, "--out", str(join))
        agents.append(enrolled(join))
    return agents


def processor_seconds(process: int) -> float:
    """What it has used of the processors since it began (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(stage: Stage) -> tuple[int, float, float, float]:
    """(lines, seconds until the last ack, the controller's of the processor, parse-only lines a second)."""
    agents = prepared(stage)
    frames = [frames_of(agent, CHECKS, ROUNDS, rank) for rank, agent in enumerate(agents)]
    lines = sum(frame.count for own in frames for frame in own)
    seals = [seals_of(a, own, CHECKS) for a, own in zip(agents, frames, strict=True)]
    controller = stage._processes["controller"].pid
    used, started = processor_seconds(controller), time.perf_counter()
    await asyncio.gather(*(sent(*load) for load in zip(agents, frames, seals, strict=True)))
    took = time.perf_counter() - started
    used = processor_seconds(controller) - used
    return lines, took, used, await parse_only(frames[0])


def main() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory(prefix="vedette-bench-") as folder,
        Stage(Path(folder)) as stage,
    ):
        lines, took, used, parsed = asyncio.run(measured(stage))
        stage.stop()
        at_rest = sum(f.stat().st_size for f in Path(folder, "controller").rglob("*.db*"))
    rate, rows = lines / took, raw_inserts(300_000)
    print(
        f"results                {lines:>12,} in {took:.1f} s, {len(REGIONS)} agents, {CHECKS} checks"
    )
    print(
        f"durable and evaluated  {rate:>12,.0f} results/s   bar {BAR_PER_SECOND:,}   ratio {rate / BAR_PER_SECOND:.2f}"
    )
    # On a machine that does other things too, this is what can be compared.
    print(
        f"controller's processor {used / lines * 1e6:>12.1f} us/result    {lines / used:,.0f} a second"
    )
    print(f"limit: parse only      {parsed:>12,.0f} results/s   we reach {rate / parsed:.1%}")
    print(f"limit: raw inserts     {rows:>12,.0f} rows/s      we reach {rate / rows:.1%}")
    print(f"at rest                {at_rest / lines:>12.1f} bytes/result  bar {BAR_BYTES}")
    sys.exit(0 if rate >= BAR_PER_SECOND and at_rest / lines <= BAR_BYTES else 1)


if __name__ == "__main__":
    main()
