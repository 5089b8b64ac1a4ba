"""Outages: DOWN time of a check glued over short gaps, and what decided them (S-15, S-19)."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from controller.core.intervals import FOREVER_US, length
from controller.core.labels import Label, Said, merged_label
from controller.core.policy import Policy
from controller.core.quorum import Verdict, by_domain, need
from controller.core.timeline import HIGH, LOW, Segment, clipped, down_intervals
from vedette.shared.result import Outcome


@dataclass(frozen=True, slots=True)
class Span:
    """Where an outage lies and how long it was down; all that the verdicts alone can say.

    `ended_us` is None while nothing known has followed the last DOWN time; `until_us` is the end of that
    time in any case.
    """

    started_us: int
    until_us: int
    ended_us: int | None
    downtime_us: int
    unknown_us: int


@dataclass(frozen=True, slots=True)
class RegionVote:
    """What a region said when the outage started, and since when that was certain."""

    region: str
    label: Label
    confirmed_us: int | None


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage of a check with its evidence.

    `confirmed_us` is the event time of the sample that completed the quorum. `regions` said DOWN at some
    instant of the outage, `kinds` counts the failures behind it, `transients` the blips inside it that no
    second failure confirmed. `region` is set if it is the outage of that region alone (S-14).
    """

    id: str
    check: str
    revision: str
    span: Span
    confirmed_us: int
    downtime_us_min: int
    downtime_us_max: int
    regions: tuple[str, ...]
    kinds: tuple[tuple[str, int], ...]
    transients: int
    votes: tuple[RegionVote, ...]
    region: str = ""


Judged = Callable[[Policy, int, int], Sequence[Said]]
"""Gives the judged samples under a policy with from_us <= t < to_us, agent by agent in order."""


def content_id(check: str, started_us: int, revision: str, region: str = "") -> str:
    """The name that follows from what an outage is (S-19); `region` if it is that region's alone."""
    where = f"\n{region}" if region else ""
    return hashlib.sha256(f"{check}\n{started_us}\n{revision}{where}".encode()).hexdigest()


class Unfinished(NamedTuple):
    """An outage that what comes next may still be glued to, and the gap since its last DOWN time.

    The rules of a gap are those of the policy in force where it starts.
    """

    span: Span
    merge_gap_us: int
    abandon_after_us: int
    known_us: int = 0
    unknown_us: int = 0
    unknown_run_us: int = 0


def spans(segments: Sequence[Segment], before: Unfinished | None = None) -> list[Span]:
    """The outages of a timeline (S-15), `before` being what the time before it left unfinished."""
    found, open_span, gap = _glued(segments, before)
    if open_span is not None:
        is_over = gap.known_us > 0 or gap.is_abandoned
        found.append(_ended(open_span) if is_over else open_span)
    return found


def unfinished(segments: Sequence[Segment], before: Unfinished | None = None) -> Unfinished | None:
    """The outage of a timeline that what follows the timeline may be glued to."""
    _, span, gap = _glued(segments, before)
    if span is None or gap.rules is None or gap.closes:
        return None
    return Unfinished(span, *gap.rules, gap.known_us, gap.unknown_us, gap.unknown_run_us)


def _glued(
    segments: Sequence[Segment], before: Unfinished | None
) -> "tuple[list[Span], Span | None, _Gap]":
    """The outages that are over, the last one, and the gap after it."""
    found: list[Span] = []
    open_span = before.span if before else None
    gap = _Gap.of(before) if before else _Gap()
    for segment in segments:
        if segment.verdict is not Verdict.DOWN:
            gap.add(segment)
            continue
        if open_span is not None and gap.closes:
            found.append(_ended(open_span))
            open_span = None
        down_us = segment.to_us - segment.from_us
        if open_span is None:
            open_span = Span(segment.from_us, segment.to_us, None, down_us, 0)
        else:
            open_span = Span(
                open_span.started_us,
                segment.to_us,
                None,
                open_span.downtime_us + down_us,
                open_span.unknown_us + gap.unknown_us,
            )
        gap = _Gap.after(segment.policy)
    return found, open_span, gap


def _ended(span: Span) -> Span:
    return Span(span.started_us, span.until_us, span.until_us, span.downtime_us, span.unknown_us)


