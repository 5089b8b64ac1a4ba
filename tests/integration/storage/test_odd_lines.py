"""Odd lines end to end into real databases: kept or refused as S-2, S-3 and S-5 say, told of, and in nobody's way."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from controller.ports.agents import AgentRecord
from controller.services.fleet.apply import Fleets
from controller.services.people.examine import Examination
from controller.services.results.frames import Accepted, IncomingFrame, Refused
from controller.services.results.ingest import Ingest
from controller.services.timeline.evaluate import Evaluator
from controller.services.timeline.recompute import recomputed
from controller.storage.database import SqlStorage
from tests.fakes.storage import InlineWorker

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_750_000_000 * SECOND
YEAR_3000 = 32_503_680_000 * SECOND
REGIONS = ("fra", "nyc", "sin")
CHECK = "{{id: {id}, service: shop, every: 60s, timeout: 1s, http: {{url: 'http://192.0.2.7/'}}}}"


class Controller:
    """A controller's services over one database, and agents that number their lines."""

    def __init__(self, storage: SqlStorage) -> None:
        self.storage = storage
        self.now_us = START - 3600 * SECOND
        with storage.transaction() as tx:
            for region in (*REGIONS, "osl"):
                tx.put_agent(AgentRecord(f"{region}-1", region, "box", 0, b"", b"", "s", None, 0))
        self.evaluator = Evaluator(storage)
        self.fleets = Fleets(storage, self.evaluator, lambda: self.now_us)
        self.ingest = Ingest(InlineWorker(), self.evaluator, lambda: self.now_us)
        self.apply("home", "old")
        self.now_us = START
        self.apply("home")
        self.seqs: dict[str, int] = {}

    def apply(self, *checks: str) -> None:
        text = "version: 1\nregions: [{id: fra}, {id: nyc}, {id: sin}]\nservices: [{id: shop}]\n"
        text += f"checks: [{', '.join(CHECK.format(id=one) for one in checks)}]\n"
        assert not self.fleets.apply(text.encode(), "fleet.yaml", "ada").problems

    async def give(self, region: str, **more: Any) -> Accepted | Refused:
        """The next line of a region's agent; one that is refused leaves its number for another."""
        seq = more.pop("seq", self.seqs.get(region, 0) + 1)
        data = {
            "agent": f"{region}-1", "epoch": "e", "stream": "shop", "seq": seq, "check": "home",
            "region": region, "at": self.now_us, "outcome": "up", **more,
        }  # fmt: skip
        frame = IncomingFrame("e", "shop", seq, 1, json.dumps(data).encode() + b"\n")
        answer = await self.ingest.submit(f"{region}-1", region, frame)
        if isinstance(answer, Accepted):
            self.seqs[region] = max(seq, self.seqs.get(region, 0))
        return answer

    async def minutes(self, count: int, outcome: str) -> None:
        for _ in range(count):
            self.now_us += MINUTE
            for region in REGIONS:
                assert isinstance(await self.give(region, outcome=outcome), Accepted)

    def findings(self) -> set[tuple[str, str]]:
        """What `vedette doctor` tells: (agent, code)."""
        found = Examination(self.storage, self.ingest.tally, lambda: self.now_us).examine()
        return {(one.agent, one.code) for one in found.findings}

    def outages(self) -> int:
        with self.storage.transaction() as tx:
            return len(tx.outages("home"))


Story = Callable[[Controller], Awaitable[object]]


@pytest.fixture
def controller(storage: SqlStorage) -> Controller:
    return Controller(storage)


async def lived(controller: Controller, odd: Story) -> None:
    """All is well, odd lines come, all is well, and then the check fails: that is an outage as ever."""
    running = asyncio.create_task(controller.ingest.run())
    try:
        await controller.minutes(5, "up")
        await odd(controller)
        await controller.minutes(5, "up")
        assert controller.outages() == 0
        await controller.minutes(3, "down")
        assert controller.outages() == 1
        assert recomputed(controller.storage.transaction).differences == []
    finally:
        running.cancel()


