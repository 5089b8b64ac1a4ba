"""The timeline of a check: its verdict at every instant, and the votes that made it.

`timeline` is the oracle: a pure function of evidence, policy and horizon. The incremental engine uses the
same `swept` over the windows that new evidence touches.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from controller.core.admission import deduplicated, distinct_samples
from controller.core.intervals import Interval
from controller.core.labels import (
    NO_VOTE,
    Hold,
    Said,
    Vote,
    admissible,
    bad_intervals,
    confirmed,
    holds,
    merged_vote,
)
from controller.core.policy import Policy, PolicyRevision, in_force
from controller.core.quorum import Verdict, partial_weight, verdict
from controller.core.samples import AnchorRound, Sample

Votes = tuple[Vote, ...]
"""One vote for each region, in the order of the policy's regions."""
Verdicts = tuple[Verdict, Verdict, Verdict]
"""The verdict as attributed, and in the low and the high timeline."""

ATTRIBUTED: Final = 0
LOW: Final = 1
HIGH: Final = 2


class Segment(NamedTuple):
    """A time over which nothing changes: neither a vote nor the policy.

    `verdicts` are the one attributed, and those of the timelines with the least and the most downtime
    (S-8). `policy` is None where there was no check to judge.
    """

    from_us: int
    to_us: int
    verdicts: Verdicts
    votes: Votes
    policy: Policy | None

    @property
    def verdict(self) -> Verdict:
        """The verdict as attributed."""
        return self.verdicts[ATTRIBUTED]


class VerdictInterval(NamedTuple):
    """A verdict over [from_us, to_us)."""

    from_us: int
    to_us: int
    verdict: Verdict


