"""Pruning: the text of lines is dropped when its retention is over, by whole seals, a little at a time.

Notes, hashes, leaves, verdicts, outages, and what each line counted as stay for ever. What was dropped is entered in
the log in the transaction that drops it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from controller.core.retention import kept_us
from controller.errors import ControllerError, Fatal
from controller.ports.pruned import Held, Pruned, Pruning
from controller.ports.seals import StoredSeal, StreamId
from controller.ports.storage import Storage, Transaction, Worker
from controller.services.contracts.terms import Terms
from controller.services.evidence.keeping import Kept, Reach, claimed, held, unsealed
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.durations import Duration
from vedette.shared.limits import (
    PRUNE_BYTES_AT_ONCE_MAX,
    PRUNE_SEALS_AT_ONCE_MAX,
    SEQ_MAX,
    SPOOL_AGE_SECONDS_MAX,
)

_DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000
_EVERY_US: Final = _HOUR_US
# A line that no seal covers says when it came; it is no older than agents keep lines.
_SPOOLED_US: Final = int(SPOOL_AGE_SECONDS_MAX) * 1_000_000
_BUSY_SECONDS: Final = 0.2
_IDLE_SECONDS: Final = 60.0

log = logging.getLogger(__name__)
T = TypeVar("T")
_State: TypeAlias = tuple[int, int, int, int]


class _OutdatedError(Exception):
    """What a pass goes by is not so any more."""


@dataclass(slots=True)
class _Run:
    """What is dropped of a stream: seals that follow one another, and segments."""

    first_seal: int
    last_seal: int
    segments: list[Held] = field(default_factory=list)

    def told(self, stream: StreamId) -> Pruned:
        first, last = self.segments[0].first_seq, self.segments[-1].last_seq
        lines = sum(one.last_seq - one.first_seq + 1 for one in self.segments)
        size = sum(one.bytes for one in self.segments)
        return Pruned(stream, self.first_seal, self.last_seal, first, last, lines, size)


@dataclass(frozen=True, slots=True)
class _Order:
    """What a pass goes by: lines from before that instant go, unless they are kept for something."""

    before_us: int
    fleet: int
    retention: str
    kept: Sequence[Kept]
    state: _State

    def keeps(self, stream: StreamId, from_us: int, to_us: int) -> bool:
        return any(one.covers(stream.stream, from_us, to_us) for one in self.kept)


@dataclass(slots=True)
class _Place:
    """How far a stream was walked: the next seal, the last line that is behind, and the end of the seal before."""

    number: int = 1
    covered_seq: int = 0
    end_us: int | None = None


class Prunings:
    """Drops what is old. Synchronous: runs in the storage thread."""

    def __init__(
        self, storage: Storage, evaluator: Evaluator, terms: Terms, now_us: Callable[[], int]
    ) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._terms = terms
        self._now_us = now_us
        self._work: Iterator[None] | None = None
        self._next_us = 0
        self._done: object = None

    def look(self) -> bool:
        """Do one thing, in a transaction; False if there is nothing to do for now.

        A pass over all streams begins once an hour, if days have become old or something is no longer kept.
        """
        if self._work is None:
            if self._now_us() < self._next_us:
                return False
            self._next_us = self._now_us() + _EVERY_US
            self._work = self._pass()
        try:
            next(self._work)
        except StopIteration:
            self._work = None
        except _OutdatedError:
            # Another pass finds out what is kept now; it goes on behind what was dropped.
            self._work = self._pass()
        except BaseException:
            self._work = None
            raise
        return self._work is not None

    def _pass(self) -> Iterator[None]:
        """Everything that is old, a transaction a step."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            number = self._terms.newest(tx)
            found = self._terms.in_force(tx, now_us)
            if found is None:
                return
            length_us = kept_us(found.fleet.retention, found.fleet.contracts)
            # By whole days: one act a day of each stream, not one an hour.
            before_us = (now_us - length_us) // _DAY_US * _DAY_US
            state = _state(tx, number)
            if (before_us, state) == self._done:
                return
            streams = [StreamId(one.agent, one.epoch, one.stream) for one in tx.positions()]
            if streams and (reason := _doubts(tx, streams, now_us)):
                log.error("lines.unpruned", extra={"reason": reason})
                return
        yield
        kept: list[Kept] = []
        for more in self._keeping(before_us, now_us):
            kept += more
            yield
        order = _Order(before_us, number, str(Duration(length_us)), kept, state)
        for stream in streams:
            yield from self._walk(stream, order)
        self._done = before_us, state

    def _keeping(self, before_us: int, now_us: int) -> Iterator[list[Kept]]:
        """What is kept for something, a contract at a time."""
        terms = self._terms
        with self._storage.transaction() as tx:
            reach = Reach(tx, self._evaluator)
            names = list(terms.tenures(tx))
            found = [*held(tx, reach), *claimed(tx, reach, terms, now_us)]
        yield found
        for name in names:
            with self._storage.transaction() as tx:
                found = list(unsealed(tx, reach, terms, name, before_us, now_us))
            yield found

    def _walk(self, stream: StreamId, order: _Order) -> Iterator[None]:
        """A stream from its first seal to the last one that is old, and then the lines that no seal covers."""
        place = _Place()
        is_old = True
        while is_old:
            with self._storage.transaction() as tx:
                self._require_same(tx, order)
                _skip(place, tx.pruned(stream))
                tip = tx.seal_tip(stream)
                if tip is None or place.number > tip.number:
                    break
                is_old = self._seals(tx, stream, order, place)
            yield
        while is_old:
            with self._storage.transaction() as tx:
                self._require_same(tx, order)
                is_old = self._loose(tx, stream, order, place)
            yield

    def _require_same(self, tx: Transaction, order: _Order) -> None:
        """_OutdatedError if a file, a hold or a claim came since the pass began: it may keep what would go next.

        A report that was sealed since keeps nothing; the next pass sees to what it lets go.
        """
        if _state(tx, self._terms.newest(tx))[:3] != order.state[:3]:
            raise _OutdatedError

    def _seals(self, tx: Transaction, stream: StreamId, order: _Order, place: _Place) -> bool:
        """Drop what the next seals cover; False if one is not old."""
        last = place.number + PRUNE_SEALS_AT_ONCE_MAX - 1
        seals = tx.seals(stream, place.number, last)
        old = [one for one in seals if max(one.end_us, one.received_us) < order.before_us]
        old = list(_leading(seals, old))
        runs: list[_Run] = []
        size = 0
        is_run = False
        for seal, segments, must_stay in _with_segments(tx, stream, place.covered_seq, old):
            from_us = seal.end_us - _HOUR_US if place.end_us is None else place.end_us
            if must_stay or order.keeps(stream, min(from_us, seal.end_us), seal.end_us):
                is_run = False
            else:
                if not is_run:
                    runs.append(_Run(seal.number, seal.number))
                is_run = True
                runs[-1].last_seal = seal.number
                own = [one for one in segments if one.received_us < order.before_us]
                runs[-1].segments += own
                size += sum(one.bytes for one in own)
            place.number, place.end_us = seal.number + 1, seal.end_us
            place.covered_seq = max(place.covered_seq, seal.covered_seq)
            if size >= PRUNE_BYTES_AT_ONCE_MAX:
                break
        self._drop(tx, stream, order, runs)
        is_behind = not old or place.number > old[-1].number
        if is_behind and len(old) == len(seals):
            place.number = last + 1
        return not is_behind or len(old) == len(seals)

    def _loose(self, tx: Transaction, stream: StreamId, order: _Order, place: _Place) -> bool:
        """Drop lines behind the last seal; False if there are no more that are old."""
        first = place.covered_seq + 1
        segments = tx.held_segments(stream, first, SEQ_MAX, PRUNE_SEALS_AT_ONCE_MAX)
        old = list(_leading(segments, [o for o in segments if o.received_us < order.before_us]))
        if not old:
            return False
        conflicts = _conflicts(tx, stream, first, old[-1].last_seq)
        runs: list[_Run] = []
        is_run = False
        for one in old:
            span = (one.received_us - _SPOOLED_US, one.received_us + 1)
            if _is_among(conflicts, one) or order.keeps(stream, *span):
                is_run = False
                continue
            if not is_run:
                runs.append(_Run(0, 0))
            is_run = True
            runs[-1].segments.append(one)
        self._drop(tx, stream, order, runs)
        place.covered_seq = old[-1].last_seq
        return len(old) == PRUNE_SEALS_AT_ONCE_MAX

    def _drop(self, tx: Transaction, stream: StreamId, order: _Order, runs: Sequence[_Run]) -> None:
        told = [one.told(stream) for one in runs if one.segments]
        if not told:
            return
        for one in runs:
            tx.drop_lines(stream, one.segments)
        number = tx.last_pruning() + 1
        tx.put_pruning(
            Pruning(number, self._now_us(), order.before_us, order.fleet, order.retention, told)
        )
        fields = {"agent": stream.agent, "stream": stream.stream}
        log.info("lines.pruned", extra={**fields, "lines": sum(one.lines for one in told)})


