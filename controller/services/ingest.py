"""Ingest: frames of all agents, committed in groups, acknowledged when they are durable and evaluated."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from controller.core.samples import Sample
from controller.errors import ControllerError, Fatal
from controller.ports import Position, Worker
from controller.services.evaluate import Evaluator
from controller.services.frames import Gathered, IncomingFrame, Refused
from controller.services.intake import Answer, Intake, StreamKey
from vedette.shared.limits import INGEST_BATCH_LINES_MAX, INGEST_QUEUE_FRAMES_MAX
from vedette.shared.result import Outcome

_RETRY_SECONDS_MIN: Final = 0.25
_RETRY_SECONDS_MAX: Final = 10.0
# A failure that is older than this is history, and asking other regions about it now says nothing.
_FRESH_US: Final = 60_000_000
_CHECK_AND_TIME: Final = itemgetter(Sample._fields.index("check"), Sample._fields.index("at_us"))


@dataclass(slots=True)
class IngestCounters:
    """What happened since start."""

    lines: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    unknown_checks: int = 0
    lost: int = 0
    refused_frames: int = 0
    commits: int = 0
    failed_commits: int = 0
    last_failure: str = ""


@dataclass(slots=True)
class _Waiting:
    agent: str
    region: str
    frame: IncomingFrame
    answer: "asyncio.Future[Answer]"


def ignore(_checks: Sequence[str]) -> None:
    """Nobody wants to know."""


class Ingest:
    """Takes frames and answers when they are durable.

    While one transaction runs, the frames that arrive gather for the next one. A transaction that fails
    acknowledges nothing and is tried again until storage is back; the queue is bounded, so that agents
    keep their lines until then. A line is evaluated once, however often it comes (S-2).
    """

    def __init__(
        self,
        worker: Worker,
        evaluator: Evaluator,
        now_us: Callable[[], int],
        *,
        on_first_failure: Callable[[Sequence[str]], None] = ignore,
        retry_seconds_min: float = _RETRY_SECONDS_MIN,
    ) -> None:
        self.counters = IngestCounters()
        self._worker = worker
        self._evaluator = evaluator
        self._now_us = now_us
        self._on_first_failure = on_first_failure
        self._retry_seconds_min = retry_seconds_min
        self._waiting: deque[_Waiting] = deque()
        self._room = asyncio.Semaphore(INGEST_QUEUE_FRAMES_MAX)
        self._arrived = asyncio.Event()
        self._positions: dict[StreamKey, int] | None = None
        self._down: set[tuple[str, str]] = set()

    async def submit(self, agent: str, region: str, frame: IncomingFrame) -> Answer:
        """Give a frame of an authenticated agent; the answer comes after the commit.

        Waits while the queue is full. Frames of one stream are taken in the order of submission.
        """
        await self._room.acquire()
        try:
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Waiting(agent, region, frame, answer))
            self._arrived.set()
            return await answer
        finally:
            self._room.release()

    async def durable(self, agent: str) -> Sequence[Position]:
        """The last durable line of every stream of an agent."""
        return await self._worker.run(lambda: self._durable(agent))

    async def run(self) -> None:
        """Commit what arrives, for ever. Fatal if storage is damaged: then nothing more can be promised."""
        while True:
            await self._arrived.wait()
            taken = self._take()
            answers = await self._committed(taken)
            for one, answer in zip(taken, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)

    def _take(self) -> list[_Waiting]:
        """The frames of the next transaction, in order of arrival."""
        taken: list[_Waiting] = []
        lines = 0
        while self._waiting and lines < INGEST_BATCH_LINES_MAX:
            one = self._waiting.popleft()
            taken.append(one)
            lines += one.frame.count
        if not self._waiting:
            self._arrived.clear()
        return taken

    async def _committed(self, taken: Sequence[_Waiting]) -> list[Answer]:
        """The answers to frames after their commit, tried until it succeeds."""
        delay_seconds = self._retry_seconds_min
        while True:
            try:
                answers, suspects = await self._worker.run(lambda: self._commit(taken))
            except Fatal:
                raise
            except ControllerError as error:
                self.counters.failed_commits += 1
                self.counters.last_failure = str(error)
                await asyncio.sleep(delay_seconds)
                delay_seconds = min(2 * delay_seconds, _RETRY_SECONDS_MAX)
                continue
            if suspects:
                self._on_first_failure(suspects)
            return answers

    # --- in the storage thread

    def _durable(self, agent: str) -> Sequence[Position]:
        with self._evaluator.transaction() as tx:
            return tx.positions(agent)

    def _commit(self, taken: Sequence[_Waiting]) -> tuple[list[Answer], list[str]]:
        """One transaction: lines, samples, and everything that they change."""
        received_us = self._now_us()
        with self._evaluator.transaction() as tx:
            if self._positions is None:
                self._positions = {(p.agent, p.epoch, p.stream): p.seq for p in tx.positions()}
            checks = self._evaluator.checks(tx).keys()
            intake = Intake(tx, self._positions, checks, received_us)
            answers = [intake.answer(one.agent, one.region, one.frame) for one in taken]
            gathered = intake.gathered
            # By check and time: what a check's engine and the table are quickest at. The order of arrival
            # decides nothing (S-20).
            gathered.samples.sort(key=_CHECK_AND_TIME)
            tx.append(
                intake.segments(),
                gathered.samples,
                (one for _, one in gathered.rounds),
                gathered.quarantined,
                gathered.conflicts,
            )
            self._evaluator.absorb(
                tx, gathered.samples, gathered.rounds, gathered.disputes, received_us
            )
        self._positions.update(intake.moved)
        self._count(gathered, answers)
        return answers, self._first_failures(gathered.samples, received_us)

    def _count(self, gathered: Gathered, answers: Sequence[Answer]) -> None:
        counters = self.counters
        counters.commits += 1
        counters.lines += gathered.lines
        counters.duplicates += gathered.duplicates
        counters.conflicts += len(gathered.conflicts)
        counters.quarantined += len(gathered.quarantined)
        counters.unknown_checks += gathered.unknown
        counters.lost += gathered.lost
        counters.refused_frames += sum(isinstance(answer, Refused) for answer in answers)

    def _first_failures(self, samples: Sequence[Sample], received_us: int) -> list[str]:
        """Checks of which a region has just begun to fail: the others should look at once."""
        down = self._down
        found: dict[str, None] = {}
        for sample in samples:
            if sample.outcome is Outcome.DOWN:
                place = (sample.check, sample.region)
                if place not in down and sample.at_us > received_us - _FRESH_US:
                    down.add(place)
                    found[sample.check] = None
            elif down and sample.outcome is not Outcome.AGENT_ERROR:
                down.discard((sample.check, sample.region))
        return list(found)
