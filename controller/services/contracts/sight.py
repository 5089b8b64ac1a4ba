"""What is told of a check over a time: by all that is stored now, or by what was known at an instant (S-21).

Both give the same where nothing came since.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from controller.core.intervals import FOREVER_US
from controller.core.policy import PolicyRevision, in_force
from controller.core.resync import is_parted
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.figures.sampling import ListedSamples, Samples, listed
from controller.core.timeline import judged_samples
from controller.ports.storage import Transaction
from controller.services.contracts.sampled import StoredSamples
from controller.services.outages.grading import Grading
from controller.services.outages.outage_times import OutageClocks
from controller.services.timeline.evaluate import Evaluator
from controller.services.timeline.history import History
from controller.services.timeline.known import KnownAt
from controller.services.timeline.weights import stretches_of, weighed

# How far after a time its evidence is read at first, and how much further each time that is too little.
_REACH_US: Final = 86_400 * 1_000_000
_WIDER: Final = 4


class Told(NamedTuple):
    """A timeline, and when outages began and ended; None: not by then, as far as is known."""

    stretches: Sequence[Stretch]
    spans: Sequence[tuple[int, int | None]]


class Sight(Protocol):
    """Tells of checks. Nothing of a later event time than `horizon_us` is used."""

    @property
    def horizon_us(self) -> int:
        """The instant from which is looked."""
        ...

    def told(self, check: str, from_us: int, to_us: int) -> Told:
        """What is told of [from_us, to_us), cut at the horizon."""
        ...

    def clocks(self, check: str, from_us: int, to_us: int) -> Sequence[OutageTimes]:
        """What people are measured by in the outages of a check and its regions that touch that time."""
        ...

    def samples(self, check: str, from_us: int, to_us: int) -> Samples:
        """The results of a check that are evidence, as far as [from_us, to_us) and the horizon go."""
        ...


class StoredSight:
    """By all that is stored, whenever it came."""

    def __init__(
        self,
        tx: Transaction,
        evaluator: Evaluator,
        horizon_us: int,
        grading: Grading | None = None,
    ) -> None:
        self.horizon_us = horizon_us
        self._tx = tx
        self._evaluator = evaluator
        self._clocks = OutageClocks(tx, grading or Grading(), horizon_us, is_past=False)

    def told(self, check: str, from_us: int, to_us: int) -> Told:
        """What is told of [from_us, to_us), cut at the horizon."""
        where = (self._tx, check, from_us, to_us, self.horizon_us)
        revisions = self._evaluator.checks(self._tx).get(check, ())
        intervals = self._evaluator.intervals(*where)
        stretches = weighed(self._tx, check, revisions, intervals, self.horizon_us)
        return Told(stretches, _until(self._evaluator.spans(*where), self.horizon_us))

    def clocks(self, check: str, from_us: int, to_us: int) -> Sequence[OutageTimes]:
        """What people are measured by in the outages of a check and its regions that touch that time."""
        return self._clocks.of(check, from_us, min(to_us, self.horizon_us))

    def samples(self, check: str, from_us: int, to_us: int) -> Samples:
        """The results that are evidence: they stay in storage, and are counted there."""
        revisions = self._evaluator.checks(self._tx).get(check, ())
        return StoredSamples(self._tx, check, revisions, self.horizon_us)


class PastSight:
    """By what was known at an instant, itself included, from its evidence alone."""

    def __init__(
        self,
        tx: Transaction,
        evaluator: Evaluator,
        known_us: int,
        grading: Grading | None = None,
    ) -> None:
        self.horizon_us = known_us
        self._known = KnownAt(tx, known_us)
        self._clocks = OutageClocks(tx, grading or Grading(), known_us, is_past=True)
        self._revisions = {
            check: [one for one in revisions if one.effective_us <= known_us]
            for check, revisions in evaluator.checks(tx).items()
        }

    def told(self, check: str, from_us: int, to_us: int) -> Told:
        """What is told of [from_us, to_us), cut at the horizon."""
        revisions: Sequence[PolicyRevision] = self._revisions.get(check, ())
        end_us = min(to_us, self.horizon_us)
        if not revisions or from_us >= end_us:
            return Told((), ())
        reach_us = _REACH_US
        while True:
            horizon_us = min(end_us + reach_us, self.horizon_us)
            told = self._seen(check, revisions, (from_us, end_us), horizon_us)
            if told is not None:
                return told
            reach_us *= _WIDER

    def _seen(
        self,
        check: str,
        revisions: Sequence[PolicyRevision],
        span: tuple[int, int],
        horizon_us: int,
    ) -> Told | None:
        """What is told as seen from an earlier horizon; None if what came between the two may change it."""
        history = History(self._known, check, revisions, horizon_us)
        engine = history.engine(span[0], horizon_us).engine
        found = [one.span for one in engine.outages(horizon_us)]
        spans = [
            (one.started_us, one.ended_us) for one in found if span[0] <= one.started_us < span[1]
        ]
        if horizon_us < self.horizon_us:
            certain_us = history.certain_us()
            over_us = max((ended_us or FOREVER_US for _, ended_us in spans), default=span[1])
            if certain_us < max(over_us, span[1]):
                return None
            # Another one that follows, or what lies between, must show that the last of them is over.
            is_followed = any(over_us <= one.started_us < certain_us for one in found)
            after = engine.timeline_part(over_us, certain_us)
            if spans and not is_followed and not is_parted(after, revisions):
                return None
        segments = engine.segments(*span, horizon_us)
        spans.sort(key=lambda one: one[0])
        return Told(stretches_of(segments), _until(spans, self.horizon_us))

    def clocks(self, check: str, from_us: int, to_us: int) -> Sequence[OutageTimes]:
        """What people are measured by in the outages of a check and its regions that touched that time."""
        return self._clocks.of(check, from_us, min(to_us, self.horizon_us))

    def samples(self, check: str, from_us: int, to_us: int) -> Samples:
        """The results that were known and are evidence, read: what came later cannot be told by counting."""
        revisions: Sequence[PolicyRevision] = self._revisions.get(check, ())
        end_us = min(to_us, self.horizon_us)
        if not revisions or from_us >= end_us:
            return ListedSamples(())
        evidence = History(self._known, check, revisions, self.horizon_us).evidence(from_us, end_us)
        said = (
            one
            for start_us, until_us, policy in in_force(revisions, from_us, end_us)
            if policy is not None
            for one in judged_samples(evidence, policy, start_us, until_us)
        )
        return ListedSamples([listed(one.sample) for one in said])


def _until(
    spans: Sequence[tuple[int, int | None]], horizon_us: int
) -> list[tuple[int, int | None]]:
    """The spans, without ends that were not known yet."""
    return [
        (start_us, end_us if end_us is not None and end_us <= horizon_us else None)
        for start_us, end_us in spans
    ]
