"""A controller over storage in memory, told what befalls it one thing at a time."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Final

from controller.core.admission import admitted_line, deduplicated
from controller.core.outages import outages as outages_of
from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.core.timeline import evidence_until, judged_samples, timeline
from controller.ports.agents import AgentRecord
from controller.services.fleet.apply import Fleets
from controller.services.results.frames import Accepted, IncomingFrame
from controller.services.results.ingest import Ingest
from controller.services.timeline.evaluate import Evaluator
from controller.services.timeline.intervals import stored
from controller.services.timeline.recompute import recomputed
from tests.fakes.storage import FakeStorage, InlineWorker

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
START: Final = 1_750_000_000 * SECOND
REGIONS: Final = ("fra", "nyc", "sin")
CHECK: Final = "home"


@dataclass
class Sent:
    """A line, and what it was sent under."""

    region: str
    epoch: str
    stream: str
    seq: int
    data: dict[str, Any]


def _frame(lines: Sequence[Sent]) -> IncomingFrame:
    first = lines[0]
    body = b"".join(json.dumps(one.data).encode() + b"\n" for one in lines)
    return IncomingFrame(first.epoch, first.stream, first.seq, len(lines), body)


@dataclass
class Machine:
    """One check, three regions with an agent each, and a clock that only goes forward."""

    storage: FakeStorage = field(default_factory=FakeStorage)
    now_us: int = START
    sent: list[Sent] = field(default_factory=list)
    seqs: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        with self.storage.transaction() as tx:
            for region in REGIONS:
                tx.put_agent(AgentRecord(f"{region}-1", region, "box", 0, b"", b"", "s", None, 0))
        self._serve()
        self.configure("majority", 2)
        self.now_us += MINUTE

    def _serve(self) -> None:
        self.evaluator = Evaluator(self.storage)
        self.fleets = Fleets(self.storage, self.evaluator, lambda: self.now_us)
        self.ingest = Ingest(
            InlineWorker(), self.evaluator, lambda: self.now_us, retry_seconds_min=0.001
        )
        self._task = self.loop.create_task(self.ingest.run())

    def crash(self, *, is_rebuilt: bool) -> None:
        """Everything in memory is gone; the next controller makes its engines now, or when it needs them."""
        self._stop()
        self._serve()
        if is_rebuilt:
            self.evaluator.rebuild(self.now_us)

    def _stop(self) -> None:
        self._task.cancel()
        self.loop.run_until_complete(asyncio.gather(self._task, return_exceptions=True))

    def end(self) -> None:
        """Let everything go."""
        self._stop()
        self.loop.close()
        self.storage.close()

    def configure(self, rule: str, fail_after: int) -> None:
        """Judge by another quorum from now on."""
        quorum = json.dumps({"rule": rule, "fail_after": fail_after, "recover_after": fail_after})
        text = f"""version: 1
regions: [{{id: fra}}, {{id: nyc}}, {{id: sin}}]
services: [{{id: shop}}]
checks: [{{id: {CHECK}, service: shop, every: 60s, timeout: 1s, http: {{url: "http://192.0.2.7/"}},
  quorum: {quorum}}}]
"""
        assert not self.fleets.apply(text.encode(), "fleet.yaml", "ada").problems

    def written(self, region: str, epoch: str, at_us: int, **more: Any) -> Sent:
        """The next line of an agent, under a number of its own."""
        stream = "@anchors" if "ok" in more else "shop"
        key = (region, epoch, stream)
        seq = self.seqs[key] = self.seqs.get(key, 0) + 1
        data = {
            "agent": f"{region}-1", "epoch": epoch, "stream": stream, "seq": seq, "region": region,
            "check": "@anchors" if stream == "@anchors" else CHECK, "at": at_us, "outcome": "up",
        }  # fmt: skip
        return Sent(region, epoch, stream, seq, {**data, **more})

    def give(self, *lines: Sent) -> None:
        """Send lines, which come in one batch; each is taken."""

        async def given() -> list[Any]:
            return await asyncio.gather(
                *(
                    self.ingest.submit(f"{own[0].region}-1", own[0].region, _frame(own))
                    for own in runs
                )
            )

        runs = [
            list(own)
            for _, own in groupby(lines, key=lambda one: (one.region, one.epoch, one.stream))
        ]
        for answer in self.loop.run_until_complete(given()):
            assert isinstance(answer, Accepted), answer
        self.sent += lines

    def give_to_a_full_disk(self, one: Sent) -> None:
        """The commit fails, and is tried again."""
        self.storage.is_full = True
        self.storage.failed.clear()
        answer = self.loop.create_task(
            self.ingest.submit(f"{one.region}-1", one.region, _frame([one]))
        )
        self.loop.run_until_complete(self.storage.failed.wait())
        self.storage.is_full = False
        assert isinstance(self.loop.run_until_complete(answer), Accepted)
        self.sent.append(one)

    def calm(self, minutes: int) -> None:
        """Every region succeeds each minute, and tells a quarter of an hour of them at once."""
        for start in range(0, minutes, 15):
            count = min(15, minutes - start)
            begin_us, self.now_us = self.now_us, self.now_us + count * MINUTE
            self.give(
                *(
                    self.written(region, "e", begin_us + number * MINUTE - (3 - rank) * SECOND)
                    for rank, region in enumerate(REGIONS)
                    for number in range(1, count + 1)
                )
            )

    def told_otherwise(self) -> list[str]:
        """What the controller tells now otherwise than the batch oracle does of all that was sent."""
        with self.evaluator.transaction() as tx:
            told = self.evaluator.intervals(tx, CHECK, START, self.now_us, self.now_us)
            revisions = self.evaluator.checks(tx)[CHECK]
            outages = self.evaluator.outages(tx, CHECK, self.now_us)
        items = deduplicated(item for one in self.sent if (item := _read(one)) is not None)
        samples = [one for one in items if isinstance(one, Sample)]
        rounds = [one for one in items if isinstance(one, AnchorRound)]
        evidence = evidence_until(samples, rounds, self.now_us)
        segments = timeline(evidence, revisions, START, self.now_us)
        expected = stored(CHECK, segments)
        if list(told) != expected:
            return [f"told {told[-3:]}, expected {expected[-3:]}"]
        starts = {
            one.span.started_us for one in outages_of(segments, partial(judged_samples, evidence))
        }
        wrong = {one.span.started_us for one in outages if not one.region} - starts
        return [f"told of outages at {sorted(wrong)}, expected {sorted(starts)}"] if wrong else []

    def stored_otherwise(self) -> list[str]:
        """What is stored otherwise than the stored lines say."""
        return [what for _, what in recomputed(self.storage.transaction).differences]


def _read(one: Sent) -> Sample | AnchorRound | None:
    item = admitted_line(json.dumps(one.data).encode())
    return None if isinstance(item, Quarantined) else item