class _Gap:
    """What lies between two DOWN times. `rules` are the merge gap, and the UNKNOWN run that is too long."""

    def __init__(self, rules: tuple[int, int] | None = None) -> None:
        self.rules = rules
        self.known_us = 0
        self.unknown_us = 0
        self.unknown_run_us = 0
        self.is_abandoned = False

    @classmethod
    def after(cls, policy: Policy | None) -> "_Gap":
        """What begins under this policy."""
        return cls((policy.merge_gap_us, policy.abandon_after_us) if policy is not None else None)

    @classmethod
    def of(cls, left: Unfinished) -> "_Gap":
        """What was left unfinished."""
        gap = cls((left.merge_gap_us, left.abandon_after_us))
        gap.known_us, gap.unknown_us = left.known_us, left.unknown_us
        gap.unknown_run_us = left.unknown_run_us
        return gap

    def add(self, segment: Segment) -> None:
        length_us = segment.to_us - segment.from_us
        if segment.verdict is not Verdict.UNKNOWN:
            self.known_us += length_us
            self.unknown_run_us = 0
            return
        self.unknown_us += length_us
        self.unknown_run_us += length_us
        if self.rules is not None and self.unknown_run_us >= self.rules[1]:
            self.is_abandoned = True

    def closing_us(self, segment: Segment) -> int:
        """The instant at which the gap closes the outage before it, if `segment` goes on until then."""
        if self.rules is None:
            return FOREVER_US
        merge_gap_us, abandon_after_us = self.rules
        if segment.verdict is Verdict.UNKNOWN:
            return segment.from_us + abandon_after_us - self.unknown_run_us
        return segment.from_us + max(merge_gap_us - self.known_us, 1)

    @property
    def closes(self) -> bool:
        """The outage before this gap is another than the one after it."""
        if self.rules is None or self.is_abandoned:
            return self.is_abandoned
        return self.known_us > 0 and self.known_us >= self.rules[0]


class Separation(NamedTuple):
    """From when on nothing can be glued to a span any more, and when to look again.

    `at_us` is FOREVER_US if that is not so yet. `due_us` is the instant at which time alone makes it so, if
    the verdict stays what it is; FOREVER_US if time alone does not.
    """

    at_us: int
    due_us: int


NOT_SEPARATED: Final = Separation(FOREVER_US, FOREVER_US)


def separation(policy: Policy | None, after: Iterable[Segment]) -> Separation:
    """How a span is separated from what is to come.

    `policy` was in force at the end of the span, and `after` is the timeline from there on.
    """
    gap = _Gap.after(policy)
    due_us = FOREVER_US
    for segment in after:
        if segment.verdict is Verdict.DOWN:
            return NOT_SEPARATED
        due_us = gap.closing_us(segment)
        if due_us <= segment.to_us:
            return Separation(due_us, due_us)
        gap.add(segment)
    return Separation(FOREVER_US, due_us)


def outages(segments: Sequence[Segment], judged: Judged) -> list[Outage]:
    """The outages of a timeline with their evidence."""
    return [outage_of(span, segments, judged) for span in spans(segments)]


class Tally(NamedTuple):
    """What stands in a part of an outage: its bounds, failures by kind, and blips. Parts can be added up."""

    low_us: int
    high_us: int
    kinds: tuple[tuple[str, int], ...]
    transients: int

    def plus(self, other: "Tally") -> "Tally":
        """Both parts together. No run of blips may lie across where they meet."""
        kinds = Counter(dict(self.kinds)) + Counter(dict(other.kinds))
        return Tally(
            self.low_us + other.low_us,
            self.high_us + other.high_us,
            _by_count(kinds),
            self.transients + other.transients,
        )


def tally(segments: Sequence[Segment], judged: Judged, from_us: int, to_us: int) -> Tally:
    """What stands in [from_us, to_us)."""
    inside = clipped(segments, from_us, to_us)
    said = [one for part, start, end in _stretches(inside) for one in judged(part, start, end)]
    kinds = Counter(
        one.sample.kind or "unspecified"
        for one in said
        if one.sample.outcome is Outcome.DOWN and one.label is Label.DOWN
    )
    low_us, high_us = (length(down_intervals(inside, which)) for which in (LOW, HIGH))
    return Tally(low_us, high_us, _by_count(kinds), transients(said))


def _by_count(kinds: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(kinds.items(), key=lambda item: (-item[1], item[0])))


