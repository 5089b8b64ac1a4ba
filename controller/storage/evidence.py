"""Lines, samples, anchor rounds: the rows that come by the thousand, written in bulk through Core."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, bindparam, case, delete, func, select, true, update

from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.ports.evidence import Conflict, Position, Segment
from controller.storage.aside import AsideRows
from controller.storage.names import StreamKey
from controller.storage.packing import unpacked_lines
from controller.storage.receipts import decoded
from controller.storage.tables import (
    AnchorRow,
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

OUTCOMES: Final = (Outcome.UP, Outcome.DEGRADED, Outcome.DOWN, Outcome.AGENT_ERROR)
_OUTCOME_NUMBERS: Final = {outcome: number for number, outcome in enumerate(OUTCOMES)}
# Level 1: within 15 % of the size that level 6 gives on result lines, for a third of the time.
_ZLIB_LEVEL: Final = 1


class EvidenceRows(AsideRows):
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
        strays: Iterable[Sample] = (),
    ) -> None:
        """Keep lines and what was read from them, in bulk."""
        self._append_segments(segments)
        self._append_samples(samples)
        self._insert_many(_ANCHOR, [self._anchor_row(one, 0) for one in anchors])
        self._append_quarantined(quarantined)
        self._append_strays(strays)
        self._append_conflicts(conflicts)

    def _append_segments(self, segments: Sequence[Segment]) -> None:
        if not segments:
            return
        rows: list[tuple[object, ...]] = []
        moved: list[dict[str, int]] = []
        for s in segments:
            stream = self._stream_number(s.agent, s.epoch, s.stream)
            if s.count:
                body = zlib.compress(s.lines, _ZLIB_LEVEL)
                rows.append((stream, s.first_seq, s.count, s.lost, s.received_us, body, None))
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

    def _append_samples(self, samples: Iterable[Sample], variant: int = 0) -> None:
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
                (check_id, at_us, stream_id, seq, variant, region_id, _OUTCOME_NUMBERS[outcome], kind_id, took_us)
            )  # fmt: skip
        self._insert_many(_SAMPLE, rows)

    def _anchor_row(self, one: AnchorRound, variant: int) -> tuple[object, ...]:
        stream = self._stream_number(one.agent, one.epoch, one.stream)
        agent = self._number(one.agent)
        return agent, one.at_us, stream, one.seq, variant, one.ok, one.total

    def _append_conflicts(self, conflicts: Iterable[Conflict]) -> None:
        """After everything else: what a conflict withdraws may have come in the same batch.

        Of conflicts about one identity the last that counts does; what those before it counted as is
        withdrawn by one of them.
        """
        found = list(conflicts)
        if not found:
            return
        places = self._insert_conflicts(found)
        last: dict[tuple[int, int], tuple[int, Sample | AnchorRound]] = {}
        gone: list[tuple[int, Sample | AnchorRound]] = []
        for (stream, variant), one in zip(places, found, strict=True):
            if one.withdrawn is not None:
                gone.append((stream, one.withdrawn))
            if one.counts is not None:
                last[stream, one.id.seq] = (variant, one.counts)
        self._withdraw(gone)
        rounds = [self._anchor_row(i, v) for v, i in last.values() if isinstance(i, AnchorRound)]
        self._insert_many(_ANCHOR, rounds)
        for variant in sorted({variant for variant, _ in last.values()}):
            own = (item for number, item in last.values() if number == variant)
            self._append_samples([one for one in own if isinstance(one, Sample)], variant)

    def _withdraw(self, items: Sequence[tuple[int, Sample | AnchorRound]]) -> None:
        """Forget what lines of these streams counted as; the lines themselves stay."""
        for rows, whose, kind in (
            (_SAMPLE, _SAMPLE.c.check_id, Sample),
            (_ANCHOR, _ANCHOR.c.agent_id, AnchorRound),
        ):
            values = [
                {
                    "whose": self._known(item.check if isinstance(item, Sample) else item.agent),
                    "at": item.at_us,
                    "stream": stream,
                    "number": item.seq,
                }
                for stream, item in items
                if isinstance(item, kind)
            ]
            if values:
                where = (whose == bindparam("whose")) & (rows.c.at_us == bindparam("at"))
                line = (rows.c.stream_id == bindparam("stream")) & (
                    rows.c.seq == bindparam("number")
                )
                self._connection.execute(delete(rows).where(where & line), values)
        samples = [(stream, item.seq) for stream, item in items if isinstance(item, Sample)]
        if samples:
            self._forget_stray_lines(samples)

    def _known(self, text: str) -> int | None:
        """The number of a text, without giving it one: names of checks that there are not have none."""
        return self._names.find(self._connection, text)

    def samples(self, check: str, from_us: int, to_us: int) -> Sequence[Sample]:
        """Samples of a check with from_us <= at_us < to_us, by time; one of each identity (S-2)."""
        number = self._names.find(self._connection, check)
        if number is None:
            return []
        c = _SAMPLE.c
        query = (
            select(c.stream_id, c.seq, c.region_id, c.at_us, c.outcome, c.kind_id, c.took_us)
            .where(c.check_id == number, c.at_us >= from_us, c.at_us < to_us)
            .order_by(c.at_us, c.stream_id, c.seq)
        )
        rows = self._connection.execute(query).all()
        name, stream_of = self._name, self._stream
        return [
            Sample(
                *stream_of(stream), seq, check, name(region), at_us, OUTCOMES[outcome],
                None if kind is None else name(kind), took,
            )
            for stream, seq, region, at_us, outcome, kind, took in rows
        ]  # fmt: skip

    def newest_sample_us(self, check: str, before_us: int) -> int | None:
        """Event time of the newest sample of a check before that instant."""
        number = self._names.find(self._connection, check)
        query = select(func.max(_SAMPLE.c.at_us)).where(
            _SAMPLE.c.check_id == number, _SAMPLE.c.at_us < before_us
        )
        found: int | None = self._connection.execute(query).scalar()
        return found

    def heard(self, check: str, from_us: int, to_us: int) -> Mapping[str, int]:
        """By agent the event time of its newest sample of a check with from_us <= at_us < to_us."""
        number = self._names.find(self._connection, check)
        c = _SAMPLE.c
        query = (
            select(c.stream_id, func.max(c.at_us))
            .where(c.check_id == number, c.at_us >= from_us, c.at_us < to_us)
            .group_by(c.stream_id)
        )
        found: dict[str, int] = {}
        for stream, at_us in self._connection.execute(query):
            agent = self._stream(stream).agent
            found[agent] = max(at_us, found.get(agent, at_us))
        return found

    def anchors(self, agents: Sequence[str], from_us: int, to_us: int) -> Sequence[AnchorRound]:
        """Anchor rounds of the agents in that time, by time."""
        found = (self._names.find(self._connection, agent) for agent in agents)
        numbers = [number for number in found if number is not None]
        c = _ANCHOR.c
        query = (
            select(c.stream_id, c.seq, c.at_us, c.ok, c.total)
            .where(c.agent_id.in_(numbers), c.at_us >= from_us, c.at_us < to_us)
            .order_by(c.at_us, c.stream_id, c.seq)
        )
        rows = self._connection.execute(query).all()
        return [AnchorRound(*self._stream(row[0]), *row[1:]) for row in rows]

    def last_good_anchor_us(self, agent: str, before_us: int) -> int | None:
        """Event time of the newest good anchor round of an agent before that instant."""
        number = self._names.find(self._connection, agent)
        c = _ANCHOR.c
        is_good = 2 * (c.total - c.ok) <= c.total
        query = select(func.max(c.at_us)).where(c.agent_id == number, c.at_us < before_us, is_good)
        found: int | None = self._connection.execute(query).scalar()
        return found

    def segments(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int
    ) -> Sequence[Segment]:
        """Segments that hold lines with from_seq <= seq < to_seq of a stream, by sequence."""
        key = StreamKey(agent, epoch, stream)
        return self._segments(key, from_seq, _SEGMENT.c.first_seq < to_seq, None)

    def next_segments(
        self, agent: str, epoch: str, stream: str, from_seq: int, limit: int
    ) -> Sequence[Segment]:
        """The first segments of a stream that hold a line at or after `from_seq`, by sequence."""
        return self._segments(StreamKey(agent, epoch, stream), from_seq, true(), limit)

    def _segments(
        self, key: StreamKey, from_seq: int, where: ColumnElement[bool], limit: int | None
    ) -> list[Segment]:
        """Segments from the one that holds `from_seq` on. They do not overlap: one seek finds the first."""
        number = self._names.find_stream(self._connection, key)
        c = _SEGMENT.c
        its = c.stream_id == number
        newest = select(func.max(c.first_seq)).where(its, c.first_seq <= from_seq)
        start = self._connection.execute(newest).scalar()
        query = (
            select(c.first_seq, c.count, c.body, c.received_us, c.lost, c.receipts)
            .where(its, c.first_seq >= (from_seq if start is None else start), where)
            .where(c.first_seq + c.count > from_seq)
            .order_by(c.first_seq)
            .limit(limit)
        )
        return [
            Segment(
                *key,
                first,
                count,
                unpacked_lines(body),
                received,
                lost,
                decoded(receipts, count, received) if receipts else (),
            )
            for first, count, body, received, lost, receipts in self._connection.execute(query)
        ]

    def received_after(
        self, agent: str, epoch: str, stream: str, from_seq: int, to_seq: int, at_us: int
    ) -> Sequence[tuple[int, int]]:
        """Runs of lines that came after an instant, of segments with lines in [from_seq, to_seq)."""
        number = self._names.find_stream(self._connection, StreamKey(agent, epoch, stream))
        c = _SEGMENT.c
        within = (c.first_seq < to_seq) & (c.first_seq + c.count > from_seq)
        # When the last of them came is later: only then is it worth while to look at each.
        query = (
            select(c.first_seq, c.count, c.received_us, c.receipts)
            .where(c.stream_id == number, within, c.received_us > at_us)
            .order_by(c.first_seq)
        )
        found: list[tuple[int, int]] = []
        for first, count, received_us, receipts in self._connection.execute(query):
            for lines, came_us in decoded(receipts, count, received_us):
                if came_us > at_us:
                    found.append((first, first + lines))
                first += lines
        return found

    def line(self, result: ResultId) -> bytes | None:
        """The exact bytes of a line, or None if there is none. Of several, the one that came first."""
        where = (result.agent, result.epoch, result.stream, result.seq, result.seq + 1)
        for segment in self.segments(*where):
            if segment.is_pruned:
                return None
            return segment.lines.split(b"\n")[result.seq - segment.first_seq] + b"\n"
        return None
