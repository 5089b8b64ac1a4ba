"""Seals, the segments that they cover, and how streams stand."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from controller.ports.seals import ForkedSeal, StoredSeal, StreamId, StreamStanding
from controller.storage import receipts
from controller.storage.log import LogRows
from controller.storage.log_tables import LeafRow
from controller.storage.names import StreamKey
from controller.storage.packing import (
    packed_note,
    readable_note,
    unpacked_lines,
    unpacked_note,
)
from controller.storage.receipts import Receipts, decoded
from controller.storage.seal_tables import ForkedSealRow, SealRow
from controller.storage.tables import SegmentRow, StreamRow, table
from vedette.shared.limits import FORKED_SEALS_MAX

_SEAL = table(SealRow)
_FORK = table(ForkedSealRow)
_SEGMENT = table(SegmentRow)
_STREAM = table(StreamRow)
_LEAF = table(LeafRow)
_BESIDE_SHOWN_MAX: Final = 100
# Sealed lines are written once more and then read for years.
_SEALED_LEVEL: Final = 5
_LOOSE_LEVEL: Final = 1
_COLUMNS: Final = (
    _SEAL.c.number, _SEAL.c.note, _SEAL.c.first_seq, _SEAL.c.last_seq, _SEAL.c.covered_seq,
    _SEAL.c.count, _SEAL.c.scheduled, _SEAL.c.done, _SEAL.c.missed, _SEAL.c.skipped, _SEAL.c.end_us,
    _SEAL.c.received_us,
)  # fmt: skip
_PIECE_COLUMNS: Final = ("first_seq", "count", "lost", "received_us", "body", "receipts")
_Run = tuple[int, int, int, bytes]


def _touching() -> ColumnElement[bool]:
    """Segments of a stream that hold lines of a range. They do not overlap: one seek finds the first of them.

    The statements over it are made once; they are run for every seal.
    """
    c, before = _SEGMENT.c, _SEGMENT.alias("before")
    its: BindParameter[int] = bindparam("its_stream", type_=Integer)
    first: BindParameter[int] = bindparam("from_seq", type_=BigInteger)
    last: BindParameter[int] = bindparam("to_seq", type_=BigInteger)
    start = select(func.max(before.c.first_seq)).where(
        before.c.stream_id == its, before.c.first_seq <= first
    )
    return (
        (c.stream_id == its)
        & (c.first_seq >= func.coalesce(start.scalar_subquery(), first))
        & (c.first_seq <= last)
        & (c.first_seq + c.count > first)
    )


_COUNTS: Final = select(_SEGMENT.c.first_seq, _SEGMENT.c.count).where(_touching())
_PIECES: Final = (
    select(*(_SEGMENT.c[name] for name in _PIECE_COLUMNS))
    .where(_touching())
    .order_by(_SEGMENT.c.first_seq)
)
_DROP: Final = delete(_SEGMENT).where(_touching())


def _accept_any(parts: Iterable[bytes]) -> None:
    pass


class SealRows(LogRows):
    """controller.ports.seals.SealStore over SQL."""

    def put_seal(self, seal: StoredSeal) -> None:
        """Keep a seal. The caller has verified it."""
        stream_id = self._stream_number(*seal.id)
        row = {
            "stream_id": stream_id,
            "note": packed_note(seal.note),
            **{
                column.name: getattr(seal, column.name)
                for column in _COLUMNS
                if column.name != "note"
            },
        }
        self._connection.execute(insert(_SEAL).values(row))
        self._enter_seal(stream_id, seal)

    def seal(self, stream: StreamId, number: int) -> StoredSeal | None:
        """The seal of that number."""
        return self._one_seal(stream, _SEAL.c.number == number)

    def seal_tip(self, stream: StreamId) -> StoredSeal | None:
        """The last seal of a stream."""
        return self._one_seal(stream)

    def seal_tips(self, agent: str) -> Sequence[StoredSeal]:
        """The last seal of every stream of an agent that has one."""
        newest = select(_SEAL.c.stream_id, func.max(_SEAL.c.number).label("number"))
        last = newest.group_by(_SEAL.c.stream_id).subquery()
        query = (
            select(_SEAL.c.stream_id, *_COLUMNS)
            .join(
                last,
                (last.c.stream_id == _SEAL.c.stream_id) & (last.c.number == _SEAL.c.number),
            )
            .join(_STREAM, _STREAM.c.id == _SEAL.c.stream_id)
            .where(_STREAM.c.agent == agent)
        )
        rows = self._connection.execute(query).all()
        found = [_stored(StreamId(*self._stream(row[0])), row[1:]) for row in rows]
        return sorted(found, key=lambda one: one.id)

    def _one_seal(
        self, stream: StreamId, where: ColumnElement[bool] | None = None
    ) -> StoredSeal | None:
        number = self._names.find_stream(self._connection, StreamKey(*stream))
        if number is None:
            return None
        query = select(*_COLUMNS).where(_SEAL.c.stream_id == number)
        if where is not None:
            query = query.where(where)
        row = self._connection.execute(query.order_by(_SEAL.c.number.desc()).limit(1)).first()
        return None if row is None else _stored(stream, row)

    def seals(self, stream: StreamId, first: int, last: int) -> Sequence[StoredSeal]:
        """The seals of those numbers that there are, the smallest first."""
        c = _SEAL.c
        key = c.stream_id == self._names.find_stream(self._connection, StreamKey(*stream))
        query = select(*_COLUMNS).where(key & (c.number >= first) & (c.number <= last))
        return [
            _stored(stream, row) for row in self._connection.execute(query.order_by(c.number)).all()
        ]

    def seals_over(self, stream: StreamId, from_us: int, to_us: int) -> Sequence[int]:
        """The numbers of the seals that say something of [from_us, to_us), the smallest first.

        From the first one that was made after its start to the first one that was made at its end or later.
        """
        c = _SEAL.c
        key = c.stream_id == self._names.find_stream(self._connection, StreamKey(*stream))
        first, ends, last = (
            self._connection.execute(query).scalar()
            for query in (
                select(func.min(c.number)).where(key & (c.end_us > from_us)),
                select(func.min(c.number)).where(key & (c.end_us >= to_us)),
                select(func.max(c.number)).where(key),
            )
        )
        if first is None:
            return []
        within = key & (c.number >= first) & (c.number <= (last if ends is None else ends))
        query = select(c.number).where(within).order_by(c.number)
        return list(self._connection.execute(query).scalars())

    def seals_of_leaves(self, from_index: int, to_index: int) -> Mapping[int, StoredSeal]:
        """The rows of the seals that leaves [from_index, to_index) of the log are, by leaf; without their notes."""
        leaf = _LEAF.c
        its = (_SEAL.c.stream_id == leaf.stream_id) & (_SEAL.c.number == leaf.number)
        query = (
            select(leaf.index, _SEAL.c.stream_id, *(c for c in _COLUMNS if c.name != "note"))
            .select_from(_LEAF.join(_SEAL, its))
            .where((leaf.index >= from_index) & (leaf.index < to_index))
        )
        return {
            index: StoredSeal(StreamId(*self._stream(stream)), number, b"", *rest)
            for index, stream, number, *rest in self._connection.execute(query)
        }

    def seals_beside_log(self, from_us: int) -> Sequence[tuple[StreamId, int]]:
        """Seals that are said to have come since that instant and are in no leaf of the log, a hundred at most."""
        leaf = _LEAF.c
        its = (_SEAL.c.stream_id == leaf.stream_id) & (_SEAL.c.number == leaf.number)
        query = (
            select(_SEAL.c.stream_id, _SEAL.c.number)
            .select_from(_SEAL.outerjoin(_LEAF, its))
            .where(leaf.index.is_(None) & (_SEAL.c.received_us >= from_us))
            .limit(_BESIDE_SHOWN_MAX)
        )
        rows = self._connection.execute(query).all()
        return sorted((StreamId(*self._stream(stream)), number) for stream, number in rows)

    def put_forked_seal(self, fork: ForkedSeal) -> bool:
        """Keep it beside the one that was kept first; False if it is there already, or there are many."""
        stream = self._stream_number(*fork.id)
        its = (_FORK.c.stream_id == stream) & (_FORK.c.number == fork.number)
        known = self._connection.execute(select(_FORK.c.note).where(its)).scalars().all()
        note = packed_note(fork.note)
        if note in known or len(known) >= FORKED_SEALS_MAX:
            return False
        row = (stream, fork.number, len(known) + 1, fork.received_us, note)
        self._insert_many(_FORK, [row])
        return True

    def forked_seals(self, agent: str) -> Sequence[ForkedSeal]:
        """Every note of an agent that contradicts one that was kept before it."""
        query = (
            select(_FORK.c.stream_id, _FORK.c.number, _FORK.c.note, _FORK.c.received_us)
            .join(_STREAM, _STREAM.c.id == _FORK.c.stream_id)
            .where(_STREAM.c.agent == agent)
            .order_by(_FORK.c.stream_id, _FORK.c.number, _FORK.c.variant)
        )
        return [
            ForkedSeal(StreamId(*self._stream(stream)), number, readable_note(note), received_us)
            for stream, number, note, received_us in self._connection.execute(query).all()
        ]

    def line_count(self, stream: StreamId, first_seq: int, last_seq: int) -> int:
        """How many lines of that range are held."""
        its = self._range(stream, first_seq, last_seq)
        return sum(
            min(first + count, last_seq + 1) - max(first, first_seq)
            for first, count in self._connection.execute(_COUNTS, its)
        )

    def lines(self, stream: StreamId, first_seq: int, last_seq: int) -> Iterator[bytes]:
        """The exact bytes of the lines of that range, in order, many at a time."""
        for piece in self._pieces(stream, first_seq, last_seq):
            if first_seq <= piece.first_seq <= last_seq:
                yield piece.text

    def _range(self, stream: StreamId, first_seq: int, last_seq: int) -> dict[str, int | None]:
        """What the statements on segments of a range are given."""
        number = self._names.find_stream(self._connection, StreamKey(*stream))
        return {"its_stream": number, "from_seq": first_seq, "to_seq": last_seq}

    def _pieces(self, stream: StreamId, first_seq: int, last_seq: int) -> Iterator["_Piece"]:
        """Those segments, cut at the ends of the range."""
        its = self._range(stream, first_seq, last_seq)
        for row in self._connection.execute(_PIECES, its).all():
            yield from _Piece.of(row).cut(first_seq, last_seq)

    def pack_segments(
        self,
        stream: StreamId,
        first_seq: int,
        last_seq: int,
        accept: Callable[[Iterable[bytes]], None] = _accept_any,
    ) -> None:
        """Put the lines of that range together in one segment each run of numbers, packed tightly.

        They are read once, and `accept` sees them before anything is changed: what it raises is passed on.
        """
        loose: list[_Piece] = []
        runs: list[list[_Piece]] = []
        pieces = list(self._pieces(stream, first_seq, last_seq))
        accept(piece.text for piece in pieces if first_seq <= piece.first_seq <= last_seq)
        for piece in pieces:
            if not first_seq <= piece.first_seq <= last_seq:
                loose.append(piece)
            elif runs and runs[-1][-1].is_followed_by(piece):
                runs[-1].append(piece)
            else:
                runs.append([piece])
        self._connection.execute(_DROP, self._range(stream, first_seq, last_seq))
        number = self._stream_number(*stream)
        packed = [
            *(piece.row(number, _LOOSE_LEVEL) for piece in loose),
            *(_joined(run).row(number, _SEALED_LEVEL) for run in runs),
        ]
        self._insert_many(_SEGMENT, packed)

    def stream_standings(self, agent: str | None = None) -> Sequence[StreamStanding]:
        """How every stream (of `agent`) stands, by agent, stream and epoch."""
        forks = select(_FORK.c.stream_id, func.count().label("forked")).group_by(_FORK.c.stream_id)
        rows = self._connection.execute(_standings(agent, forks.subquery())).all()
        found = [_standing(row) for row in rows]
        return sorted(found, key=lambda one: (one.id.agent, one.id.stream, one.id.epoch))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines of a segment that stay together, and when they came."""

    first_seq: int
    count: int
    text: bytes
    lost: int
    receipts: Receipts

    @classmethod
    def of(cls, row: Sequence[Any]) -> "_Piece":
        first_seq, count, lost, received_us, body, came = row
        return cls(first_seq, count, unpacked_lines(body), lost, decoded(came, count, received_us))

    def cut(self, first_seq: int, last_seq: int) -> "Iterator[_Piece]":
        """What is before, in and after a range of numbers; as it is where nothing of it is outside."""
        start = max(0, first_seq - self.first_seq)
        end = min(self.count, last_seq + 1 - self.first_seq)
        if (start, end) == (0, self.count):
            yield self
            return
        lines = self.text.split(b"\n")[:-1]
        for at, until in ((0, start), (start, end), (end, self.count)):
            if at < until:
                yield _Piece(
                    self.first_seq + at,
                    until - at,
                    b"".join(line + b"\n" for line in lines[at:until]),
                    self.lost if at == 0 else 0,
                    receipts.cut(self.receipts, at, until),
                )

    def is_followed_by(self, other: "_Piece") -> bool:
        return self.first_seq + self.count == other.first_seq

    def row(self, stream: int, level: int) -> tuple[object, ...]:
        body = zlib.compress(self.text, level) if self.text else b""
        received_us = max(at_us for _, at_us in self.receipts)
        came = receipts.encoded(self.receipts)
        return stream, self.first_seq, self.count, self.lost, received_us, body, came


