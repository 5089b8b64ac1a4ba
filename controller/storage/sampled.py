"""Samples, counted where they are: one query for a time, whatever the number of them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from controller.core.samples import AnchorRound
from controller.core.sla.figures.sketch import bucket_width_us
from controller.ports.sampled import SampledCount, SampledLatency, Sampling
from controller.storage.bulk import Rows
from controller.storage.evidence import OUTCOMES
from controller.storage.tables import AnchorRow, SampleRow, StreamRow, table
from vedette.shared.result import Outcome

_SAMPLE = table(SampleRow)
_ANCHOR = table(AnchorRow)
_STREAM = table(StreamRow)
_DOWN: Final = OUTCOMES.index(Outcome.DOWN)
_GOOD: Final = (OUTCOMES.index(Outcome.UP), OUTCOMES.index(Outcome.DEGRADED))
# No answer takes a year.
_TOOK_BITS_MAX: Final = 45


class SampledRows(Rows):
    """controller.ports.sampled.SampledStore over SQL."""

    def sample_counts(
        self,
        sampling: Sampling,
        *,
        within_us: int | None = None,
        slices: tuple[int, int] | None = None,
    ) -> Sequence[SampledCount]:
        """Good and valid samples by agent, and by slice, where origin and length of slices are given."""
        c = _SAMPLE.c
        answered = c.outcome.in_(_GOOD)
        good: ColumnElement[bool] = answered
        valid: ColumnElement[bool] = or_(answered, c.outcome == _DOWN)
        if within_us is not None:
            good = and_(answered, c.took_us <= within_us)
            valid = or_(and_(answered, c.took_us.is_not(None)), c.outcome == _DOWN)
        number: ColumnElement[int] = literal(0, BigInteger)
        if slices is not None:
            number = (c.at_us - slices[0]) // slices[1]
        columns = (c.stream_id, number.label("number"), _how_many(good), func.count())
        query = self._sampled(select(*columns), sampling).where(valid)
        query = query.group_by(c.stream_id, *([] if slices is None else ["number"]))
        rows = self._connection.execute(query).all()
        return [SampledCount(self._stream(s).agent, int(n), int(g), int(v)) for s, n, g, v in rows]

    def sample_latencies(self, sampling: Sampling) -> Sequence[SampledLatency]:
        """Answers by agent and by the begin of the bucket of how long they took."""
        c = _SAMPLE.c
        start = case((c.outcome == _DOWN, cast(null(), BigInteger)), else_=_bucket(c.took_us))
        query = self._sampled(
            select(c.stream_id, start.label("start"), func.count()), sampling
        ).where(or_(c.outcome == _DOWN, and_(c.outcome.in_(_GOOD), c.took_us.is_not(None))))
        rows = self._connection.execute(query.group_by(c.stream_id, "start")).all()
        return [SampledLatency(self._stream(s).agent, us, n) for s, us, n in rows]

    def _sampled(self, query: Select[Any], sampling: Sampling) -> Select[Any]:
        """The query over these samples."""
        c = _SAMPLE.c
        found = (self._names.find(self._connection, region) for region in sampling.regions)
        regions = [number for number in found if number is not None]
        query = query.where(
            c.check_id == self._names.find(self._connection, sampling.check),
            c.at_us >= sampling.from_us,
            c.at_us < sampling.to_us,
            c.region_id.in_(regions),
        )
        if sampling.agent is None:
            return query
        own = select(_STREAM.c.id).where(_STREAM.c.agent == sampling.agent)
        return query.where(c.stream_id.in_(own))

    def bad_anchors(self, agent: str, from_us: int, to_us: int) -> Sequence[AnchorRound]:
        """The bad anchor rounds of an agent in that time, by time."""
        c = _ANCHOR.c
        query = (
            select(c.stream_id, c.seq, c.at_us, c.ok, c.total)
            .where(
                c.agent_id == self._names.find(self._connection, agent),
                c.at_us >= from_us,
                c.at_us < to_us,
                2 * (c.total - c.ok) > c.total,
            )
            .order_by(c.at_us, c.stream_id, c.seq)
        )
        rows = self._connection.execute(query).all()
        return [AnchorRound(*self._stream(row[0]), *row[1:]) for row in rows]

    def next_good_anchor_us(self, agent: str, after_us: int) -> int | None:
        """Event time of the first good anchor round of an agent after that instant."""
        c = _ANCHOR.c
        query = select(func.min(c.at_us)).where(
            c.agent_id == self._names.find(self._connection, agent),
            c.at_us > after_us,
            2 * (c.total - c.ok) <= c.total,
        )
        found: int | None = self._connection.execute(query).scalar()
        return found


def _how_many(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((which, 1), else_=0))


def _bucket(took_us: ColumnElement[int]) -> ColumnElement[int]:
    """Where the bucket of a length begins, as `core.sla.sketch.bucket_us` says."""
    ranges = [
        (took_us < 1 << bits, took_us // width * width)
        for bits in range(7, _TOOK_BITS_MAX + 1)
        for width in (bucket_width_us((1 << bits) - 1),)
    ]
    widest = bucket_width_us((1 << _TOOK_BITS_MAX) - 1)
    return case(*ranges, else_=took_us // widest * widest)
