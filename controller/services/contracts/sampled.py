"""Samples of a check as objectives count them, from storage: under the policies in force, without voided ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from controller.core.intervals import FOREVER_US, Interval, clip
from controller.core.labels import bad_intervals
from controller.core.policy import PolicyRevision, in_force
from controller.core.samples import AnchorRound
from controller.core.sla.figures.sampling import Count, Slicing
from controller.core.sla.figures.sketch import Sketch
from controller.ports.sampled import SampledCount, SampledLatency, Sampling
from controller.ports.storage import Transaction

_Row = TypeVar("_Row", SampledCount, SampledLatency)


class StoredSamples:
    """controller.core.sla.figures.sampling.Samples over storage. Counts anew whenever it is asked; nothing is kept."""

    def __init__(
        self, tx: Transaction, check: str, revisions: Sequence[PolicyRevision], horizon_us: int
    ) -> None:
        self._tx = tx
        self._check = check
        self._revisions = revisions
        self._horizon_us = horizon_us
        self._troubles: dict[str, tuple[Interval, list[Interval]]] = {}

    def counted(self, spans: Sequence[Interval], within_us: int | None = None) -> Count:
        """See `Samples.counted`."""

        def read(sampling: Sampling) -> Sequence[SampledCount]:
            return self._tx.sample_counts(sampling, within_us=within_us)

        good = valid = 0
        for sign, row in self._signed(spans, read):
            good, valid = good + sign * row.good, valid + sign * row.valid
        return Count(good, valid)

    def sliced(self, spans: Sequence[Interval], slicing: Slicing) -> Mapping[int, Count]:
        """See `Samples.sliced`."""

        def read(sampling: Sampling) -> Sequence[SampledCount]:
            return self._tx.sample_counts(sampling, slices=slicing)

        found: dict[int, Count] = {}
        for sign, row in self._signed(spans, read):
            own = Count(sign * row.good, sign * row.valid)
            found[row.number] = found.get(row.number, Count()).plus(own)
        return {number: one for number, one in found.items() if one.valid}

    def latencies(self, spans: Sequence[Interval]) -> Sketch:
        """See `Samples.latencies`."""
        found: dict[int | None, int] = {}
        for sign, row in self._signed(spans, self._tx.sample_latencies):
            found[row.start_us] = found.get(row.start_us, 0) + sign * row.answers
        unanswered = found.pop(None, 0)
        return Sketch({us: n for us, n in found.items() if us is not None and n}, unanswered)

    def _signed(
        self, spans: Sequence[Interval], read: Callable[[Sampling], Sequence[_Row]]
    ) -> Iterator[tuple[int, _Row]]:
        """What is read of the spans, and to be taken off again what of it is voided."""
        for sampling in self._samplings(spans):
            rows = read(sampling)
            yield from ((1, row) for row in rows)
            for agent in sorted({row.agent for row in rows}):
                for from_us, to_us in self._bad(agent, sampling.from_us, sampling.to_us):
                    voided = Sampling(self._check, from_us, to_us, sampling.regions, agent)
                    yield from ((-1, row) for row in read(voided))

    def _samplings(self, spans: Sequence[Interval]) -> Iterator[Sampling]:
        """The spans, each by the regions that voted then."""
        for from_us, to_us in spans:
            for start_us, end_us, policy in in_force(self._revisions, from_us, to_us):
                if policy is not None:
                    yield Sampling(self._check, start_us, end_us, policy.regions)

    def _bad(self, agent: str, from_us: int, to_us: int) -> list[Interval]:
        """When the agent's own network was in trouble, within a time; what is read of it once is kept."""
        known = self._troubles.get(agent)
        if known is None or from_us < known[0].from_us or to_us > known[0].to_us:
            span = Interval(from_us, to_us)
            if known is not None:
                span = Interval(min(from_us, known[0].from_us), max(to_us, known[0].to_us))
            known = self._troubles[agent] = (
                span,
                bad_within(self._tx, agent, span, self._horizon_us),
            )
        return clip(known[1], from_us, to_us)


def bad_within(
    tx: Transaction, agent: str, span: Interval, horizon_us: int = FOREVER_US
) -> list[Interval]:
    """When an agent was in trouble within a time (S-10), by the rounds until the horizon, itself included.

    Only bad rounds are read, and the good ones around them: these are few.
    """
    before_us = tx.last_good_anchor_us(agent, span.from_us + 1)
    after_us = tx.next_good_anchor_us(agent, span.to_us - 1)
    first_us = -FOREVER_US if before_us is None else before_us
    end_us = min(FOREVER_US if after_us is None else after_us, horizon_us) + 1
    bad = tx.bad_anchors(agent, first_us, end_us)
    rounds: set[AnchorRound] = set(bad)
    until_us = -FOREVER_US
    for one in bad:
        if one.at_us < until_us:
            continue
        good_us = tx.last_good_anchor_us(agent, one.at_us), tx.next_good_anchor_us(agent, one.at_us)
        until_us = FOREVER_US if good_us[1] is None else good_us[1]
        for at_us in (*good_us, one.at_us):
            if at_us is not None and at_us <= horizon_us:
                rounds.update(tx.anchors([agent], at_us, at_us + 1))
    return clip(bad_intervals(rounds), *span)
