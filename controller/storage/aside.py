"""Lines that do not simply count: conflicting ones, quarantined ones, and strays of checks yet to come."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, select

from controller.core.samples import Quarantined, Sample
from controller.ports.evidence import Conflict, Oddities
from controller.storage.bulk import Rows
from controller.storage.names import StreamKey
from controller.storage.tables import ConflictRow, QuarantineRow, StrayRow, StreamRow, table
from vedette.shared.identity import ResultId

_STREAM = table(StreamRow)
_QUARANTINE = table(QuarantineRow)
_CONFLICT = table(ConflictRow)
_STRAY = table(StrayRow)


class AsideRows(Rows):
    """The part of controller.ports.EvidenceStore that is about such lines."""

    def _append_quarantined(self, quarantined: Iterable[Quarantined]) -> None:
        rows = [(self._number_of(one.id), one.id.seq, one.reason) for one in quarantined]
        self._insert_many(_QUARANTINE, rows)

    def _append_strays(self, strays: Iterable[Sample]) -> None:
        rows = [(self._stream_number(*one[:3]), one.seq, one.check) for one in strays]
        self._insert_many(_STRAY, rows)

    def _insert_conflicts(self, conflicts: Sequence[Conflict]) -> list[tuple[int, int]]:
        """Keep the lines; gives for each the number of its stream and the variant that it is, from 1 on."""
        numbers = [self._number_of(one.id) for one in conflicts]
        newest = self._newest_variants(numbers, [one.id.seq for one in conflicts])
        variants: list[int] = []
        rows: list[tuple[object, ...]] = []
        for stream, one in zip(numbers, conflicts, strict=True):
            key = (stream, one.id.seq)
            newest[key] = newest.get(key, 0) + 1
            variants.append(newest[key])
            rows.append((*key, newest[key], one.line, one.received_us))
        self._insert_many(_CONFLICT, rows)
        return list(zip(numbers, variants, strict=True))

    def _newest_variants(
        self, streams: Sequence[int], seqs: Sequence[int]
    ) -> dict[tuple[int, int], int]:
        """The newest variant of each of these lines, and of those between them; by stream and number."""
        c = _CONFLICT.c
        found: dict[tuple[int, int], int] = {}
        for stream in set(streams):
            own = [seq for number, seq in zip(streams, seqs, strict=True) if number == stream]
            query = (
                select(c.seq, func.max(c.variant))
                .where(c.stream_id == stream, c.seq >= min(own), c.seq <= max(own))
                .group_by(c.seq)
            )
            for seq, variant in self._connection.execute(query):
                found[stream, seq] = variant
        return found

    def conflicts(self, result: ResultId) -> Sequence[Conflict]:
        """Other lines that came under the same identity, as they came; without what they count as."""
        where = (result.agent, result.epoch, result.stream, result.seq, result.seq + 1)
        return self.conflicts_between(*where)

    def conflicts_between(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int
    ) -> Sequence[Conflict]:
        """Those of a stream with from_seq <= seq < to_seq, by number and as they came."""
        c = _CONFLICT.c
        query = (
            select(c.seq, c.line, c.received_us)
            .where(self._within(_CONFLICT, StreamKey(agent, epoch, stream), from_seq, to_seq))
            .order_by(c.seq, c.variant)
        )
        return [
            Conflict(ResultId(agent, epoch, stream, seq), line, received_us)
            for seq, line, received_us in self._connection.execute(query)
        ]

    def conflicts_after(self, at_us: int) -> Sequence[ResultId]:
        """Identities under which another line came after that instant."""
        query = select(_CONFLICT.c.stream_id, _CONFLICT.c.seq).distinct()
        rows = self._connection.execute(query.where(_CONFLICT.c.received_us > at_us)).all()
        return sorted(ResultId(*self._stream(stream), seq) for stream, seq in rows)

    def quarantined(self) -> Sequence[Quarantined]:
        """Every line that was set aside, by identity."""
        c = _QUARANTINE.c
        rows = self._connection.execute(select(c.stream_id, c.seq, c.reason)).all()
        found = (Quarantined(ResultId(*self._stream(r[0]), r[1]), r[2]) for r in rows)
        return sorted(found, key=lambda one: one.id)

    def quarantined_between(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int
    ) -> Mapping[int, str]:
        """Why lines of a stream with from_seq <= seq < to_seq were set aside, by number."""
        key = StreamKey(agent, epoch, stream)
        query = select(_QUARANTINE.c.seq, _QUARANTINE.c.reason)
        where = self._within(_QUARANTINE, key, from_seq, to_seq)
        rows = self._connection.execute(query.where(where)).all()
        return {row.seq: row.reason for row in rows}

    def strays(self, check: str) -> Sequence[ResultId]:
        """Lines that came for a check before there was one of that name, by identity."""
        query = select(_STRAY.c.stream_id, _STRAY.c.seq).where(_STRAY.c.check == check)
        rows = self._connection.execute(query).all()
        return sorted(ResultId(*self._stream(stream), seq) for stream, seq in rows)

    def forget_strays(self, check: str) -> None:
        """They are strays no more."""
        self._connection.execute(delete(_STRAY).where(_STRAY.c.check == check))

    def _forget_stray_lines(self, lines: Sequence[tuple[int, int]]) -> None:
        """Of these (stream number, seq) none waits for its check any more."""
        its = (_STRAY.c.stream_id == bindparam("stream")) & (_STRAY.c.seq == bindparam("number"))
        values = [{"stream": stream, "number": seq} for stream, seq in lines]
        self._connection.execute(delete(_STRAY).where(its), values)

    def oddities(self) -> Sequence[Oddities]:
        """What of each agent is kept besides what counts, by agent."""
        found: dict[str, dict[str, int]] = {}
        streams = select(_STREAM.c.agent, _STREAM.c.lost)
        for agent, lost in self._connection.execute(streams):
            # Added up here: a database would refuse a sum that agents have made too large for it.
            own = found.setdefault(agent, {"lost": 0})
            own["lost"] += int(lost)
        for name, rows in (
            ("conflicts", _CONFLICT),
            ("quarantined", _QUARANTINE),
            ("strays", _STRAY),
        ):
            counts = (
                select(_STREAM.c.agent, func.count())
                .join(rows, rows.c.stream_id == _STREAM.c.id)
                .group_by(_STREAM.c.agent)
            )
            for agent, count in self._connection.execute(counts):
                found[agent][name] = int(count)
        return [Oddities(agent, **own) for agent, own in sorted(found.items())]

    def _number_of(self, result: ResultId) -> int:
        return self._stream_number(result.agent, result.epoch, result.stream)

    def _within(
        self, rows: Table, key: StreamKey, from_seq: int, to_seq: int
    ) -> ColumnElement[bool]:
        number = self._names.find_stream(self._connection, key)
        return (rows.c.stream_id == number) & (rows.c.seq >= from_seq) & (rows.c.seq < to_seq)
