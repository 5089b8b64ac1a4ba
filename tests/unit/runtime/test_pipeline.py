import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.core.schedule import Due
from agent.errors import Fatal
from agent.ports import AssignedCheck, Assignment, Observation
from agent.runtime.assignments import StoredAssignment
from agent.runtime.clock import SystemClock
from agent.runtime.executor import Executor
from agent.runtime.pipeline import Pipeline, Who
from agent.spool.queue import DiskSpool
from vedette.shared.definitions import Check, canonical_bytes
from vedette.shared.probes import IcmpProbe
from vedette.shared.result import ClockReading, Trigger


@dataclass
class Probes:
    """A prober that counts, and holds its probes until it is told to let go."""

    ran: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def probe(self, check: Check) -> Observation:
        self.ran.append(check.id)
        async with self.changed:
            self.changed.notify_all()
        await self.free.wait()
        return Observation(took_us=1000, variables={"received": 1, "sent": 1, "loss": 0.0})

    async def until(self, claim: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(claim)


class Offset:
    def mark(self) -> int:
        return 0

    def reading(self, since: int | None = None) -> ClockReading:
        return ClockReading(offset=12, error=34)


@dataclass
class Bench:
    pipeline: Pipeline
    probes: Probes
    spool: DiskSpool

    async def lines(self, count: int) -> list[dict[str, object]]:
        """The first lines, once there are so many."""
        found: list[bytes] = []
        async with asyncio.timeout(20):
            while len(found) < count:
                await self.spool.wait()
                found = [line for batch in self.spool.read({}, 1 << 20) for line in batch.lines]
        return [msgspec.json.decode(line) for line in found]


@asynccontextmanager
async def bench(tmp_path: Path, assignment: Path | None = None) -> AsyncIterator[Bench]:
    probes, clock = Probes(), SystemClock()
    probes.free.set()
    spool = DiskSpool.open(tmp_path / "spool")
    pipeline = Pipeline(
        Who("fra-1", "fra"),
        Executor({"icmp": probes}, clock),
        spool,
        clock=clock,
        offset=Offset(),
        stored=StoredAssignment(assignment or tmp_path / "assignment.json"),
    )
    running = [asyncio.create_task(spool.run()), asyncio.create_task(pipeline.run())]
    try:
        yield Bench(pipeline, probes, spool)
    finally:
        for task in reversed(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await spool.close()


def check(name: str, every: str = "1s", service: str = "shop") -> Check:
    return Check(
        id=name, service=service, every=every, timeout="1s", regions=["fra", "nyc"],
        icmp=IcmpProbe(host="192.0.2.1"),
    )  # fmt: skip


def assignment(*checks: Check) -> Assignment:
    parts = [canonical_bytes(c) for c in checks]
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    assigned = tuple(AssignedCheck(p, d) for p, d in zip(parts, digests, strict=True))
    return Assignment(hashlib.sha256("".join(digests).encode()).hexdigest(), assigned)


async def test_a_due_slot_becomes_a_numbered_line_of_its_service(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        given = assignment(check("home"))
        assert await at.pipeline.adopt(given) == ()
        line, after = (await at.lines(2))[:2]
        assert (line["agent"], line["region"], line["check"], line["stream"], line["seq"]) == (
            "fra-1", "fra", "home", "shop", 1,
        )  # fmt: skip
        assert line["epoch"] == at.spool.epoch
        assert line["rev"] == given.checks[0].digest
        assert line["clock"] == {"offset": 12, "error": 34}
        assert (after["seq"], after["slot"]) == (2, line["slot"] + 1)  # type: ignore[operator]


async def test_an_order_runs_at_once_and_says_why(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.pipeline.adopt(assignment(check("home", every="24h")))
        at.pipeline.probe_now(["home", "unheard-of"], Trigger.CONFIRM)
        (line,) = await at.lines(1)
        assert (line["trigger"], "slot" in line) == ("confirm", False)


async def test_the_stored_assignment_runs_again_without_a_controller(tmp_path: Path) -> None:
    given = assignment(check("home"))
    StoredAssignment(tmp_path / "assignment.json").save(given)
    async with bench(tmp_path) as at:
        await at.probes.until(lambda: "home" in at.probes.ran)
        assert at.pipeline.revision == given.revision


async def test_what_cannot_be_stored_runs_but_is_not_taken_for_stored(tmp_path: Path) -> None:
    async with bench(tmp_path, tmp_path / "none" / "assignment.json") as at:
        with pytest.raises(Fatal, match="could not be stored"):
            await at.pipeline.adopt(assignment(check("home")))
        await at.probes.until(lambda: "home" in at.probes.ran)


async def test_checks_that_went_are_not_run_any_more(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        await at.pipeline.adopt(assignment(check("old")))
        await at.probes.until(lambda: "old" in at.probes.ran)
        await at.pipeline.adopt(assignment(check("new")))
        ran = len(at.probes.ran)
        await at.probes.until(lambda: at.probes.ran.count("new") == 2)
        assert "old" not in at.probes.ran[ran:]


async def test_a_check_that_runs_as_often_as_it_may_is_not_started_again(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        at.probes.free.clear()
        slow = msgspec.structs.replace(check("slow", every="24h"), timeout="120s")
        await at.pipeline.adopt(assignment(slow))
        for _ in range(10):
            at.pipeline.probe_now(["slow"], Trigger.MANUAL)
            await asyncio.sleep(0)
        started = len(at.probes.ran)
        assert 0 < started < 10
        assert at.pipeline.missed_slots == 0
        at.pipeline._launch(Due("slow", 1, 0))
        assert (len(at.probes.ran), at.pipeline.missed_slots) == (started, 1)
        at.probes.free.set()


async def test_a_defect_of_ours_ends_the_pipeline(tmp_path: Path) -> None:
    spool, clock = DiskSpool.open(tmp_path / "spool"), SystemClock()
    stored = StoredAssignment(tmp_path / "assignment.json")
    probes = Probes()
    probes.free.set()
    executor = Executor({"icmp": probes}, clock)
    offset: Any = None
    pipeline = Pipeline(
        Who("fra-1", "fra"), executor, spool, clock=clock, offset=offset, stored=stored
    )
    await pipeline.adopt(assignment(check("home", every="24h")))
    pipeline.probe_now(["home"], Trigger.MANUAL)
    with pytest.raises(AttributeError):
        await asyncio.wait_for(pipeline.run(), 10)
    await spool.close()


async def test_a_stop_lets_what_is_under_way_finish(tmp_path: Path) -> None:
    async with bench(tmp_path) as at:
        at.probes.free.clear()
        await at.pipeline.adopt(assignment(check("home")))
        await at.probes.until(lambda: "home" in at.probes.ran)
        asyncio.get_running_loop().call_later(0.01, at.probes.free.set)
    spool = DiskSpool.open(tmp_path / "spool")
    assert spool.next_seq("shop") == 2
    await spool.close()
