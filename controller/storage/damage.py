"""Looking for damage: what the database says of itself, and whether every line is where its stream says."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import select, text

from controller.errors import Fatal
from controller.storage.database import SqlStorage, SqlTransaction
from controller.storage.names import StreamKey
from controller.storage.packing import unpacked_lines
from controller.storage.retention_tables import PrunedRow
from controller.storage.tables import SegmentRow, StreamRow, table

_STREAM = table(StreamRow)
_SEGMENT = table(SegmentRow)
_PRUNED = table(PrunedRow)
_SEGMENTS_AT_ONCE: Final = 64
_HOLES_SHOWN_MAX: Final = 5


class _Stream(NamedTuple):
    """A stream, and what was counted on it when its lines were appended."""

    number: int
    key: StreamKey
    seq: int
    lines: int

    def __str__(self) -> str:
        return f"stream {self.key.stream!r} epoch {self.key.epoch} of agent {self.key.agent}"


class _Head(NamedTuple):
    """A segment without its lines."""

    first_seq: int
    lines: int
    lost: int


def damages(storage: SqlStorage) -> Iterator[str]:
    """What is damaged and where, a sentence each; nothing if all is well.

    Reads everything, a little at a time, so that a controller that runs meanwhile is not kept waiting.
    """
    try:
        with storage.transaction() as tx:
            found, streams = _integrity(tx), _streams(tx)
        yield from found
        for stream in streams:
            yield from _packed_wrong(storage, stream)
            yield from _missing(storage, stream)
    except Fatal as error:
        # A file so damaged that it cannot be read on.
        yield str(error)


def _integrity(tx: SqlTransaction) -> list[str]:
    """What SQLite finds in its own file. PostgreSQL checks its pages when it reads them."""
    if tx.connection.dialect.name != "sqlite":
        return []
    found = tx.connection.execute(text("PRAGMA integrity_check")).scalars().all()
    return [] if found == ["ok"] else [f"The database file: {line}." for line in found]


def _streams(tx: SqlTransaction) -> list[_Stream]:
    c = _STREAM.c
    rows = tx.connection.execute(select(c.id, c.agent, c.epoch, c.stream, c.seq, c.lines)).all()
    return [_Stream(row[0], StreamKey(*row[1:4]), row[4], row[5]) for row in rows]


def _packed_wrong(storage: SqlStorage, stream: _Stream) -> Iterator[str]:
    """Segments that cannot be unpacked, or do not hold as many lines as they should; not those that were pruned."""
    c = _SEGMENT.c
    query = (
        select(c.first_seq, c.count, c.body)
        .where(c.stream_id == stream.number)
        .order_by(c.first_seq)
        .limit(_SEGMENTS_AT_ONCE)
    )
    after = -1
    while True:
        with storage.transaction() as tx:
            rows = tx.connection.execute(query.where(c.first_seq > after)).all()
            pruned = _pruned_among(tx, stream, rows)
        for first_seq, count, body in rows:
            last = first_seq + count - 1
            is_said = any(one <= first_seq and last <= other for one, other in pruned)
            if not body and is_said:
                continue
            if (problem := _problem(body, count)) is not None:
                yield f"Lines {first_seq} to {last} of {stream}: {problem}."
        if not rows:
            return
        after = rows[-1].first_seq


def _pruned_among(
    tx: SqlTransaction, stream: _Stream, rows: Sequence[Any]
) -> list[tuple[int, int]]:
    """First and last lines of what was pruned where these segments stand."""
    if all(row.body for row in rows):
        return []
    c = _PRUNED.c
    first_seq, last_seq = rows[0].first_seq, rows[-1].first_seq
    touching = (c.first_seq <= last_seq) & (c.last_seq >= first_seq)
    query = select(c.first_seq, c.last_seq).where(c.stream_id == stream.number, touching)
    return [(first, last) for first, last in tx.connection.execute(query)]


def _problem(body: bytes, count: int) -> str | None:
    if not body:
        return "they are gone, and nothing says that they were pruned"
    try:
        lines = unpacked_lines(body)
    except zlib.error as error:
        return f"they cannot be unpacked ({error})"
    found = lines.count(b"\n")
    if found != count or not lines.endswith(b"\n"):
        return f"expected {count} lines, found {found}"
    return None


def _missing(storage: SqlStorage, stream: _Stream) -> Iterator[str]:
    """Lines that were appended and are not there, or are there twice.

    Numbers that an agent reported lost are no damage: how many lines were appended is counted apart.
    """
    with storage.transaction() as tx:
        row = tx.connection.execute(
            select(_STREAM.c.seq, _STREAM.c.lines).where(_STREAM.c.id == stream.number)
        ).one()
        c = _SEGMENT.c
        query = select(c.first_seq, c.count, c.lost).where(c.stream_id == stream.number)
        heads = [_Head(*one) for one in tx.connection.execute(query.order_by(c.first_seq))]
    end_seq = 1
    holes: list[tuple[int, int]] = []
    for head in heads:
        if head.first_seq < end_seq:
            yield f"Lines {head.first_seq} to {end_seq - 1} of {stream}: they stand in two segments."
        if head.first_seq - end_seq > head.lost:
            holes.append((end_seq, head.first_seq - head.lost - 1))
        end_seq = max(end_seq, head.first_seq + head.lines)
    if end_seq <= row.seq:
        holes.append((end_seq, row.seq))
    held = sum(head.lines for head in heads)
    if end_seq > row.seq + 1:
        yield f"Lines {row.seq + 1} to {end_seq - 1} of {stream}: the stream ends before them."
    if held != row.lines:
        yield f"Of {stream}: {row.lines} lines were kept, {held} are there{_shown(holes)}."


def _shown(holes: Sequence[tuple[int, int]]) -> str:
    if not holes:
        return ""
    parts = [f"{first} to {last}" for first, last in holes[:_HOLES_SHOWN_MAX]]
    more = f" and {len(holes) - len(parts)} more" if len(holes) > len(parts) else ""
    return f"; nothing stands at {', '.join(parts)}{more}"
