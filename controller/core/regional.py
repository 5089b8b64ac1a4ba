"""Outages of one region alone (S-14): the rules of S-15 over what that region says.

A region sees a check as if it were the only one. An outage that it sees is a regional one where it differs
from those of the check as a whole by more than sampling does. It may be long, such as that of a region from
which a target cannot be reached at all: what lies before the settled instant is carried on as sums, and its
evidence forgotten.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

from controller.core.intervals import FOREVER_US
from controller.core.labels import Label, Said, Vote
from controller.core.outages import (
    Judged,
    Outage,
    Span,
    Tally,
    Unfinished,
    lead_in_us,
    outage_of,
    spans,
    tally,
    unfinished,
)
from controller.core.policy import Policy, PolicyRevision, in_force
from controller.core.quorum import Verdict
from controller.core.resync import is_parted
from controller.core.timeline import Segment, Verdicts, append_segment, clipped
from vedette.shared.definitions import Distinct, Rule

_VERDICT_OF: Final = {
    Label.NONE: Verdict.UNKNOWN,
    Label.UP: Verdict.UP,
    Label.DEGRADED: Verdict.DEGRADED,
    Label.DOWN: Verdict.DOWN,
}
_KNOWN: Final[dict[Vote, Verdicts]] = {}
_UNHEARD: Final = (Verdict.UNKNOWN,) * 3


class View(Protocol):
    """A timeline that can be asked for a part of itself, and for the samples behind it."""

    def timeline_part(self, from_us: int, to_us: int) -> list[Segment]:
        """The segments of [from_us, to_us)."""
        ...

    def judged(self, policy: Policy, from_us: int, to_us: int) -> Sequence[Said]:
        """The judged samples under a policy with from_us <= t < to_us."""
        ...


class WholeView:
    """A timeline that is there as a whole."""

    def __init__(self, segments: Sequence[Segment], judged: Judged) -> None:
        self._segments = segments
        self.judged = judged

    def timeline_part(self, from_us: int, to_us: int) -> list[Segment]:
        """The segments of [from_us, to_us)."""
        return clipped(self._segments, from_us, to_us)


class RegionView:
    """A check as one of its regions sees it."""

    def __init__(self, view: View, region: str) -> None:
        self.region = region
        self._view = view
        self._policies: list[_Alone] = []

    def timeline_part(self, from_us: int, to_us: int) -> list[Segment]:
        """What the region says over [from_us, to_us); UNKNOWN where it has no vote."""
        found: list[Segment] = []
        for segment in self._view.timeline_part(from_us, to_us):
            append_segment(found, self._seen(segment))
        return found

    def judged(self, policy: Policy, from_us: int, to_us: int) -> list[Said]:
        """The region's judged samples with from_us <= t < to_us."""
        # Of the policies that look alike from here, the last is the one that has read the most.
        like = (one for one in self._policies if one.alone is policy or one.alone == policy)
        whole = max(like, key=lambda one: one.until_us).whole
        said = self._view.judged(whole, from_us, to_us)
        return [one for one in said if one.sample.region == self.region]

    def _seen(self, segment: Segment) -> Segment:
        """What the region says in a segment."""
        policy = segment.policy
        if policy is None or self.region not in policy.regions:
            return Segment(segment.from_us, segment.to_us, _UNHEARD, (), None)
        own = next((one for one in self._policies if one.whole is policy), None)
        if own is None:
            rank = policy.regions.index(self.region)
            own = _Alone(policy, alone(policy, self.region), rank, segment.to_us)
            self._policies.append(own)
        own.until_us = max(own.until_us, segment.to_us)
        vote = segment.votes[own.rank]
        return Segment(segment.from_us, segment.to_us, _verdicts(vote), (vote,), own.alone)


@dataclass(slots=True)
class _Alone:
    """A policy of a check, and what it is to one region of it; until when it was seen in force."""

    whole: Policy
    alone: Policy
    rank: int
    until_us: int


def seen_by(region: str, segments: Iterable[Segment]) -> list[Segment]:
    """What the region says in each segment."""
    view = RegionView(WholeView(list(segments), _nothing), region)
    return view.timeline_part(-FOREVER_US, FOREVER_US)


def _nothing(policy: Policy, from_us: int, to_us: int) -> Sequence[Said]:
    return ()


def _verdicts(vote: Vote) -> Verdicts:
    found = _KNOWN.get(vote)
    if found is None:
        found = _VERDICT_OF[vote.label], _VERDICT_OF[vote.low], _VERDICT_OF[vote.high]
        _KNOWN[vote] = found
    return found


@lru_cache(maxsize=4096)
def alone(policy: Policy, region: str) -> Policy:
    """The policy of a check that has this region only."""
    return replace(
        policy,
        regions=(region,),
        rule=Rule.ANY,
        is_strict=False,
        min_evidence=1,
        distinct=Distinct.REGION,
        domains=(),
    )


@dataclass(frozen=True, slots=True)
class Carried:
    """What is known of a region's outage at a settled instant that it lies across, or may be glued across.

    `head` is the outage until its last DOWN time before that instant, `through` counts what stands between
    its start and the instant. Of `head` `head_outside_us` lie outside of the outages of the check, and of the
    whole time until the instant `through_outside_us`. `tolerance_us` is the freshness where it starts.
    """

    region: str
    at_us: int
    left: Unfinished
    head: Outage
    through: Tally
    tolerance_us: int
    head_outside_us: int
    through_outside_us: int