class Judge:
    """Verdicts of one policy, remembered: the same votes come again and again."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._known: dict[Votes, Verdicts] = {}

    def verdicts(self, votes: Votes) -> Verdicts:
        """The verdict as attributed, and in the low and the high timeline."""
        found = self._known.get(votes)
        if found is None:
            columns = tuple(zip(*votes, strict=True)) or ((), (), ())
            found = self._known[votes] = (
                verdict(self.policy, columns[ATTRIBUTED]),
                verdict(self.policy, columns[LOW]),
                verdict(self.policy, columns[HIGH]),
            )
        return found


def swept(
    judge: Judge, tracks: Iterable[tuple[int, Iterable[Hold]]], from_us: int, to_us: int
) -> list[Segment]:
    """The segments of [from_us, to_us). A track is the rank of its region and the holds of one agent."""
    events: list[tuple[int, int, int, Vote]] = []
    voices: list[list[Vote]] = [[] for _ in judge.policy.regions]
    places: list[tuple[int, int]] = []
    for rank, track in tracks:
        number = len(places)
        places.append((rank, len(voices[rank])))
        voices[rank].append(NO_VOTE)
        for start_us, end_us, vote in track:
            if start_us < to_us and end_us > from_us:
                events.append((max(start_us, from_us), 1, number, vote))
                events.append((end_us, 0, number, NO_VOTE))
    events.sort(key=lambda event: event[:2])
    votes = [NO_VOTE] * len(voices)
    found: list[Segment] = []
    now_us, index = from_us, 0
    while now_us < to_us:
        while index < len(events) and events[index][0] <= now_us:
            rank, place = places[events[index][2]]
            voices[rank][place] = events[index][3]
            votes[rank] = merged_vote(voices[rank])
            index += 1
        next_us = min(events[index][0], to_us) if index < len(events) else to_us
        append_segment(found, segment_of(judge, now_us, next_us, tuple(votes)))
        now_us = next_us
    return found


def segment_of(judge: Judge, from_us: int, to_us: int, votes: Votes) -> Segment:
    """The segment over which `votes` stand."""
    return Segment(from_us, to_us, judge.verdicts(votes), votes, judge.policy)


def append_segment(segments: list[Segment], segment: Segment) -> None:
    """Add a segment at the end of a list, as part of the last one if nothing changes between them."""
    if segments and segments[-1][2:] == segment[2:] and segments[-1].to_us == segment.from_us:
        segments[-1] = segments[-1]._replace(to_us=segment.to_us)
    else:
        segments.append(segment)


@dataclass(frozen=True, slots=True)
class EvidenceSet:
    """The distinct evidence of one check up to a horizon, itself included."""

    samples: list[Sample]
    rounds: list[AnchorRound]
    horizon_us: int


def evidence_until(
    samples: Iterable[Sample], rounds: Iterable[AnchorRound], horizon_us: int
) -> EvidenceSet:
    """What counts as seen from the horizon; order and repetition do not matter."""
    heard = (item for item in deduplicated(rounds) if isinstance(item, AnchorRound))
    return EvidenceSet(
        [sample for sample in distinct_samples(samples) if sample.at_us <= horizon_us],
        [one for one in heard if one.at_us <= horizon_us],
        horizon_us,
    )


def timeline(
    evidence: EvidenceSet, revisions: Sequence[PolicyRevision], from_us: int, to_us: int
) -> list[Segment]:
    """The timeline of one check over [from_us, to_us), cut at the horizon.

    Under several revisions it is the timeline of each policy, cut to the time for which the policy was in
    force (so a change re-reads earlier samples under the new rules, but changes no instant before it).
    """
    segments: list[Segment] = []
    for start_us, end_us, policy in in_force(revisions, from_us, min(to_us, evidence.horizon_us)):
        if policy is None:
            append_segment(segments, unjudged(start_us, end_us))
            continue
        tracks = (
            (policy.regions.index(track.region), holds(track.said, policy, track.bad))
            for track in tracks_of(evidence.samples, evidence.rounds, policy)
        )
        for segment in swept(Judge(policy), tracks, start_us, end_us):
            append_segment(segments, segment)
    return segments


def judged_samples(evidence: EvidenceSet, policy: Policy, from_us: int, to_us: int) -> list[Said]:
    """The judged samples of all agents with from_us <= t < to_us, agent by agent."""
    return [
        one
        for track in tracks_of(evidence.samples, evidence.rounds, policy)
        for one in track.said
        if from_us <= one.sample.at_us < to_us
    ]


def unjudged(from_us: int, to_us: int) -> Segment:
    """A time without a policy: nothing is known of the check."""
    return Segment(from_us, to_us, (Verdict.UNKNOWN,) * 3, (), None)


class Track(NamedTuple):
    """What one agent says of a region: its judged samples in order, and its bad intervals."""

    region: str
    agent: str
    said: list[Said]
    bad: list[Interval]


def tracks_of(
    samples: Iterable[Sample], rounds: Iterable[AnchorRound], policy: Policy
) -> list[Track]:
    """What each agent says under `policy`; agents of regions that have no vote are left out."""
    own_rounds: dict[str, list[AnchorRound]] = {}
    for one in rounds:
        own_rounds.setdefault(one.agent, []).append(one)
    by_agent: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        if sample.region in policy.regions:
            by_agent.setdefault((sample.region, sample.agent), []).append(sample)
    found: list[Track] = []
    for (region, agent), own in sorted(by_agent.items()):
        bad = bad_intervals(own_rounds.get(agent, []))
        found.append(Track(region, agent, confirmed(admissible(own, bad), policy), bad))
    return found


def verdict_intervals(
    segments: Iterable[Segment], which: int = ATTRIBUTED
) -> list[VerdictInterval]:
    """The verdicts of one of the three timelines; neighbours differ."""
    found: list[VerdictInterval] = []
    for segment in segments:
        value = segment.verdicts[which]
        if found and found[-1].verdict is value and found[-1].to_us == segment.from_us:
            found[-1] = VerdictInterval(found[-1].from_us, segment.to_us, value)
        else:
            found.append(VerdictInterval(segment.from_us, segment.to_us, value))
    return found


def clipped(segments: Iterable[Segment], from_us: int, to_us: int) -> list[Segment]:
    """The part of a timeline that lies in [from_us, to_us)."""
    return [
        segment._replace(from_us=max(segment.from_us, from_us), to_us=min(segment.to_us, to_us))
        for segment in segments
        if segment.from_us < to_us and segment.to_us > from_us
    ]


def segment_weights(segment: Segment) -> tuple[Fraction, Fraction, Fraction]:
    """How much of a segment is downtime in each of the timelines where it is PARTIAL there (S-14); else 0."""

    def weight(which: int) -> Fraction:
        if segment.policy is None or segment.verdicts[which] is not Verdict.PARTIAL:
            return Fraction(0)
        return partial_weight(segment.policy, [vote[which] for vote in segment.votes])

    return weight(ATTRIBUTED), weight(LOW), weight(HIGH)


def downtime(segments: Iterable[Segment], which: int = ATTRIBUTED) -> Fraction:
    """Downtime in one of the three timelines: DOWN in full, PARTIAL by the policy's weight (S-14)."""
    total = Fraction(0)
    for segment in segments:
        length_us = segment.to_us - segment.from_us
        value = segment.verdicts[which]
        if value is Verdict.DOWN:
            total += length_us
        elif value is Verdict.PARTIAL:
            total += length_us * segment_weights(segment)[which]
    return total


def down_intervals(segments: Iterable[Segment], which: int = ATTRIBUTED) -> list[Interval]:
    """When one of the three timelines says DOWN."""
    return [
        Interval(one.from_us, one.to_us)
        for one in verdict_intervals(segments, which)
        if one.verdict is Verdict.DOWN
    ]
