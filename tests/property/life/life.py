"""One controller on a database in memory, its agents, and whatever befalls them."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from controller.errors import Unreachable
from controller.ports.agents import AgentRecord
from controller.services.fleet.apply import Fleets
from controller.services.outages.outages import Outages
from controller.services.results.frames import Accepted, IncomingFrame
from controller.services.results.ingest import Ingest
from controller.services.timeline.evaluate import Evaluator
from tests.fakes.storage import FakeStorage, InlineWorker
from tests.property.life.site import STREAMS, Line, Site, frame_of

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
EVERY = 600 * SECOND
CHECKS = ("c0", "c1")
AGENTS = {"fra-1": "fra", "fra-2": "fra", "nyc-1": "nyc", "sin-1": "sin", "osl-1": "osl"}


class Life:
    """One controller on a database in memory, its agents, and a record of all that was accepted."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now_us = START
        self.storage = FakeStorage()
        self.sites = [Site(agent, region) for agent, region in AGENTS.items()]
        if self.random.random() < 0.5:
            del self.sites[1]
        self.down_until: dict[tuple[str, str], int] = {}
        self.lost: list[tuple[Site, Line]] = []
        self.sent: list[tuple[Site, Line]] = []
        self.accepted: set[bytes] = set()
        with self.storage.transaction() as tx:
            for site in self.sites:
                tx.put_agent(AgentRecord(site.agent, site.region, "box", 0, b"", b"", "s", None, 0))
        self._serve()
        self._apply(CHECKS)
        self.now_us += SECOND

    def _serve(self) -> None:
        self.evaluator = Evaluator(self.storage)
        self.fleets = Fleets(self.storage, self.evaluator, lambda: self.now_us)
        self.outages = Outages(self.storage, self.evaluator, lambda: self.now_us)
        self.ingest = Ingest(
            InlineWorker(), self.evaluator, lambda: self.now_us, retry_seconds_min=0.001
        )
        self._task: asyncio.Task[None] | None = None

    def _apply(self, checks: Sequence[str]) -> None:
        text = b"version: 1\nregions: [{id: fra}, {id: nyc}, {id: sin}, {id: osl}]\n"
        text += b"services: [{id: shop}]\nchecks:\n"
        text += "".join(self._check(name) for name in checks).encode()
        assert not self.fleets.apply(text, "fleet.yaml", "ada").problems

    def _check(self, name: str) -> str:
        choose = self.random.choice
        quorum = {
            "rule": choose(["majority", "majority", "at_least_half", "all", "any"]),
            "fail_after": choose([1, 2, 2, 3]),
            "recover_after": choose([1, 2, 2, 3]),
            "min_evidence": choose([1, 2]),
        }
        outage = {
            "merge_gap": choose(["0s", "120s", "1800s"]),
            "abandon_after": choose(["24h", "3h"]),
        }
        regions = choose(["", "", "regions: [nyc, fra, sin], "])
        return (
            f"  - {{id: {name}, service: shop, every: 600s, timeout: 1s, {regions}"
            f"http: {{url: 'http://192.0.2.7/'}}, quorum: {json.dumps(quorum)}, outage: {json.dumps(outage)}}}\n"
        )

    # --- what happens

    async def step(self) -> None:
        """Some time passes, and whatever happens in it."""
        chance = self.random.random
        self.now_us += EVERY // self.random.choice([1, 1, 1, 2, 3])
        if chance() < 0.01:
            self.now_us += self.random.choice([3, 8, 30]) * 6 * EVERY
        self._befall()
        for site in self.sites:
            self._probe(site)
        frames = [(site, frame) for site in self.sites for frame in self._due(site)]
        frames += self._odd()
        await self._give(frames)
        self._care()

    def _befall(self) -> None:
        chance, later = self.random.random, self._later
        for region in set(AGENTS.values()):
            for check in CHECKS:
                if chance() < 0.025:
                    self.down_until[region, check] = later(6)
        if chance() < 0.03:
            check = self.random.choice(CHECKS)
            for region in self.random.sample(sorted(set(AGENTS.values())), 3):
                self.down_until[region, check] = later(12)
        for site in self.sites:
            if chance() < 0.015:
                site.away_until = later(self.random.choice([3, 80]))
            if chance() < 0.01:
                site.silent_until = later(self.random.choice([3, 80]))
            if chance() < 0.01:
                site.troubled_until = later(6)
                # Often it is in trouble when it comes back.
                site.away_until = self.random.choice([site.away_until, site.troubled_until])

    def _later(self, steps: int) -> int:
        return self.now_us + self.random.randint(1, steps) * EVERY

    def _probe(self, site: Site) -> None:
        chance = self.random.random
        if self.now_us < site.silent_until or chance() < 0.04:
            return
        is_troubled = self.now_us < site.troubled_until
        for check in CHECKS:
            is_down = is_troubled or self.now_us < self.down_until.get((site.region, check), 0)
            outcome = "down" if is_down else "up"
            if chance() < 0.06:
                outcome = self.random.choice(["up", "down", "degraded", "agent_error"])
            self._write(site, "shop", check, outcome)
        if chance() < 0.5:
            self._write(site, "@anchors", "@anchors", "up", ok=0 if is_troubled else 3, total=3)

    def _write(self, site: Site, stream: str, check: str, outcome: str, **more: int) -> None:
        site.seqs[stream] += 1
        data = {
            "agent": site.agent, "epoch": "e", "stream": stream, "seq": site.seqs[stream],
            "check": check, "region": site.region, "outcome": outcome,
            "at": self.now_us - self.random.randrange(0, EVERY // 3), **more,
        }  # fmt: skip
        site.waiting.append(Line(stream, site.seqs[stream], data))

    def _due(self, site: Site) -> Iterator[IncomingFrame]:
        if self.now_us < site.away_until or self.random.random() < 0.1:
            return
        waiting, site.waiting = site.waiting, []
        for stream in STREAMS:
            own = [one for one in waiting if one.stream == stream]
            lost = 0
            if len(own) > 1 and self.random.random() < 0.04:
                lost = self.random.randrange(1, len(own))
                self.lost += [(site, one) for one in own[:lost]]
                own = own[lost:]
            if own:
                self.sent += [(site, one) for one in own]
                yield frame_of(own, lost)

    def _odd(self) -> list[tuple[Site, IncomingFrame]]:
        """What was lost and found, sent twice, or sent again with other bytes."""
        found: list[tuple[Site, IncomingFrame]] = []
        if self.lost and self.random.random() < 0.1:
            site, one = self.lost.pop(self.random.randrange(len(self.lost)))
            self.sent.append((site, one))
            found.append((site, frame_of([one])))
        if self.sent and self.random.random() < 0.1:
            site, one = self.random.choice(self.sent[-400:])
            found.append((site, frame_of([one])))
        if self.sent and self.random.random() < 0.02:
            site, one = self.random.choice(self.sent[-self.random.choice([20, 400, 4000]) :])
            found.append((site, frame_of([self._contradiction(one)])))
        return found

    def _contradiction(self, one: Line) -> Line:
        data = {**one.data, "note": self.random.random()}
        if one.stream == "@anchors":
            data["ok"] = self.random.choice([0, 3])
        else:
            data["outcome"] = self.random.choice(["up", "down", "degraded", "agent_error"])
            data["check"] = self.random.choice([*CHECKS, one.data["check"], one.data["check"]])
        if self.random.random() < 0.3:
            data["at"] = min(
                self.now_us, data["at"] + self.random.randrange(-100, 100) * EVERY // 10
            )
        return Line(one.stream, one.seq, data)

    async def _give(self, frames: Sequence[tuple[Site, IncomingFrame]]) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self.ingest.run())
        self.storage.is_full = bool(frames) and self.random.random() < 0.02
        given = [
            asyncio.create_task(self.ingest.submit(site.agent, site.region, frame))
            for site, frame in frames
        ]
        if self.storage.is_full:
            self.storage.failed.clear()
            await self.storage.failed.wait()
            self.storage.is_full = False
        for (_, frame), answer in zip(frames, await asyncio.gather(*given), strict=True):
            if isinstance(answer, Accepted):
                self.accepted.update(frame.lines.splitlines())

    def _care(self) -> None:
        """What the controller does by itself, what people do to it, and what the disk does."""
        chance = self.random.random
        if chance() < 0.2:
            self.evaluator.advance(self.now_us)
        if chance() < 0.03:
            self.evaluator.settle()
        if chance() < 0.01:
            self._apply(self.random.choice([CHECKS, CHECKS, CHECKS[:1]]))
        if chance() < 0.02:
            with self._full_disk(), suppress(Unreachable):
                self.evaluator.advance(self.now_us)
        if chance() < 0.02:
            self.end()
            self._serve()
            if chance() < 0.8:
                self.evaluator.rebuild(self.now_us)

    @contextmanager
    def _full_disk(self) -> Iterator[None]:
        self.storage.is_full = True
        yield
        self.storage.is_full = False

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
