"""What each region says of a check around an outage, result by result, under the policies in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from controller.core.intervals import FOREVER_US, Interval
from controller.core.labels import Label, Said, bad_intervals, merged_label
from controller.core.policy import Policy, PolicyRevision, in_force
from controller.core.quorum import by_domain, need
from controller.core.runs import Run, runs
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import EvidenceSet, Segment, Track, tracks_of
from controller.services.outages.explanation import Ballot, Trouble, Voice


@dataclass(slots=True)
class Testimony:
    """Judged samples and troubles over [from_us, to_us), by the evidence that was read around it.

    `is_cut_before`, `is_cut_after`: there is evidence before and after what was read.
    """

    evidence: EvidenceSet
    policies: Sequence[PolicyRevision]
    from_us: int
    to_us: int
    is_cut_before: bool = False
    is_cut_after: bool = False
    _tracks: dict[Policy, list[Track]] = field(default_factory=dict)

    def _of(self, policy: Policy) -> list[Track]:
        found = self._tracks.get(policy)
        if found is None:
            found = tracks_of(self.evidence.samples, self.evidence.rounds, policy)
            self._tracks[policy] = found
        return found

    def said(self) -> Mapping[Sample, Said]:
        """What became of each sample that counted, under the policy that was in force at its time."""
        return {
            one.sample: one
            for start_us, end_us, policy in in_force(self.policies, self.from_us, self.to_us)
            if policy is not None
            for track in self._of(policy)
            for one in track.said
            if start_us <= one.sample.at_us < end_us
        }

    def runs(self) -> list[Run]:
        """The runs of each agent that reach into the time, by region, agent and time."""
        found = [
            run
            for start_us, end_us, policy in in_force(self.policies, self.from_us, self.to_us)
            if policy is not None
            for track in self._of(policy)
            for run in runs(
                track.said,
                policy.freshness_us,
                is_cut_before=self.is_cut_before,
                is_cut_after=self.is_cut_after,
            )
            if run.to_us >= start_us and run.from_us < end_us
        ]
        return sorted(found, key=lambda run: (run.region, run.agent, run.from_us))

    def ballots(self, segments: Iterable[Segment]) -> list[Ballot]:
        """The votes one after another; what changes only their bounds changes no vote."""
        found: list[Ballot] = []
        for segment in segments:
            votes = [vote.label.name for vote in segment.votes]
            last = found[-1] if found else None
            is_same = (
                last is not None
                and last.verdict == segment.verdict.value
                and [label for _, label in last.votes] == votes
            )
            if last is not None and is_same:
                found[-1] = Ballot(
                    last.from_us, segment.to_us, last.verdict, last.voices, last.down,
                    last.voters, last.needed,
                )  # fmt: skip
            else:
                found.append(self._ballot(segment))
        return found

    def _ballot(self, segment: Segment) -> Ballot:
        policy, at_us = segment.policy, segment.from_us
        if policy is None:
            return Ballot(at_us, segment.to_us, segment.verdict.value, ())
        labels = [vote.label for vote in segment.votes]
        votes = [merged_label(own) for own in by_domain(policy, labels)]
        voters = sum(vote is not Label.NONE for vote in votes)
        voices = [
            self._voice(policy, region, label, at_us)
            for region, label in zip(policy.regions, labels, strict=True)
        ]
        return Ballot(
            at_us,
            segment.to_us,
            segment.verdict.value,
            voices,
            down=sum(vote is Label.DOWN for vote in votes),
            voters=voters,
            needed=need(policy, voters) if voters >= max(policy.min_evidence, 1) else None,
        )

    def _voice(self, policy: Policy, region: str, label: Label, at_us: int) -> Voice:
        """What a region says at an instant, and the newest result that it says it by."""
        own = [track for track in self._of(policy) if track.region == region]
        newest = [one for track in own if (one := _newest(track.said, at_us)) is not None]
        if label is Label.NONE:
            return Voice(region, label.name, why=_why_silent(policy, own, newest, at_us))
        fresh = [
            one
            for one in newest
            if at_us < one.sample.at_us + policy.freshness_us and one.label is not Label.NONE
        ]
        certain = [one.confirmed_us for one in fresh if one.label is Label.DOWN]
        return Voice(
            region,
            label.name,
            max((one.sample.at_us for one in fresh), default=None),
            max(certain) if label is Label.DOWN and certain else None,
        )

    def troubles(self) -> list[Trouble]:
        """When agents that reported were in trouble, as far as it reaches into the time."""
        regions = {sample.agent: sample.region for sample in self.evidence.samples}
        found: list[Trouble] = []
        for agent, region in sorted(regions.items()):
            rounds = [one for one in self.evidence.rounds if one.agent == agent]
            found += [
                _trouble(region, agent, one, rounds)
                for one in bad_intervals(rounds)
                if one.from_us < self.to_us and one.to_us > self.from_us
            ]
        return found


def _newest(said: Sequence[Said], at_us: int) -> Said | None:
    return next((one for one in reversed(said) if one.sample.at_us <= at_us), None)


def _why_silent(policy: Policy, own: Sequence[Track], newest: Sequence[Said], at_us: int) -> str:
    """Why a region has no vote at an instant."""
    if any(start <= at_us < end for track in own for start, end in track.bad):
        return "its agent's own network was in trouble"
    if not newest:
        return "no result before"
    if any(at_us < one.sample.at_us + policy.freshness_us for one in newest):
        return "nothing was confirmed yet"
    return "its last result was too old"


def _trouble(region: str, agent: str, part: Interval, rounds: Sequence[AnchorRound]) -> Trouble:
    inside = [one for one in rounds if part.from_us <= one.at_us < part.to_us and one.is_bad]
    worst = min(inside, key=lambda one: (one.ok * 1_000_000 // max(one.total, 1), one.at_us))
    to_us = None if part.to_us == FOREVER_US else part.to_us
    return Trouble(region, agent, part.from_us, to_us, worst.ok, worst.total)