def outage_in(
    view: RegionView, span: Span, carried: Carried | None, segments: Sequence[Segment]
) -> Outage:
    """A span of the region with its evidence, what was forgotten of it included.

    `segments` are what the region said from a freshness before the span on, or before the instant that it is
    carried from.
    """
    if carried is None or span.started_us >= carried.at_us:
        return outage_of(span, segments, view.judged, view.region)
    if span.until_us <= carried.at_us:
        return replace(carried.head, span=span)
    whole = carried.through.plus(tally(segments, view.judged, carried.at_us, span.until_us))
    return replace(
        carried.head,
        span=span,
        downtime_us_min=whole.low_us,
        downtime_us_max=whole.high_us,
        kinds=whole.kinds,
        transients=whole.transients,
    )


def outside_us(span: Span, wholes: Sequence[Span], carried: Carried | None) -> int:
    """How much of a span of a region lies outside of the outages of the check as a whole."""
    from_us, known_us = span.started_us, 0
    if carried is not None and span.started_us < carried.at_us:
        if span.until_us <= carried.at_us:
            return carried.head_outside_us
        from_us, known_us = carried.at_us, carried.through_outside_us
    out_us = span.until_us - from_us
    first = bisect_right(wholes, from_us, key=_started) - 1
    for place in range(max(0, first), len(wholes)):
        whole = wholes[place]
        if whole.started_us >= span.until_us:
            break
        inside_us = min(whole.until_us, span.until_us) - max(whole.started_us, from_us)
        out_us -= max(0, inside_us)
    return known_us + out_us


def _started(span: Span) -> int:
    return span.started_us


def is_record(span: Span, outside_us: int, tolerance_us: int) -> bool:
    """Whether a span of a region is an outage of its own, and not the edge of one of the check.

    Regions look at different instants: what they see of one failure begins and ends less than a freshness
    apart. So it is one if it lies outside of the check's outages for as long as that; or if it touches none
    and was seen to end.
    """
    has_ended = span.ended_us is not None or span.downtime_us < span.until_us - span.started_us
    is_apart = outside_us == span.until_us - span.started_us
    return outside_us >= tolerance_us or (is_apart and has_ended)


def tolerance_us(segments: Sequence[Segment], span: Span, carried: Carried | None) -> int:
    """The freshness where a span starts."""
    if carried is not None and span.started_us < carried.at_us:
        return carried.tolerance_us
    policy = next(one.policy for one in segments if one.to_us > span.started_us)
    assert policy is not None, "only a policy can say DOWN"
    return policy.freshness_us


def carried_at(
    view: RegionView,
    at_us: int,
    before: Carried | None,
    wholes: Sequence[Span],
    *,
    from_us: int,
    reach_us: int,
) -> Carried | None:
    """What of the region's outages lies across `at_us`; everything before `from_us` stands in `before`."""
    near = view.timeline_part(from_us - reach_us, at_us)
    left = unfinished(clipped(near, from_us, at_us), before.left if before else None)
    if left is None:
        return None
    span = left.span
    tolerant_us = tolerance_us(near, span, before)
    if before is not None and span.started_us < before.at_us:
        through = before.through.plus(tally(near, view.judged, before.at_us, at_us))
    else:
        counted = tally(near, view.judged, span.started_us, at_us)
        lead_us = lead_in_us(span, near, tolerant_us)
        through = counted._replace(high_us=counted.high_us + lead_us)
    whole = replace(span, until_us=at_us)
    return Carried(
        region=view.region,
        at_us=at_us,
        left=left,
        head=outage_in(view, span, before, near),
        through=through,
        tolerance_us=tolerant_us,
        head_outside_us=outside_us(span, wholes, before),
        through_outside_us=outside_us(whole, wholes, before),
    )


def regional_outages(
    view: View,
    regions: Iterable[str],
    wholes: Sequence[Span],
    *,
    from_us: int,
    to_us: int,
    reach_us: int,
    carried: Mapping[str, Carried] | None = None,
) -> list[Outage]:
    """The regional outages of [from_us, to_us), by start and region: the oracle.

    `wholes` are the outages of the check as a whole; `carried` is what of the regions' outages lies across
    `from_us`.
    """
    found: list[Outage] = []
    for region in sorted(set(regions)):
        own = RegionView(view, region)
        before = (carried or {}).get(region)
        near = own.timeline_part(from_us - reach_us, to_us)
        for span in spans(clipped(near, from_us, to_us), before.left if before else None):
            out_us = outside_us(span, wholes, before)
            if is_record(span, out_us, tolerance_us(near, span, before)):
                found.append(outage_in(own, span, before, near))
    return sorted(found, key=lambda one: (one.span.started_us, one.region))


def voting(revisions: Iterable[PolicyRevision], from_us: int, to_us: int) -> set[str]:
    """The regions that have a vote at some instant of [from_us, to_us)."""
    return {
        region
        for _, _, policy in in_force(list(revisions), from_us, to_us)
        if policy is not None
        for region in policy.regions
    }


def lookback_us(revisions: Iterable[PolicyRevision]) -> int:
    """How much of a timeline is enough for `are_parted` to see that regions which are up are parted."""
    policies = [one.policy for one in revisions if one.policy is not None]
    return max((2 * (one.margin_us + one.merge_gap_us) for one in policies), default=0)


def are_parted(segments: Sequence[Segment], revisions: Sequence[PolicyRevision]) -> bool:
    """No region's outage from before a timeline can reach beyond its end.

    A region that has had no vote for as long as abandons an outage is not asked.
    """
    if not segments:
        return False
    end_us = segments[-1].to_us
    longest_us = max((r.policy.abandon_after_us for r in revisions if r.policy), default=0)
    return all(
        is_parted(seen_by(region, segments), revisions)
        for region in voting(revisions, segments[0].from_us - longest_us, end_us)
    )
