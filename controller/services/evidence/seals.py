"""Seals as they arrive: verified against the lines that are held, kept, and their lines packed.

Seals of all agents are committed in groups. What does not verify is refused by name and leaves an alarm; a
second note under a number that is taken is kept beside the first, as proof.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.sealing import (
    START,
    Link,
    Unverified,
    opened_seal,
    range_of,
    require_payload,
    sha256_of,
    skipped_between,
)
from controller.errors import ControllerError, Fatal
from controller.ports.custody import Alarm, AlarmKind
from controller.ports.seals import ForkedSeal, StoredSeal, StreamId, StreamStanding
from controller.ports.storage import Storage, Transaction, Worker
from vedette.shared.identity import ANCHORS, is_epoch, is_id
from vedette.shared.limits import (
    SEAL_BYTES_MAX,
    SEAL_LINES_MAX,
    SEAL_NOTE_BYTES_MAX,
    SEALS_AT_ONCE_MAX,
    SEALS_QUEUE_MAX,
)
from vedette.shared.seal import Seal, StreamName

_RETRY_SECONDS_MIN: Final = 0.25
_RETRY_SECONDS_MAX: Final = 10.0
_NUMBER_MAX: Final = 10**18


@dataclass(frozen=True, slots=True)
class IncomingSeal:
    """A note as an agent sent it (vedette.v1.Seal)."""

    epoch: str
    stream: str
    number: int
    note: bytes


@dataclass(frozen=True, slots=True)
class SealAnswer:
    """Kept, or refused for a reason; empty if it was kept."""

    epoch: str
    stream: str
    number: int
    reason: str = ""


@dataclass(slots=True)
class SealCounters:
    """What happened since start."""

    kept: int = 0
    duplicates: int = 0
    refused: int = 0
    forked: int = 0
    failed_commits: int = 0


@dataclass(slots=True)
class _Waiting:
    agent: str
    peer: str
    seal: IncomingSeal
    answer: "asyncio.Future[SealAnswer]"


class Seals:
    """Takes seals and answers when they are durable. `organisation` stands in the names of agents' keys."""

    def __init__(
        self,
        worker: Worker,
        storage: Storage,
        organisation: str,
        now_us: Callable[[], int],
        *,
        retry_seconds_min: float = _RETRY_SECONDS_MIN,
    ) -> None:
        self.counters = SealCounters()
        self._worker = worker
        self._storage = storage
        self._organisation = organisation
        self._now_us = now_us
        self._retry_seconds_min = retry_seconds_min
        self._waiting: deque[_Waiting] = deque()
        self._room = asyncio.Semaphore(SEALS_QUEUE_MAX)
        self._arrived = asyncio.Event()
        self._committed_some = asyncio.Event()

    async def submit(self, agent: str, peer: str, seal: IncomingSeal) -> SealAnswer:
        """Give a seal of an authenticated agent; the answer comes after the commit.

        Seals of one stream are taken in the order of submission.
        """
        await self._room.acquire()
        try:
            answer: asyncio.Future[SealAnswer] = asyncio.get_running_loop().create_future()
            self._waiting.append(_Waiting(agent, peer, seal, answer))
            self._arrived.set()
            return await answer
        finally:
            self._room.release()

    async def next_commit(self) -> None:
        """Return when more seals were committed."""
        await self._committed_some.wait()

    async def tips(self, agent: str) -> Sequence[StoredSeal]:
        """The last seal of every stream of an agent."""
        return await self._worker.run(lambda: self._tips(agent))

    async def standings(self, agent: str | None = None) -> Sequence[StreamStanding]:
        """How every stream (of `agent`) stands."""
        return await self._worker.run(lambda: self._standings(agent))

    async def run(self) -> None:
        """Commit what arrives, for ever. Fatal if storage is damaged."""
        while True:
            await self._arrived.wait()
            taken = [
                self._waiting.popleft() for _ in range(min(SEALS_AT_ONCE_MAX, len(self._waiting)))
            ]
            if not self._waiting:
                self._arrived.clear()
            for one, answer in zip(taken, await self._committed(taken), strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)
            some, self._committed_some = self._committed_some, asyncio.Event()
            some.set()

    async def _committed(self, taken: Sequence[_Waiting]) -> list[SealAnswer]:
        delay_seconds = self._retry_seconds_min
        while True:
            try:
                return await self._worker.run(lambda: self._commit(taken))
            except Fatal:
                raise
            except ControllerError:
                self.counters.failed_commits += 1
                await asyncio.sleep(delay_seconds)
                delay_seconds = min(2 * delay_seconds, _RETRY_SECONDS_MAX)

    # --- in the storage thread

    def _tips(self, agent: str) -> Sequence[StoredSeal]:
        with self._storage.transaction() as tx:
            return tx.seal_tips(agent)

    def _standings(self, agent: str | None) -> Sequence[StreamStanding]:
        with self._storage.transaction() as tx:
            return tx.stream_standings(agent)

    def _commit(self, taken: Sequence[_Waiting]) -> list[SealAnswer]:
        counters = SealCounters()
        with self._storage.transaction() as tx:
            answers = [self._taken(tx, one, counters) for one in taken]
        for name in SealCounters.__dataclass_fields__:
            setattr(self.counters, name, getattr(self.counters, name) + getattr(counters, name))
        return answers

    def _taken(self, tx: Transaction, one: _Waiting, counters: SealCounters) -> SealAnswer:
        """Keep a seal or refuse it. What is refused leaves an alarm, and nothing else."""
        seal = one.seal
        try:
            self._take(tx, one, counters)
        except Unverified as error:
            counters.refused += 1
            where = f"seal {seal.number} of stream {seal.stream[:80]!r} epoch {seal.epoch[:32]!r}"
            self._alarm(tx, one, AlarmKind.SEAL_REFUSED, f"{where}: {error}")
            return SealAnswer(seal.epoch, seal.stream, seal.number, str(error))
        return SealAnswer(seal.epoch, seal.stream, seal.number)

    def _take(self, tx: Transaction, one: _Waiting, counters: SealCounters) -> None:
        incoming = one.seal
        _require_form(incoming)
        record = tx.agent(one.agent)
        if record is None:
            raise Unverified(f"there is no agent {one.agent} here")
        stream = StreamId(one.agent, incoming.epoch, incoming.stream)
        tip = tx.seal_tip(stream)
        is_old = tip is not None and incoming.number <= tip.number
        kept = tx.seal(stream, incoming.number) if is_old else None
        if kept is not None and kept.note == incoming.note:
            counters.duplicates += 1
            return
        name = StreamName(self._organisation, stream.agent, stream.stream, stream.epoch)
        seal = opened_seal(incoming.note, name, incoming.number, record.evidence_key)
        if kept is not None:
            self._fork(tx, one, stream, counters)
        link = START
        if tip is not None:
            link = Link(tip.number, sha256_of(tip.note), tip.covered_seq)
        skipped = skipped_between(link, seal)
        if seal.payload.count:
            self._require_lines(tx, stream, seal, range_of(link, seal, skipped))
        elif seal.slots.done:
            raise Unverified(f"expected no slot done without lines, found {seal.slots.done}")
        tx.put_seal(_stored(stream, seal, incoming.note, link, skipped, self._now_us()))
        counters.kept += 1
        if skipped:
            detail = f"{skipped} before seal {seal.number} of {stream.stream} epoch {stream.epoch}"
            self._alarm(tx, one, AlarmKind.SEAL_MISSING, detail)

    def _require_lines(
        self, tx: Transaction, stream: StreamId, seal: Seal, covered: tuple[int, int]
    ) -> None:
        """The lines are here and are what was sealed; they become one segment."""
        first, last = covered
        payload = seal.payload
        if payload.count > SEAL_LINES_MAX or payload.bytes > SEAL_BYTES_MAX:
            raise Unverified(
                f"expected at most {SEAL_LINES_MAX} lines and {SEAL_BYTES_MAX} bytes, found {payload.count} "
                f"and {payload.bytes}"
            )
        held = tx.line_count(stream, first, last)
        if held != payload.count:
            raise Unverified(
                f"expected {payload.count} lines from {first} to {last}, found {held} here"
            )
        try:
            tx.pack_segments(stream, first, last, lambda parts: require_payload(seal, parts))
        except Unverified as error:
            if tx.pruned_between(stream, first, last):
                raise Unverified(
                    f"expected lines {first} to {last}, and some of them were pruned before their seal came"
                ) from error
            raise

    def _fork(
        self, tx: Transaction, one: _Waiting, stream: StreamId, counters: SealCounters
    ) -> None:
        """The agent has signed two notes of one number: both are kept."""
        number = one.seal.number
        if tx.put_forked_seal(ForkedSeal(stream, number, one.seal.note, self._now_us())):
            counters.forked += 1
            detail = (
                f"two seals {number} of stream {stream.stream} epoch {stream.epoch}, both signed"
            )
            self._alarm(tx, one, AlarmKind.SEAL_FORKED, detail)
        raise Unverified(
            f"another seal {number} of this stream is kept already; both stay as proof"
        )

    def _alarm(self, tx: Transaction, one: _Waiting, kind: AlarmKind, detail: str) -> None:
        now_us = self._now_us()
        tx.raise_alarm(Alarm(one.agent, kind, now_us, now_us, 1, detail, one.peer))


def _require_form(seal: IncomingSeal) -> None:
    """Cheap checks first: nothing is parsed or looked up for a message that makes no sense."""
    if not is_epoch(seal.epoch) or not (is_id(seal.stream) or seal.stream == ANCHORS):
        raise Unverified("expected the name of a stream and of an epoch")
    if not 1 <= seal.number < _NUMBER_MAX:
        raise Unverified(f"expected a number from 1, found {seal.number}")
    if len(seal.note) > SEAL_NOTE_BYTES_MAX:
        raise Unverified(f"expected at most {SEAL_NOTE_BYTES_MAX} bytes, found {len(seal.note)}")


def _stored(
    stream: StreamId, seal: Seal, note: bytes, link: Link, skipped: int, received_us: int
) -> StoredSeal:
    payload, slots = seal.payload, seal.slots
    return StoredSeal(
        stream,
        seal.number,
        note,
        payload.first,
        payload.last,
        payload.last or link.covered_seq,
        payload.count,
        slots.scheduled,
        slots.done,
        slots.missed,
        skipped,
        seal.span.end_us,
        received_us,
    )
