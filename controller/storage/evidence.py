"""Lines, samples, anchor rounds: the rows that come by the thousand, written in bulk through Core."""

import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import bindparam, case, func, select, update

from controller.core.admission import digest_of_line
from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.ports import Conflict, Position, Segment
from controller.storage.bulk import Rows
from controller.storage.names import StreamKey
from controller.storage.tables import (
    AnchorRow,
    ConflictRow,
    QuarantineRow,
    SampleRow,
    SegmentRow,
    StreamRow,
    table,
)
from vedette.shared.identity import ResultId
from vedette.shared.result import Outcome

_STREAM = table(StreamRow)
_SEGMENT = table(SegmentRow)
_SAMPLE = table(SampleRow)
_ANCHOR = table(AnchorRow)
_QUARANTINE = table(QuarantineRow)
_CONFLICT = table(ConflictRow)

OUTCOMES: Final = (Outcome.UP, Outcome.DEGRADED, Outcome.DOWN, Outcome.AGENT_ERROR)
_OUTCOME_NUMBERS: Final = {outcome: number for number, outcome in enumerate(OUTCOMES)}
# Level 1: within 15 % of the size that level 6 gives on result lines, for a third of the time.
_ZLIB_LEVEL: Final = 1


class EvidenceRows(Rows):
    """controller.ports.EvidenceStore over SQL."""

    def positions(self, agent: str | None = None) -> Sequence[Position]:
        """The last durable line of every stream (of `agent`)."""
        query = select(_STREAM.c.agent, _STREAM.c.epoch, _STREAM.c.stream, _STREAM.c.seq)
        if agent is not None:
            query = query.where(_STREAM.c.agent == agent)
        return [Position(*row) for row in sorted(map(tuple, self._connection.execute(query)))]

    def append(
        self,
        segments: Sequence[Segment],
        samples: Iterable[Sample],
        anchors: Iterable[AnchorRound],
        quarantined: Iterable[Quarantined],
        conflicts: Iterable[Conflict],
    ) -> None:
        """Keep lines and what was read from them, in bulk."""
        self._append_segments(segments)
        self._append_samples(samples)
        for conflict in conflicts:
            self._append_conflict(conflict)
        self._insert_many(_ANCHOR, [self._anchor_row(one, 0) for one in anchors])
        aside = [
            (self._stream_number(q.id.agent, q.id.epoch, q.id.stream), q.id.seq, q.reason)
            for q in quarantined
        ]
        self._insert_many(_QUARANTINE, aside)

    def _append_segments(self, segments: Sequence[Segment]) -> None:
        if not segments:
            return
        rows: list[tuple[object, ...]] = []
        moved: list[dict[str, int]] = []
        for s in segments:
            stream = self._stream_number(s.agent, s.epoch, s.stream)
            if s.count:
                body = zlib.compress(s.lines, _ZLIB_LEVEL)
                rows.append((stream, s.first_seq, s.count, s.lost, s.received_us, body))
            last = s.first_seq + s.count - 1
            moved.append({"key": stream, "last": last, "count": s.count, "gone": s.lost})
        self._insert_many(_SEGMENT, rows)
        self._connection.execute(
            update(_STREAM)
            .where(_STREAM.c.id == bindparam("key"))
            .values(
                # Lines that were reported lost and came after all do not move the stream back.
                seq=case(
                    (_STREAM.c.seq > bindparam("last"), _STREAM.c.seq), else_=bindparam("last")
                ),
                lines=_STREAM.c.lines + bindparam("count"),
                lost=_STREAM.c.lost + bindparam("gone"),
            ),
            moved,
        )

    def _append_samples(self, samples: Iterable[Sample]) -> None:
        """The hot path: one tuple a sample, numbers looked up in plain dicts."""
        numbers: dict[str, int] = {}
        streams: dict[tuple[str, str, str], int] = {}
        rows: list[tuple[object, ...]] = []
        for agent, epoch, stream, seq, check, region, at_us, outcome, kind, took_us, _ in samples:
            key = (agent, epoch, stream)
            if (stream_id := streams.get(key)) is None:
                stream_id = streams[key] = self._stream_number(*key)
            if (check_id := numbers.get(check)) is None:
                check_id = numbers[check] = self._number(check)
            if (region_id := numbers.get(region)) is None:
                region_id = numbers[region] = self._number(region)
            kind_id = None if kind is None else self._number(kind)
            rows.append(
                (check_id, at_us, stream_id, seq, 0, region_id, _OUTCOME_NUMBERS[outcome], kind_id, took_us)
            )  # fmt: skip
        self._insert_many(_SAMPLE, rows)

    def _anchor_row(self, one: AnchorRound, variant: int) -> tuple[object, ...]:
        stream = self._stream_number(one.agent, one.epoch, one.stream)
        agent = self._number(one.agent)
        return agent, one.at_us, stream, one.seq, variant, one.ok, one.total

    def _append_conflict(self, conflict: Conflict) -> None:
        key = StreamKey(conflict.id.agent, conflict.id.epoch, conflict.id.stream)
        stream = self._names.stream_number(self._connection, key)
        variant = len(self.conflicts(conflict.id)) + 1
        row = (stream, conflict.id.seq, variant, conflict.line, conflict.received_us)
        self._insert_many(_CONFLICT, [row])
        read = conflict.read
        if isinstance(read, AnchorRound):
            self._insert_many(_ANCHOR, [self._anchor_row(read, variant)])
        elif read is not None:
            kind = None if read.kind is None else self._number(read.kind)
            place = (self._number(read.check), read.at_us, stream, read.seq, variant)
            seen = (self._number(read.region), _OUTCOME_NUMBERS[read.outcome], kind, read.took_us)
            self._insert_many(_SAMPLE, [(*place, *seen)])

    def samples(self, check: str, from_us: int, to_us: int) -> Sequence[Sample]:
        """Samples of a check with from_us <= at_us < to_us, by time; conflicting ones included."""
        number = self._names.find(self._connection, check)
        if number is None:
            return []
        c = _SAMPLE.c
        query = (
            select(
                c.stream_id, c.seq, c.region_id, c.at_us, c.outcome, c.kind_id, c.took_us, c.variant
            )
            .where(c.check_id == number, c.at_us >= from_us, c.at_us < to_us)
            .order_by(c.at_us, c.stream_id, c.seq, c.variant)
        )
        rows = self._connection.execute(query).all()
        digests = self._digests((row[0], row[1]) for row in rows if row[7])
        name, stream_of = self._name, self._stream
        return [
            Sample(
                *stream_of(stream), seq, check, name(region), at_us, OUTCOMES[outcome],
                None if kind is None else name(kind), took,
                digests.get((stream, seq, variant), 0) if digests else 0,
            )
            for stream, seq, region, at_us, outcome, kind, took, variant in rows
        ]  # fmt: skip

    def newest_sample_us(self, check: str, before_us: int) -> int | None:
        """Event time of the newest sample of a check before that instant."""
        number = self._names.find(self._connection, check)
        query = select(func.max(_SAMPLE.c.at_us)).where(
            _SAMPLE.c.check_id == number, _SAMPLE.c.at_us < before_us
        )
        found: int | None = self._connection.execute(query).scalar()
        return found

    def anchors(self, agents: Sequence[str], from_us: int, to_us: int) -> Sequence[AnchorRound]:
        """Anchor rounds of the agents in that time, by time."""
        found = (self._names.find(self._connection, agent) for agent in agents)
        numbers = [number for number in found if number is not None]
        c = _ANCHOR.c
        query = (
            select(c.stream_id, c.seq, c.at_us, c.ok, c.total, c.variant)
            .where(c.agent_id.in_(numbers), c.at_us >= from_us, c.at_us < to_us)
            .order_by(c.at_us, c.stream_id, c.seq, c.variant)
        )
        rows = self._connection.execute(query).all()
        digests = self._digests((row[0], row[1]) for row in rows if row[5])
        return [
            AnchorRound(*self._stream(r[0]), *r[1:5], digest=digests.get((r[0], r[1], r[5]), 0))
            for r in rows
        ]

    def last_good_anchor_us(self, agent: str, before_us: int) -> int | None:
        """Event time of the newest good anchor round of an agent before that instant."""
        number = self._names.find(self._connection, agent)
        c = _ANCHOR.c
        is_good = 2 * (c.total - c.ok) <= c.total
        query = select(func.max(c.at_us)).where(c.agent_id == number, c.at_us < before_us, is_good)
        found: int | None = self._connection.execute(query).scalar()
        return found

    def _digests(self, disputed: Iterable[tuple[int, int]]) -> dict[tuple[int, int, int], int]:
        """Digests of every line of the identities (stream number, seq) that several lines claim."""
        found: dict[tuple[int, int, int], int] = {}
        for stream, seq in set(disputed):
            result = ResultId(*self._stream(stream), seq)
            lines = [self.line(result), *(one.line for one in self.conflicts(result))]
            for variant, line in enumerate(lines):
                found[stream, seq, variant] = 0 if line is None else digest_of_line(line)
        return found

    def segments(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int
    ) -> Sequence[Segment]:
        """Segments that hold lines with from_seq <= seq < to_seq of a stream, by sequence."""
        key = StreamKey(agent, epoch, stream)
        number = self._names.find_stream(self._connection, key)
        c = _SEGMENT.c
        query = (
            select(c.first_seq, c.count, c.body, c.received_us, c.lost)
            .where(c.stream_id == number, c.first_seq < to_seq, c.first_seq + c.count > from_seq)
            .order_by(c.first_seq)
        )
        return [
            Segment(*key, first, count, zlib.decompress(body), received, lost)
            for first, count, body, received, lost in self._connection.execute(query)
        ]

    def line(self, result: ResultId) -> bytes | None:
        """The exact bytes of a line, or None if there is none. Of several, the one that came first."""
        where = (result.agent, result.epoch, result.stream, result.seq, result.seq + 1)
        for segment in self.segments(*where):
            return segment.lines.split(b"\n")[result.seq - segment.first_seq] + b"\n"
        return None

    def conflicts(self, result: ResultId) -> Sequence[Conflict]:
        """Other lines that came under the same identity, as they came; without what they count as."""
        key = StreamKey(result.agent, result.epoch, result.stream)
        number = self._names.find_stream(self._connection, key)
        c = _CONFLICT.c
        query = (
            select(c.line, c.received_us)
            .where(c.stream_id == number, c.seq == result.seq)
            .order_by(c.variant)
        )
        return [Conflict(result, line, at) for line, at in self._connection.execute(query)]

    def quarantined(self) -> Sequence[Quarantined]:
        """Every line that was set aside, by identity."""
        c = _QUARANTINE.c
        rows = self._connection.execute(select(c.stream_id, c.seq, c.reason)).all()
        found = (Quarantined(ResultId(*self._stream(r[0]), r[1]), r[2]) for r in rows)
        return sorted(found, key=lambda one: one.id)
