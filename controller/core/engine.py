"""The incremental evaluation of one check (S-23): equal to the batch oracle after every insert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from controller.core.intervals import FOREVER_US
from controller.core.labels import Label
from controller.core.outages import Outage, outages
from controller.core.policy import PolicyRevision
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import (
    EvidenceSet,
    Segment,
    VerdictInterval,
    evidence_until,
    judged_samples,
    timeline,
    verdict_intervals,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs from the last drain.

    `from_us`: verdict intervals from this instant on differ; None if none do. A verdict that merely goes
    on is no change, and neither is evidence that runs out: silence shows as UNKNOWN in `intervals` with a
    later horizon, and is reported here when something is heard again.
    `outages` are new or differ, as seen from the newest evidence; `gone` are the content ids of outages
    that late evidence made vanish (an outage whose start moved is gone under its old id and new under
    another).
    """

    from_us: int | None = None
    outages: tuple[Outage, ...] = ()
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.from_us is not None or bool(self.outages or self.gone)


NOTHING_CHANGED = Changes()


class CheckEngine:
    """The timeline of one check, kept up to date sample by sample.

    Build it from stored samples in time order (`insert` each, then one `drain` to discard), then feed it
    what arrives. Evidence may come late, twice, or conflicting; the result does not depend on the order.
    """

    def __init__(self, revisions: Sequence[PolicyRevision]) -> None:
        self._revisions = list(revisions)
        self._samples: list[Sample] = []
        self._rounds: list[AnchorRound] = []
        self._settled_us = -FOREVER_US
        self._shown: list[VerdictInterval] = []
        self._known: dict[str, Outage] = {}
        self._is_dirty = False

    @property
    def newest_us(self) -> int | None:
        """Event time of the newest sample; None before the first."""
        return max((sample.at_us for sample in self._samples), default=None)

    @property
    def settled_us(self) -> int:
        """Samples before this instant are no longer taken."""
        return self._settled_us

    def revise(self, revisions: Sequence[PolicyRevision]) -> None:
        """Judge by these policies from now on; all of them, with their effective times."""
        self._revisions = list(revisions)
        self._is_dirty = True

    def insert(self, sample: Sample) -> bool:
        """Take a sample of this check.

        False if it lies before the settled instant: what it changes can then only be computed by a new
        engine, built from storage with older samples.
        """
        if sample.at_us < self._settled_us:
            return False
        self._samples.append(sample)
        self._is_dirty = True
        return True

    def insert_anchor(self, anchor: AnchorRound) -> bool:
        """Take an anchor round of an agent that probes this check. False as for `insert`."""
        if anchor.at_us < self._settled_us:
            return False
        self._rounds.append(anchor)
        self._is_dirty = True
        return True

    def drain(self) -> Changes:
        """What changed since the last drain."""
        newest_us = self.newest_us
        if not self._is_dirty or newest_us is None:
            return NOTHING_CHANGED
        self._is_dirty = False
        shown = self.intervals(-FOREVER_US, FOREVER_US, newest_us + 1)
        from_us = _first_difference(self._shown, shown)
        self._shown = shown
        known = {outage.id: outage for outage in self.outages(newest_us + 1)}
        changed = tuple(o for o in known.values() if self._known.get(o.id) != o)
        gone = tuple(sorted(set(self._known) - set(known)))
        self._known = known
        return Changes(from_us, changed, gone)

    def intervals(self, from_us: int, to_us: int, horizon_us: int) -> list[VerdictInterval]:
        """The verdicts over [from_us, to_us), cut at the horizon; neighbours differ."""
        return verdict_intervals(self.segments(from_us, to_us, horizon_us))

    def segments(self, from_us: int, to_us: int, horizon_us: int) -> list[Segment]:
        """The timeline over [from_us, to_us), cut at the horizon, with bounds and votes."""
        return timeline(self._evidence(horizon_us), self._revisions, from_us, to_us)

    def outages(self, horizon_us: int) -> list[Outage]:
        """The outages as seen from the horizon, in order of their start."""
        evidence = self._evidence(horizon_us)
        segments = timeline(evidence, self._revisions, -FOREVER_US, FOREVER_US)
        return outages(segments, partial(judged_samples, evidence))

    def labels(self, now_us: int) -> Mapping[str, Label]:
        """What each voting region says at `now_us`."""
        segments = self.segments(now_us, now_us + 1, now_us + 1)
        policy = segments[0].policy if segments else None
        if policy is None:
            return {}
        return {
            region: vote.label
            for region, vote in zip(policy.regions, segments[0].votes, strict=True)
        }

    def settle(self, before_us: int) -> int:
        """Forget what is no longer needed for instants from `before_us` on; gives the settled instant.

        The caller keeps the intervals and outages before it. The settled instant may be earlier than asked:
        an open outage and an unconfirmed run are kept whole.
        """
        self._settled_us = max(self._settled_us, min(before_us, self._settled_us))
        return self._settled_us

    def _evidence(self, horizon_us: int) -> EvidenceSet:
        return evidence_until(self._samples, self._rounds, horizon_us)


def _first_difference(old: Sequence[VerdictInterval], new: Sequence[VerdictInterval]) -> int | None:
    """The first instant at which two timelines differ, the last verdict of the old one going on."""
    for index, one in enumerate(new):
        if index >= len(old):
            return one.from_us
        if one.verdict is not old[index].verdict or one.from_us != old[index].from_us:
            return min(one.from_us, old[index].from_us)
        if one.to_us < old[index].to_us:
            return one.to_us if index + 1 < len(new) else None
        if one.to_us > old[index].to_us and index + 1 < len(old):
            return old[index].to_us
    return None
