"""What an engine holds of a check's evidence: which identity is which, what is voided, what is forgotten."""

from bisect import insort
from collections.abc import Sequence

from controller.core.admission import precedence, sample_order
from controller.core.evaluation import Evaluation
from controller.core.intervals import FOREVER_US, Interval, difference, union
from controller.core.labels import bad_intervals
from controller.core.policy import Policy
from controller.core.samples import AnchorRound, Sample
from controller.core.source import Source, Speaker, place_at, place_for
from vedette.shared.result import Outcome

Key = tuple[str, str, str, int]


class Intake:
    """Evidence by agent and region, each sample once (S-2), and the evaluations that read it.

    Samples are indexed by identity only when one comes that may have come before: agents number their
    results, so nearly all are seen to be new by their number alone.
    """

    __slots__ = ("_index", "evaluations", "fresh", "latest_us", "sources", "speakers")

    def __init__(self, evaluations: Sequence[Evaluation]) -> None:
        self.evaluations = list(evaluations)
        self.sources: dict[tuple[str, str], Source] = {}
        self.speakers: dict[str, Speaker] = {}
        self.fresh: list[Sample] = []
        self.latest_us = -FOREVER_US
        self._index: dict[Key, Sample] = {}

    def source(self, region: str, agent: str) -> Source:
        """The source of an agent in a region, made if it is new."""
        source = self.sources.get((region, agent))
        if source is None:
            source = Source(region, agent, self.speaker(agent))
            self.sources[region, agent] = source
            for evaluation in self.evaluations:
                evaluation.track_of(source)
        return source

    def speaker(self, agent: str) -> Speaker:
        """An agent, made if it is new."""
        return self.speakers.setdefault(agent, Speaker())

    def can_judge_by(self, policies: Sequence[Policy]) -> bool:
        """What these policies need of forgotten samples is known: the state after them."""
        known = {
            (id(track.source), evaluation.policy.label_rules)
            for evaluation in self.evaluations
            for track in evaluation.tracks
        }
        return all(
            (id(source), policy.label_rules) in known
            for source in self.sources.values()
            if source.has_forgotten
            for policy in policies
            if source.region in policy.regions
        )

    def judge_by(self, evaluations: Sequence[Evaluation]) -> None:
        """Label the evidence by other policies, which `can_judge_by` admits."""
        old, self.evaluations = self.evaluations, list(evaluations)
        for source in self.sources.values():
            source.tracks.clear()
            for evaluation in self.evaluations:
                evaluation.track_of(source)
        for evaluation in self.evaluations:
            for known in old:
                if known.policy.label_rules == evaluation.policy.label_rules:
                    evaluation.take_bases(known)
            evaluation.rebuild()
            evaluation.touched.clear()

    def insert(self, sample: Sample) -> bool:
        """Take any sample: the first of a source, a late one, a repeated one, one of another epoch.

        False, and nothing is taken, if it falls among evidence that is not held one by one.
        """
        source = self.source(sample.region, sample.agent)
        if sample.at_us <= source.known_us and sample.outcome is not Outcome.AGENT_ERROR:
            return False
        is_repeatable = source.speaker.has_passed(sample)
        source.speaker.hear(sample)
        if sample.outcome is Outcome.AGENT_ERROR:
            return True
        self.latest_us = max(self.latest_us, sample.at_us)
        if is_repeatable:
            if not self._takes_precedence(sample):
                return True
            self._index[sample[:4]] = sample
        else:
            self.fresh.append(sample)
        if source.speaker.is_voided(sample.at_us):
            insort(source.voided, sample, key=sample_order)
        else:
            place = place_for(source.evidence, sample)
            self._replace(source, place, place, [sample])
        return True

    def _takes_precedence(self, sample: Sample) -> bool:
        """No sample of this identity is held, or none any more: a lesser one is removed (S-2)."""
        for one in self.fresh:
            self._index[one[:4]] = one
        self.fresh.clear()
        known = self._index.get(sample[:4])
        if known is None:
            return True
        if precedence(known) <= precedence(sample):
            return False
        source = self.sources[known.region, known.agent]
        place = place_for(source.evidence, known)
        if place < len(source.evidence) and source.evidence[place] == known:
            self._replace(source, place, place + 1, [])
        else:
            source.voided.remove(known)
        return True

    def _replace(
        self, source: Source, start: int, end: int, new: list[Sample], from_us: int | None = None
    ) -> None:
        """Put `new` in the place of evidence[start:end], and label it under every policy.

        `from_us` is an instant from which holds may differ, where that is not that of a sample.
        """
        times = [one.at_us for one in source.evidence[start:end]] + [one.at_us for one in new]
        source.evidence[start:end] = new
        source.refresh_last()
        if from_us is not None:
            times.append(from_us)
        span_us = (min(times), max(times))
        source.tracks.clear()
        for evaluation in self.evaluations:
            for track in evaluation.tracks:
                if track.source is source:
                    evaluation.replaced(track, start, end - start, len(new), span_us)
                    # Which policies read what comes next hangs on what is the newest now: one that had
                    # seen its last sample has not, if that sample was withdrawn.
                    if source.last_us < evaluation.closing_us:
                        source.tracks.append(track)

    def insert_anchor(self, anchor: AnchorRound, from_us: int = -FOREVER_US) -> bool:
        """Take an anchor round; what it voids or restores is judged again.

        False, and nothing is taken, if something of that lies before `from_us`.
        """
        speaker = self.speaker(anchor.agent)
        rounds = speaker.rounds
        known = speaker.round_like(anchor)
        if known is not None and precedence(known) <= precedence(anchor):
            return True
        if speaker.is_before_held(anchor):
            return False
        is_last = not rounds or sample_order(rounds[-1]) < sample_order(anchor)
        if known is None and is_last and rounds and rounds[-1].is_bad == anchor.is_bad:
            rounds.append(anchor)  # trouble goes on, or there is none
        else:
            others = [one for one in rounds if one is not known]
            insort(others, anchor, key=sample_order)
            bad = bad_intervals(others)
            touched = _touched(speaker.bad, bad)
            if touched and touched[0].from_us < max(from_us, self._known_us(anchor.agent) + 1):
                return False
            speaker.rounds = others
            self._void(anchor.agent, speaker, bad, touched)
        speaker.hear_round(anchor)
        self.latest_us = max(self.latest_us, anchor.at_us)
        return True

    def _known_us(self, agent: str) -> int:
        """The instant after which all evidence of an agent is held one by one."""
        return max(
            (one.known_us for one in self.sources.values() if one.agent == agent),
            default=-FOREVER_US,
        )

    def _void(
        self, agent: str, speaker: Speaker, bad: list[Interval], touched: list[Interval]
    ) -> None:
        """Put new bad intervals in force: samples are voided or come back, and holds are cut anew."""
        speaker.put_bad(bad)
        if not touched:
            return
        start_us, end_us = touched[0].from_us, touched[-1].to_us
        for source in self.sources.values():
            if source.agent != agent:
                continue
            first, last = source.place_of(start_us), source.place_of(end_us)
            away, until = place_at(source.voided, start_us), place_at(source.voided, end_us)
            pool = sorted(
                [*source.evidence[first:last], *source.voided[away:until]], key=sample_order
            )
            source.voided[away:until] = [s for s in pool if speaker.is_voided(s.at_us)]
            kept = [s for s in pool if not speaker.is_voided(s.at_us)]
            # A hold that begins before a bad interval is cut at its start, or no longer.
            self._replace(source, first, last, kept, start_us)

    def forget_before(self, at_us: int) -> None:
        """Drop evidence before `at_us`, except the runs and the anchor rounds on which what follows hangs."""
        self._index.clear()
        self.fresh.clear()
        for speaker in self.speakers.values():
            speaker.forget(at_us)
        for source in self.sources.values():
            tracks = [t for e in self.evaluations for t in e.tracks if t.source is source]
            source.forget(tracks, at_us)
            self.fresh += [*source.evidence, *source.voided]

    def copy_until(self, horizon_us: int, other: "Intake") -> None:
        """Put what was there at a horizon into another intake."""
        for source in self.sources.values():
            other.source(source.region, source.agent)
        for new, old in zip(other.evaluations, self.evaluations, strict=True):
            new.take_bases(old)
        for speaker in self.speakers.values():
            for anchor in speaker.rounds:
                if anchor.at_us <= horizon_us:
                    other.insert_anchor(anchor)
        for source in self.sources.values():
            for sample in sorted([*source.evidence, *source.voided], key=sample_order):
                if sample.at_us <= horizon_us:
                    other.insert(sample)


def _touched(old: list[Interval], new: list[Interval]) -> list[Interval]:
    """The time over which bad intervals differ."""
    before, after = union(old), union(new)
    return union([*difference(before, after), *difference(after, before)])