def line(taken: bool = True, **more: Any) -> Story:
    """One line of fra that is taken or refused."""

    async def given(controller: Controller) -> None:
        answer = await controller.give("fra", **more)
        assert isinstance(answer, Accepted if taken else Refused), answer

    return given


async def contradicted(controller: Controller) -> None:
    before = {"seq": 3, "at": START + 3 * MINUTE}
    for outcome in ("down", "up", "degraded"):
        assert isinstance(await controller.give("fra", outcome=outcome, **before), Accepted)


async def unasked(controller: Controller) -> None:
    assert isinstance(await controller.give("osl", outcome="down"), Accepted)


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        pytest.param(line(at=YEAR_3000), ("fra-1", "lines_quarantined"), id="s03 the year 3000"),
        pytest.param(line(at=2**63 - 1), ("fra-1", "lines_quarantined"), id="s03 the last instant"),
        pytest.param(line(at=2**70), ("fra-1", "lines_quarantined"), id="s03 after the last instant"),
        pytest.param(line(at=START + 6 * MINUTE), ("fra-1", "lines_quarantined"), id="s03 a minute ahead"),
        pytest.param(line(taken=False, at=-1), ("fra-1", "frames_refused"), id="before 1970"),
        pytest.param(line(taken=False, at=-(2**63)), ("fra-1", "frames_refused"), id="long before 1970"),
        pytest.param(line(taken=False, at=1.5), ("fra-1", "frames_refused"), id="a fraction"),
        pytest.param(line(at=0, outcome="down"), ("fra-1", "regions_unknown"), id="1970: late evidence of a time without a check"),
        pytest.param(line(at=1, outcome="down"), ("fra-1", "regions_unknown"), id="a microsecond later"),
        pytest.param(line(at=START - 90 * 86_400 * SECOND, outcome="down"), ("fra-1", "regions_unknown"), id="a quarter ago"),
        pytest.param(
            line(clock={"offset": 61 * SECOND, "error": 0}, outcome="down"), None, id="s03 a wrong clock"
        ),
        pytest.param(
            line(clock={"offset": None, "error": 0}, outcome="down"), None, id="s03 no clock"
        ),
        pytest.param(line(check="nobodys", outcome="down"), ("fra-1", "checks_unknown"), id="unknown check"),
        pytest.param(line(check="old", outcome="down"), ("fra-1", "regions_unknown"), id="retired check"),
        pytest.param(unasked, ("osl-1", "regions_unknown"), id="a region that is not asked"),
        pytest.param(contradicted, ("fra-1", "lines_conflict"), id="s02 contradictions"),
        pytest.param(line(taken=False, seq=99), ("fra-1", "frames_refused"), id="s05 a hole"),
    ],
)  # fmt: skip
async def test_an_odd_line_is_told_of_and_in_nobodys_way(
    controller: Controller, odd: Story, told: tuple[str, str] | None
) -> None:
    await lived(controller, odd)
    assert controller.findings() == ({told} if told else set())


async def test_a_stream_whose_every_line_is_odd_is_in_nobodys_way(controller: Controller) -> None:
    async def odd(controller: Controller) -> None:
        strange: list[dict[str, Any]] = [
            {"at": YEAR_3000}, {"at": 0}, {"at": -1}, {"check": "nobodys"}, {"check": "old"},
            {"clock": {"offset": 10**18, "error": 0}}, {"at": 2**63}, {"kind": "timeout", "at": 1},
        ]  # fmt: skip
        for number in range(80):
            await controller.give("sin", outcome="down", **strange[number % len(strange)])

    await lived(controller, odd)
    assert controller.findings() == {
        ("sin-1", code)
        for code in ("checks_unknown", "frames_refused", "lines_quarantined", "regions_unknown")
    }
