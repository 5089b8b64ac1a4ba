"""The incremental evaluation of one check (S-23): equal to the batch oracle after every insert."""

from collections.abc import Iterable, Mapping, Sequence

from controller.core.changes import NOTHING_CHANGED, Changes
from controller.core.evaluation import Evaluation, Touched
from controller.core.intake import Intake
from controller.core.intervals import FOREVER_US
from controller.core.labels import Label, Said
from controller.core.outage_book import OutageBook
from controller.core.outages import Outage, outage_of, spans
from controller.core.policy import Policy, PolicyRevision, first_change_us, in_force, turns_us
from controller.core.regional import Carried, are_parted, lookback_us, regional_outages, voting
from controller.core.regional_book import RegionalBook
from controller.core.samples import AnchorRound, Sample
from controller.core.source import Source
from controller.core.timeline import (
    Segment,
    VerdictInterval,
    append_segment,
    clipped,
    unjudged,
    verdict_intervals,
)
from vedette.shared.result import Outcome

_AGENT_ERROR = Outcome.AGENT_ERROR
Key = tuple[str, str, str, int]


class CheckEngine:
    """The timeline of one check, kept up to date sample by sample.

    Build it from stored samples in time order (`insert` each, then one `drain` to discard), then feed it
    what arrives. Evidence may come late, twice, or conflicting; the result does not depend on the order.
    A sample in order that changes nothing costs a handful of operations, a late one its dirty window.
    What time alone changes, because evidence runs out, is told by a `drain` up to a later instant.
    """

    def __init__(self, revisions: Sequence[PolicyRevision]) -> None:
        self._revisions = tuple(revisions)
        self._intake = Intake(_evaluations(revisions))
        self._turns_us = turns_us(revisions)
        self._settled_us = -FOREVER_US
        self._open_us = -FOREVER_US
        self._held_us = -FOREVER_US
        self._told_us = -FOREVER_US
        self._pending: list[Touched] = []
        self._revised_us: int | None = None
        self._book = OutageBook()
        self._regional = RegionalBook()
        self._are_regions_parted = True

    @property
    def revisions(self) -> tuple[PolicyRevision, ...]:
        """The policies that it judges by, with their effective times."""
        return self._revisions

    @property
    def newest_us(self) -> int | None:
        """The instant up to which is told: that of the newest sample, or later; None before one."""
        newest_us = max([self._told_us, *(e.frontier_us for e in self._evaluations)])
        return None if newest_us == -FOREVER_US else newest_us

    @property
    def latest_us(self) -> int:
        """Event time of the newest evidence that came; a horizon from there on sees all of it."""
        return self._intake.latest_us

    @property
    def settled_us(self) -> int:
        """What lies before this instant does not change any more, and is forgotten."""
        return self._settled_us

    @property
    def open_us(self) -> int:
        """Evidence before this instant is not taken: it could change what is settled."""
        return self._open_us

    def insert(self, sample: Sample) -> bool:
        """Take a sample of this check.

        False if it could change what is settled, or falls among evidence that is not held one by one: then
        only a new engine, built from storage with older samples, can tell.
        """
        intake = self._intake
        source = intake.sources.get((sample[5], sample[0]))
        at_us, outcome = sample[6], sample[7]
        if at_us < self._open_us:
            return False
        if source is None or at_us <= source.last_us or outcome is _AGENT_ERROR:
            return intake.insert(sample)
        speaker = source.speaker
        if (
            sample[3] <= speaker.last_seq
            or sample[1] != speaker.epoch
            or sample[2] != speaker.stream
            or at_us < speaker.trouble_until_us
        ):
            return intake.insert(sample)
        # From here on the sample is new, the last of its agent, and evidence.
        source.evidence.append(sample)
        source.last_us = at_us
        speaker.last_seq = sample[3]
        intake.fresh.append(sample)
        if at_us > intake.latest_us:
            intake.latest_us = at_us
        for track in source.tracks:
            if not track.went_on(at_us, outcome):
                _took_last(source, at_us, outcome)
                break
        return True

    def insert_anchor(self, anchor: AnchorRound) -> bool:
        """Take an anchor round of an agent that probes this check.

        False as for `insert`, and then nothing is taken: a round voids samples before it, or restores
        them, back to the last good round.
        """
        if anchor.at_us < self._settled_us:
            return False
        return self._intake.insert_anchor(anchor, self._open_us)

    def drain(self, until_us: int = -FOREVER_US) -> Changes:
        """What changed since the last drain; time has passed until `until_us` at least."""
        newest_us = self._note_frontier(until_us)
        touched = self._touched()
        revised_us, self._revised_us = self._revised_us, None
        if revised_us is not None and revised_us <= newest_us:
            touched.append(Touched(revised_us, newest_us + 1, revised_us))
        end_us = newest_us + 1
        goes_on = not touched and end_us < self._book.due_us
        if end_us >= min(self._book.due_us, self._regional.due_us):
            touched.append(Touched(end_us, end_us, None))
        if not touched:
            return NOTHING_CHANGED
        start_us = max(min(one.from_us for one in touched), self._settled_us)
        stop_us = max(one.to_us for one in touched)
        changed, gone = self._book.refresh(
            self, start_us, stop_us, reach_us=self._reach_us, horizon_us=end_us
        )
        changed = () if goes_on else changed
        regional = self._refresh_regional(start_us, stop_us, end_us)
        differs_us = [one.differs_us for one in touched if one.differs_us is not None]
        if not differs_us:
            return Changes(None, (), changed, gone, *regional)
        from_us = max(min(differs_us), self._settled_us)
        known = self.timeline_part(from_us, newest_us + 1)
        return Changes(from_us, tuple(verdict_intervals(known)), changed, gone, *regional)

    def _refresh_regional(
        self, from_us: int, to_us: int, horizon_us: int
    ) -> tuple[tuple[Outage, ...], tuple[str, ...]]:
        return self._regional.refresh(
            self, (from_us, to_us), self._book.spans, reach_us=self._reach_us, horizon_us=horizon_us
        )

    def _note_frontier(self, until_us: int = -FOREVER_US) -> int:
        """Move on to the newest sample, or to `until_us` if that is later, and give that instant.

        A policy that comes into force on the way is told in any case, and what is told of one policy's
        time is told of every other's too.
        """
        newest_us = max([self._told_us, until_us, *(e.frontier_us for e in self._evaluations)])
        for at_us in self._turns_us:
            if self._told_us < at_us <= newest_us:
                self._revised_us = (
                    at_us if self._revised_us is None else min(self._revised_us, at_us)
                )
        self._told_us = newest_us
        for evaluation in self._evaluations:
            evaluation.advance(newest_us)
        return newest_us

    def _touched(self) -> list[Touched]:
        """What was touched since this was last asked."""
        touched, self._pending = self._pending, []
        for evaluation in self._evaluations:
            touched += evaluation.touched
            evaluation.touched.clear()
        return touched

    @property
    def _evaluations(self) -> list[Evaluation]:
        return self._intake.evaluations

    @property
    def _reach_us(self) -> int:
        return max((e.policy.freshness_us for e in self._evaluations), default=0)

    @property
    def _margin_us(self) -> int:
        return max((e.policy.margin_us for e in self._evaluations), default=0)

    def intervals(self, from_us: int, to_us: int, horizon_us: int) -> list[VerdictInterval]:
        """The verdicts over [from_us, to_us), cut at the horizon; neighbours differ."""
        return verdict_intervals(self.segments(from_us, to_us, horizon_us))

    def segments(self, from_us: int, to_us: int, horizon_us: int) -> list[Segment]:
        """The timeline over [from_us, to_us), cut at the horizon, with bounds and votes.

        It begins at the settled instant if that is later than `from_us`.
        """
        seen = self if horizon_us >= self._intake.latest_us else self._seen_from(horizon_us)
        return seen.timeline_part(max(from_us, self._settled_us), min(to_us, horizon_us))

    def timeline_part(self, from_us: int, to_us: int) -> list[Segment]:
        """The segments of [from_us, to_us) from all evidence; they reach a little before what is settled."""
        found: list[Segment] = []
        at_us = max(from_us, self._held_us)
        for evaluation in self._evaluations:
            start_us = max(at_us, evaluation.from_us)
            if at_us < min(start_us, to_us):
                append_segment(found, unjudged(at_us, min(start_us, to_us)))
            for segment in evaluation.segments(at_us, to_us):
                append_segment(found, segment)
            at_us = max(at_us, min(evaluation.to_us, to_us))
        if at_us < to_us:
            append_segment(found, unjudged(at_us, to_us))
        return found

    def judged(self, policy: Policy, from_us: int, to_us: int) -> list[Said]:
        """The judged samples under a policy with from_us <= t < to_us, agent by agent."""
        # A policy that was put in force again has read the most the last time.
        for evaluation in reversed(self._evaluations):
            if evaluation.policy == policy:
                return evaluation.said(from_us, to_us)
        return []

    def outages(self, horizon_us: int) -> list[Outage]:
        """The outages as seen from the horizon, in order of their start."""
        seen = self if horizon_us >= self._intake.latest_us else self._seen_from(horizon_us)
        segments = seen.timeline_part(-FOREVER_US, horizon_us)
        found = spans(clipped(segments, self._settled_us, horizon_us))
        return [outage_of(span, segments, seen.judged) for span in found]

    def regional_outages(self, horizon_us: int) -> list[Outage]:
        """The outages of single regions as seen from the horizon, by start and region (S-14)."""
        seen = self if horizon_us >= self._intake.latest_us else self._seen_from(horizon_us)
        segments = seen.timeline_part(-FOREVER_US, horizon_us)
        return regional_outages(
            seen,
            [*self._regional.carried, *voting(self._revisions, self._settled_us, horizon_us)],
            spans(clipped(segments, self._settled_us, horizon_us)),
            from_us=self._settled_us,
            to_us=horizon_us,
            reach_us=self._reach_us,
            carried=self._regional.carried,
        )

    @property
    def carried(self) -> Sequence[Carried] | None:
        """What is known of regional outages that lie across the settled instant.

        None if what was heard before it tells that none does.
        """
        return None if self._are_regions_parted else tuple(self._regional.carried.values())

    def carry_on(self, carried: Iterable[Carried]) -> tuple[Outage, ...]:
        """Go on with regional outages that lie across the settled instant; gives all from there on."""
        self._regional.resume(carried)
        return self._refresh_regional(self._settled_us, FOREVER_US, self._told_us + 1)[0]

    def labels(self, now_us: int) -> Mapping[str, Label]:
        """What each voting region says at `now_us`."""
        segments = self.segments(now_us, now_us + 1, now_us + 1)
        policy = segments[0].policy if segments else None
        if policy is None:
            return {}
        votes = segments[0].votes
        return {region: vote.label for region, vote in zip(policy.regions, votes, strict=True)}

    def revise(self, revisions: Sequence[PolicyRevision]) -> bool:
        """Judge by these policies from now on: all of them, with their effective times.

        False, and nothing is changed, if that changes what is settled, or takes samples that were
        forgotten: then only a new engine, built from storage, can tell.
        """
        evaluations = _evaluations(revisions, self._held_us)
        changed_us = first_change_us(self._revisions, revisions)
        if changed_us is not None and changed_us < self._settled_us:
            return False
        if not self._intake.can_judge_by([e.policy for e in evaluations]):
            return False
        newest_us = self._note_frontier()
        self._revisions = tuple(revisions)
        self._turns_us = turns_us(revisions)
        if changed_us is None:
            return True
        self._pending = self._touched()
        # The new policies may read samples that came too late for the old ones.
        changed_us = min(changed_us, newest_us + 1)
        self._intake.judge_by(evaluations)
        self._open_us = max(self._open_us, self._settled_us + self._margin_us)
        self._revised_us = (
            changed_us if self._revised_us is None else min(self._revised_us, changed_us)
        )
        return True

    def settle(self, before_us: int) -> int:
        """Forget what is not needed for instants from `before_us` on; gives the settled instant.

        The caller keeps the intervals and outages before it, and calls this after a drain. It may be
        earlier than asked, because an outage that can still grow is kept whole.
        """
        newest_us = self.newest_us
        if newest_us is None or self._pending or any(e.touched for e in self._evaluations):
            return self._settled_us
        reach_us = self._reach_us
        before_us = self._settles_at(min(before_us, newest_us))
        if before_us <= self._settled_us:
            return self._settled_us
        self._regional.settle(
            self, before_us, self._book.spans, from_us=self._settled_us, reach_us=reach_us
        )
        calm_us = before_us - lookback_us(self._revisions)
        calm = self.timeline_part(max(calm_us, self._held_us), before_us)
        self._are_regions_parted = are_parted(calm, self._revisions)
        self._settled_us = before_us
        self._open_us = before_us + self._margin_us
        self._held_us = before_us - reach_us
        self._book.forget_before(before_us)
        # What leads up to an outage belongs to its bounds, under whatever policy it was.
        for evaluation in [e for e in self._evaluations if e.to_us <= self._held_us]:
            self._evaluations.remove(evaluation)
            for source in self._intake.sources.values():
                source.tracks = [t for t in source.tracks if t.outlook is not evaluation]
        for evaluation in self._evaluations:
            evaluation.forget_before(self._held_us)
        self._intake.forget_before(self._held_us - reach_us)
        return before_us

    def calm(self) -> tuple[Evaluation, Intake] | None:
        """The one evaluation that there is and its evidence, if nothing is left to tell or to settle."""
        evaluations = self._evaluations
        is_told = not (
            self._pending or self._revised_us is not None or len(self._book) + len(self._regional)
        )
        if not is_told or len(evaluations) != 1 or self._settled_us == -FOREVER_US:
            return None
        (evaluation,) = evaluations
        lasts = evaluation.from_us == self._held_us and evaluation.to_us == FOREVER_US
        is_calm = lasts and evaluation.is_calm and not evaluation.touched
        return (evaluation, self._intake) if is_calm else None

    @classmethod
    def resumed(
        cls, revisions: Sequence[PolicyRevision], *, settled_us: int, newest_us: int
    ) -> tuple["CheckEngine", Evaluation, Intake]:
        """An engine that is settled, and told of all until `newest_us`, for its evidence to be put in."""
        engine = cls(revisions)
        policy = engine._evaluations[-1].policy
        engine._settled_us, engine._told_us = settled_us, newest_us
        engine._held_us = settled_us - policy.freshness_us
        engine._open_us = settled_us + policy.margin_us
        engine._intake = Intake(_evaluations(revisions, engine._held_us))
        (evaluation,) = engine._evaluations
        evaluation.frontier_us = newest_us
        evaluation.forget_before(engine._held_us)
        return engine, evaluation, engine._intake

    def _settles_at(self, before_us: int) -> int:
        """The latest instant, at most `before_us`, that no outage and no unconfirmed run lies across."""
        tracks = [track for evaluation in self._evaluations for track in evaluation.tracks]
        while True:
            at_us = min((track.run_start_us(before_us) for track in tracks), default=before_us)
            at_us = self._book.settled_before(at_us, self._reach_us)
            if at_us == before_us:
                return at_us
            before_us = at_us

    def _seen_from(self, horizon_us: int) -> "CheckEngine":
        """An engine that knows only what was there at an earlier horizon."""
        seen = CheckEngine(self._revisions)
        seen._intake = Intake(_evaluations(self._revisions, self._held_us))
        self._intake.copy_until(horizon_us, seen._intake)
        seen._settled_us, seen._held_us = self._settled_us, self._held_us
        return seen


def _took_last(source: Source, at_us: int, outcome: Outcome) -> None:
    """The long way of a sample at the end: for every policy that has not taken it yet."""
    last = len(source.evidence) - 1
    for track in tuple(source.tracks):
        if len(track.labels) <= last and not track.went_on(at_us, outcome):
            track.outlook.took_last(track, at_us)


def _evaluations(
    revisions: Sequence[PolicyRevision], after_us: int = -FOREVER_US
) -> list[Evaluation]:
    """One evaluation for each time over which a policy is in force after an instant."""
    return [
        Evaluation(policy, from_us, to_us)
        for from_us, to_us, policy in in_force(revisions, -FOREVER_US, FOREVER_US)
        if policy is not None and to_us > after_us
    ]