def outage_of(span: Span, segments: Sequence[Segment], judged: Judged, region: str = "") -> Outage:
    """A span with its evidence; `segments` must hold the span and a freshness before it.

    `region` if it is the outage of that region alone, of which `segments` are the timeline.
    """
    inside = clipped(segments, span.started_us, span.until_us)
    first = inside[0]
    policy = first.policy
    assert policy is not None, "only a policy can say DOWN"
    votes = _votes_at(first, policy, judged)
    down = {
        segment.policy.regions[rank]
        for segment in inside
        if segment.verdict is Verdict.DOWN and segment.policy is not None
        for rank, vote in enumerate(segment.votes)
        if vote.label is Label.DOWN
    }
    counted = tally(inside, judged, span.started_us, span.until_us)
    return Outage(
        id=content_id(policy.check, span.started_us, policy.revision, region),
        check=policy.check,
        revision=policy.revision,
        span=span,
        confirmed_us=_confirmed_us(span, policy, votes),
        downtime_us_min=counted.low_us,
        downtime_us_max=counted.high_us + lead_in_us(span, segments, policy.freshness_us),
        regions=tuple(sorted(down)),
        kinds=counted.kinds,
        transients=counted.transients,
        votes=votes,
        region=region,
    )


def _stretches(segments: Iterable[Segment]) -> list[tuple[Policy, int, int]]:
    """The parts of a timeline over which one policy is in force."""
    found: list[tuple[Policy, int, int]] = []
    for segment in segments:
        if segment.policy is None:
            continue
        if found and found[-1][0] is segment.policy and found[-1][2] == segment.from_us:
            found[-1] = (segment.policy, found[-1][1], segment.to_us)
        else:
            found.append((segment.policy, segment.from_us, segment.to_us))
    return found


def _votes_at(segment: Segment, policy: Policy, judged: Judged) -> tuple[RegionVote, ...]:
    """What each region says at the start of `segment`, and since when that was certain.

    A region says DOWN only when all of its agents do, so the last agent's confirmation makes it certain.
    """
    at_us = segment.from_us
    latest: dict[tuple[str, str], Said] = {}
    for one in judged(policy, at_us - policy.freshness_us + 1, at_us + 1):
        latest[one.sample.region, one.sample.agent] = one
    votes: list[RegionVote] = []
    for region, vote in zip(policy.regions, segment.votes, strict=True):
        certain = [
            one.confirmed_us
            for one in latest.values()
            if one.sample.region == region and one.label is Label.DOWN
        ]
        is_down = vote.label is Label.DOWN and certain
        votes.append(RegionVote(region, vote.label, max(certain) if is_down else None))
    return tuple(votes)


def _confirmed_us(span: Span, policy: Policy, votes: Sequence[RegionVote]) -> int:
    """Event time of the sample that completed the quorum; never before the outage starts.

    It is before it where silence, and not a sample, made the quorum.
    """
    said = [(merged_label(one.label for one in own), own) for own in by_domain(policy, votes)]
    voters = sum(label is not Label.NONE for label, _ in said)
    instants = [_certain_us(own) for label, own in said if label is Label.DOWN]
    certain = sorted(at_us for at_us in instants if at_us is not None)
    needed = need(policy, voters) or 0
    if not certain or not needed:
        return span.started_us
    return max(span.started_us, certain[min(needed, len(certain)) - 1])


def _certain_us(votes: Iterable[RegionVote]) -> int | None:
    """When it was certain that all of these say DOWN; None if no sample made it so."""
    return max((one.confirmed_us for one in votes if one.confirmed_us is not None), default=None)


def lead_in_us(span: Span, segments: Sequence[Segment], reach_us: int) -> int:
    """How long before its start an outage may have begun (S-8), for less than a freshness.

    The failure may have begun right after the last success. It ended at the latest where one was seen.
    """
    near = clipped(segments, span.started_us - reach_us, span.started_us)
    return length(one for one in down_intervals(near, HIGH) if one.to_us >= span.started_us)


def transients(said: Iterable[Said]) -> int:
    """How many runs of failures were never confirmed (S-6); a run that is still open counts too."""
    runs: dict[tuple[str, str], bool] = {}
    count = 0
    for one in said:
        speaker = one.sample.region, one.sample.agent
        count += one.is_blip and not runs.get(speaker, False)
        runs[speaker] = one.is_blip
    return count