def _state(tx: Transaction, fleet: int) -> _State:
    """What decides over what is kept for something: it changes whenever that may."""
    return fleet, len(tx.hold_events()), len(tx.claim_events()), len(tx.issued_heads())


def _doubts(tx: Transaction, streams: Sequence[StreamId], now_us: int) -> str | None:
    """Why this clock may be ahead, so that lines look older than they are; None: an agent's clock agrees with it.

    Agents that cannot connect any more, as when their certificates are over by a clock that is years ahead, agree
    with nothing.
    """
    tips = [tip for stream in streams if (tip := tx.seal_tip(stream)) is not None]
    came = [tip for tip in tips if now_us - _DAY_US < tip.received_us]
    if not came:
        return "no agent delivered a seal within a day: nobody else says what time it is"
    if max(tip.end_us for tip in came) < now_us - 7 * _DAY_US:
        return "the clocks of the agents disagree"
    return None


def _skip(place: _Place, pruned: Sequence[tuple[int, Pruned]]) -> None:
    """Go on behind what was pruned before."""
    for _, run in pruned:
        if run.first_seal <= place.number <= run.last_seal:
            place.number = run.last_seal + 1
            place.covered_seq = max(place.covered_seq, run.last_seq)
            place.end_us = None


def _leading(all_: Sequence[object], some: Sequence[T]) -> Iterator[T]:
    """Those at the beginning, up to the first that is not among them."""
    for one, other in zip(all_, some, strict=False):
        if one is not other:
            return
        yield other


