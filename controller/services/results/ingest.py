"""Ingest: frames of all agents, committed in groups, acknowledged when they are durable and evaluated."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from controller.core.intervals import FOREVER_US, Interval
from controller.core.policy import ALWAYS_US, PolicyRevision, in_force
from controller.core.samples import Sample
from controller.errors import ControllerError, Fatal, Unstorable
from controller.ports.custody import Alarm, AlarmKind
from controller.ports.evidence import Conflict, Position
from controller.ports.storage import Transaction, Worker
from controller.services.contracts.touched import note_late
from controller.services.results.frames import Gathered, IncomingFrame, Refused
from controller.services.results.intake import Answer, Intake
from controller.services.results.lookback import LookBack, StreamKey
from controller.services.results.tally import IngestCounters, Tally
from controller.services.results.turns import News, Turns
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.limits import (
    INGEST_BACKLOG_LINES_MAX,
    INGEST_BATCH_LINES_MAX,
    INGEST_QUEUE_FRAMES_MAX,
    REASON_CHARS_MAX,
)

_RETRY_SECONDS_MIN: Final = 0.25
_RETRY_SECONDS_MAX: Final = 10.0
_NEVER: Final = Interval(0, 0)
_CHECK_AND_TIME: Final = itemgetter(Sample._fields.index("check"), Sample._fields.index("at_us"))


@dataclass(slots=True)
class _Waiting:
    agent: str
    region: str
    frame: IncomingFrame
    answer: "asyncio.Future[Answer]"


class _Lane:
    """Frames that wait, in order of arrival; there is a bound to how many."""

    def __init__(self) -> None:
        self.waiting: deque[_Waiting] = deque()
        self.room = asyncio.Semaphore(INGEST_QUEUE_FRAMES_MAX)

    def take(self, lines_max: int) -> Iterator[_Waiting]:
        """The first of them, until there are that many lines."""
        lines = 0
        while self.waiting and lines < lines_max:
            one = self.waiting.popleft()
            lines += one.frame.count
            yield one


class _Defect(Exception):
    """The controller failed on what it was given, and would fail again: a fault of ours."""


def ignore(_news: News) -> None:
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
        turns: Turns | None = None,
        on_news: Callable[[News], None] = ignore,
        retry_seconds_min: float = _RETRY_SECONDS_MIN,
    ) -> None:
        self.tally = Tally()
        self.lookback = LookBack()
        self._worker = worker
        self._evaluator = evaluator
        self._now_us = now_us
        self._turns = turns or Turns(evaluator.prompt_us)
        self._on_news = on_news
        self._retry_seconds_min = retry_seconds_min
        self._live = _Lane()
        self._backlog = _Lane()
        self._arrived = asyncio.Event()
        self._positions: dict[StreamKey, int] | None = None
        self._checks: Mapping[str, Sequence[PolicyRevision]] = {}
        self._asked: Mapping[str, Mapping[str, Interval]] = {}

    @property
    def counters(self) -> IngestCounters:
        """What happened since start."""
        return self.tally.total

    async def submit(self, agent: str, region: str, frame: IncomingFrame) -> Answer:
        """Give a frame of an authenticated agent; the answer comes after the commit.

        Waits while the queue is full. Frames of one stream are taken in the order of submission, and those
        of a backlog behind all that are live.
        """
        lane = self._backlog if frame.is_backlog else self._live
        async with lane.room:
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            lane.waiting.append(_Waiting(agent, region, frame, answer))
            self._arrived.set()
            return await answer

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
        """The frames of the next transaction: live ones in order of arrival, then some of a backlog.

        A late line costs more than a live one, so that few of them at a time keep the next live ones waiting.
        """
        taken = [
            *self._live.take(INGEST_BATCH_LINES_MAX),
            *self._backlog.take(INGEST_BACKLOG_LINES_MAX),
        ]
        if not self._live.waiting and not self._backlog.waiting:
            self._arrived.clear()
        return taken

    async def _committed(self, taken: Sequence[_Waiting]) -> list[Answer]:
        """The answers to frames after their commit.

        What only one frame can bring about (a fault of ours that its lines show) must not stop the others:
        it is found by committing halves.
        """
        try:
            return await self._stored(taken)
        except _Defect as error:
            if len(taken) == 1:
                return [await self._set_aside(taken[0], error)]
            half = len(taken) // 2
            before = await self._committed(taken[:half])
            return [*before, *await self._committed(taken[half:])]

    async def _set_aside(self, one: _Waiting, error: _Defect) -> Answer:
        """A frame that cannot be worked on: sent line by line, the line at fault is kept unread.

        Fatal if not even that works: then it is not the line.
        """
        frame = one.frame
        where = f"line {frame.first_seq} of stream {frame.stream!r} of agent {one.agent}"
        self.tally.defect(one.agent, where, error)
        if frame.count > 1:
            reason = f"the controller failed on one of {frame.count} lines from {where} on: send them singly"
            answer = Refused(frame.epoch, frame.stream, frame.first_seq, 0, reason)
            self.tally.refused(one.agent, answer, self._now_us())
            return answer
        try:
            return (await self._stored([one], f"the controller failed on it: {error}"))[0]
        except _Defect as again:
            raise Fatal(
                f"The controller failed on {where}, and could not even keep it: {again}."
            ) from again

    async def _stored(
        self, taken: Sequence[_Waiting], set_aside: str | None = None
    ) -> list[Answer]:
        """Commit, tried until storage takes it."""
        delay_seconds = self._retry_seconds_min
        while True:
            try:
                answers, news = await self._worker.run(lambda: self._tried(taken, set_aside))
            except Fatal:
                raise
            except ControllerError as error:
                self.tally.failed(str(error), self._now_us())
                await asyncio.sleep(delay_seconds)
                delay_seconds = min(2 * delay_seconds, _RETRY_SECONDS_MAX)
                continue
            self.tally.succeeded()
            if news:
                self._on_news(news)
            return answers

    # --- in the storage thread

    def _durable(self, agent: str) -> Sequence[Position]:
        with self._evaluator.transaction() as tx:
            return tx.positions(agent)

    def _tried(self, taken: Sequence[_Waiting], set_aside: str | None) -> tuple[list[Answer], News]:
        try:
            return self._commit(taken, set_aside)
        except Unstorable as error:
            raise _Defect(str(error)) from error
        except ControllerError:
            raise
        except Exception as error:
            raise _Defect(f"{type(error).__name__}: {error}"[:REASON_CHARS_MAX]) from error

    def _commit(
        self, taken: Sequence[_Waiting], set_aside: str | None = None
    ) -> tuple[list[Answer], News]:
        """One transaction: lines, samples, and everything that they change."""
        received_us = self._now_us()
        with self._evaluator.transaction() as tx:
            if self._positions is None:
                self._positions = {(p.agent, p.epoch, p.stream): p.seq for p in tx.positions()}
            checks = self._evaluator.checks(tx).keys()
            intake = Intake(tx, self._positions, checks, received_us, self.lookback)
            answers = [intake.answer(one.agent, one.region, one.frame, set_aside) for one in taken]
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
                gathered.strays,
            )
            note_late(
                tx,
                gathered.samples,
                (one for _, one in gathered.rounds),
                gathered.disputes,
                received_us,
            )
            self._raise_alarms(tx, gathered.conflicts, received_us)
            self._evaluator.absorb(
                tx, gathered.samples, gathered.rounds, gathered.disputes, received_us
            )
            self._note_asked(self._evaluator.checks(tx))
        self._positions.update(intake.moved)
        self._count(intake.taken, taken, answers, received_us)
        return answers, self._turns.news(gathered.samples, gathered.rounds, received_us)

    def _note_asked(self, checks: Mapping[str, Sequence[PolicyRevision]]) -> None:
        """Remember over which time each region is asked to probe which checks."""
        if checks is not self._checks:
            self._checks = checks
            asked: dict[str, dict[str, Interval]] = {}
            for check, revisions in checks.items():
                for from_us, to_us, policy in in_force(revisions, ALWAYS_US, FOREVER_US):
                    for region in policy.regions if policy else ():
                        own = asked.setdefault(region, {})
                        own[check] = Interval(own.get(check, (from_us,))[0], to_us)
            self._asked = asked

    def _raise_alarms(
        self, tx: Transaction, conflicts: Sequence[Conflict], received_us: int
    ) -> None:
        """Two lines under one identity are an integrity alarm, one for each agent."""
        for agent, count in sorted(Counter(one.id.agent for one in conflicts).items()):
            first = next(one.id for one in conflicts if one.id.agent == agent)
            detail = f"line {first.seq} of stream {first.stream!r} epoch {first.epoch} came with other bytes"
            tx.raise_alarm(
                Alarm(agent, AlarmKind.LINES_CONFLICT, received_us, received_us, count, detail, "")
            )

    def _count(
        self,
        gathered: Sequence[tuple[str, Gathered]],
        taken: Sequence[_Waiting],
        answers: Sequence[Answer],
        received_us: int,
    ) -> None:
        self.tally.committed(gathered)
        for agent, own in gathered:
            if own.samples:
                asked = self._asked.get(own.samples[0].region, {})
                spans = ((one.at_us, *asked.get(one.check, _NEVER)) for one in own.samples)
                self.tally.outside(agent, sum(not a <= at < b for at, a, b in spans))
        for one, answer in zip(taken, answers, strict=True):
            if isinstance(answer, Refused):
                self.tally.refused(one.agent, answer, received_us)
