"""Dropping the text of lines, and what is known of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, update

from controller.ports.leaves import LeafKind
from controller.ports.pruned import Held, Pruned, Pruning
from controller.ports.seals import StreamId
from controller.storage.log import LogRows
from controller.storage.names import StreamKey
from controller.storage.retention_tables import PrunedRow
from controller.storage.tables import SegmentRow, StreamRow, table

_PRUNED = table(PrunedRow)
_SEGMENT = table(SegmentRow)
_STREAM = table(StreamRow)


class PrunedRows(LogRows):
    """controller.ports.pruned.PruneStore over SQL. A segment without a body was pruned: none is stored so."""

    def held_segments(
        self, stream: StreamId, first_seq: int, last_seq: int, limit: int
    ) -> Sequence[Held]:
        """The first segments within that range whose lines are there, by number."""
        c = _SEGMENT.c
        size = func.length(c.body)
        query = (
            select(c.first_seq, c.first_seq + c.count - 1, size, c.received_us)
            .where(c.stream_id == self._names.find_stream(self._connection, StreamKey(*stream)))
            .where(c.first_seq >= first_seq, c.first_seq + c.count - 1 <= last_seq, size > 0)
            .where(c.first_seq <= last_seq)
            .order_by(c.first_seq)
            .limit(limit)
        )
        return [Held(*row) for row in self._connection.execute(query)]

    def drop_lines(self, stream: StreamId, segments: Sequence[Held]) -> None:
        """Forget the text of these segments; that there are such lines, and when they came, is kept."""
        if not segments:
            return
        c = _SEGMENT.c
        number = self._names.find_stream(self._connection, StreamKey(*stream))
        its = (c.stream_id == number) & (c.first_seq == bindparam("first"))
        values = [{"first": one.first_seq} for one in segments]
        self._connection.execute(update(_SEGMENT).where(its).values(body=b""), values)

    def put_pruning(self, pruning: Pruning) -> None:
        """Keep what was dropped, and enter it in the log."""
        rows = [
            (
                self._stream_number(*one.id), one.first_seq, one.last_seq, one.first_seal,
                one.last_seal, one.lines, one.bytes, pruning.number,
            )
            for one in pruning.runs
        ]  # fmt: skip
        self._insert_many(_PRUNED, rows)
        self._enter(LeafKind.PRUNE, *pruning_said(pruning))

    def last_pruning(self) -> int:
        """The number of the newest one; 0: there is none."""
        found: int | None = self._connection.execute(select(func.max(_PRUNED.c.number))).scalar()
        return found or 0

    def pruned(self, stream: StreamId | None = None) -> Sequence[tuple[int, Pruned]]:
        """Everything that was dropped (of a stream), with the number of the act, by stream and line."""
        query = select(_PRUNED).order_by(_PRUNED.c.stream_id, _PRUNED.c.first_seq)
        if stream is not None:
            number = self._names.find_stream(self._connection, StreamKey(*stream))
            query = query.where(_PRUNED.c.stream_id == number)
        return [self._pruned(row) for row in self._connection.execute(query).mappings()]

    def pruned_between(
        self, stream: StreamId, first_seq: int, last_seq: int
    ) -> Sequence[tuple[int, Pruned]]:
        """What of it touches that range of lines, by number."""
        c = _PRUNED.c
        number = self._names.find_stream(self._connection, StreamKey(*stream))
        touching = (c.first_seq <= last_seq) & (c.last_seq >= first_seq)
        query = select(_PRUNED).where(c.stream_id == number, touching).order_by(c.first_seq)
        return [self._pruned(row) for row in self._connection.execute(query).mappings()]

    def _pruned(self, row: Mapping[Any, Any]) -> tuple[int, Pruned]:
        stream = StreamId(*self._stream(row["stream_id"]))
        names = ("first_seal", "last_seal", "first_seq", "last_seq", "lines", "bytes")
        return row["number"], Pruned(stream, *(row[name] for name in names))


def pruning_said(pruning: Pruning) -> tuple[str, dict[str, Any]]:
    """What the leaf of an act of pruning says: of what, and what."""
    said = {
        "at_us": pruning.at_us,
        "before_us": pruning.before_us,
        "fleet": pruning.fleet,
        "retention": pruning.retention,
        "runs": [str(one) for one in pruning.runs],
    }
    return pruning.handle, said