def _with_segments(
    tx: Transaction, stream: StreamId, covered_seq: int, seals: Sequence[StoredSeal]
) -> Iterator[tuple[StoredSeal, list[Held], bool]]:
    """Each seal with the segments from the seal before up to its last line; and whether any of them must stay.

    One must stay that reaches into another seal, which none does, or in which lines contradict one another.
    """
    if not seals:
        return
    end_seq = max(one.covered_seq for one in seals)
    segments = tx.held_segments(stream, covered_seq + 1, end_seq, SEQ_MAX)
    conflicts = _conflicts(tx, stream, covered_seq + 1, end_seq)
    at = 0
    for seal in seals:
        own: list[Held] = []
        while at < len(segments) and segments[at].first_seq <= seal.covered_seq:
            own.append(segments[at])
            at += 1
        within = (covered_seq, seal.covered_seq)
        covered_seq = max(within)
        yield seal, own, any(_must_stay(one, within, conflicts) for one in own)


def _must_stay(one: Held, within: tuple[int, int], conflicts: Sequence[int]) -> bool:
    return not within[0] < one.first_seq <= one.last_seq <= within[1] or _is_among(conflicts, one)


def _conflicts(tx: Transaction, stream: StreamId, first_seq: int, last_seq: int) -> Sequence[int]:
    """Numbers under which lines contradict one another: which of them counted when must stay provable."""
    return [one.id.seq for one in tx.conflicts_between(*stream, first_seq, last_seq + 1)]


def _is_among(numbers: Sequence[int], segment: Held) -> bool:
    return any(segment.first_seq <= one <= segment.last_seq for one in numbers)


async def pruning(worker: Worker, duty: Prunings) -> None:
    """Do what is due, one thing a transaction, for ever. Fatal if storage is damaged."""
    while True:
        is_busy = False
        try:
            is_busy = await worker.run(duty.look)
        except Fatal:
            raise
        except ControllerError as error:
            log.warning("lines.unpruned", extra={"reason": str(error)})
        except Exception:
            # A fault of ours here must not end everything else.
            log.exception("lines.defect")
        await asyncio.sleep(_BUSY_SECONDS if is_busy else _IDLE_SECONDS)