def _joined(run: Sequence[_Piece]) -> _Piece:
    if len(run) == 1:
        return run[0]
    return _Piece(
        run[0].first_seq,
        sum(piece.count for piece in run),
        b"".join(piece.text for piece in run),
        sum(piece.lost for piece in run),
        receipts.joined(receipt for piece in run for receipt in piece.receipts),
    )


def _standings(agent: str | None, forks: Subquery) -> Select[Any]:
    """The query behind `stream_standings`: sums over the seals of each stream."""
    sums = (
        select(
            _SEAL.c.stream_id,
            func.count().label("seals"),
            func.sum(_SEAL.c.count).label("sealed"),
            func.sum(_SEAL.c.scheduled).label("scheduled"),
            func.sum(_SEAL.c.missed).label("missed"),
            func.sum(_SEAL.c.skipped).label("skipped"),
            func.max(_SEAL.c.number).label("last_number"),
            func.max(_SEAL.c.end_us).label("last_end_us"),
        )
        .group_by(_SEAL.c.stream_id)
        .subquery()
    )
    query = (
        select(
            _STREAM.c.agent, _STREAM.c.epoch, _STREAM.c.stream, _STREAM.c.seq, _STREAM.c.lines,
            _STREAM.c.lost, sums.c.seals, sums.c.sealed, sums.c.scheduled, sums.c.missed,
            sums.c.skipped, forks.c.forked, sums.c.last_number, sums.c.last_end_us,
        )
        .outerjoin(sums, sums.c.stream_id == _STREAM.c.id)
        .outerjoin(forks, forks.c.stream_id == _STREAM.c.id)
    )  # fmt: skip
    return query if agent is None else query.where(_STREAM.c.agent == agent)


def _standing(row: Sequence[Any]) -> StreamStanding:
    counts: list[Any] = [int(value or 0) for value in row[3:-1]]
    return StreamStanding(StreamId(*row[:3]), *[*counts, row[-1]])


def _stored(stream: StreamId, row: Sequence[Any]) -> StoredSeal:
    return StoredSeal(stream, row[0], unpacked_note(row[1]), *row[2:])
