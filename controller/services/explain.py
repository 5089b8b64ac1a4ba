"""What decided an outage: the votes around it, and the results behind them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from controller.core.labels import Label, bad_intervals
from controller.core.policy import Policy, PolicyRevision, in_force
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import EvidenceSet, Segment, judged_samples, timeline
from controller.errors import NotFound
from controller.ports import Transaction
from controller.services.backing import Backed, backed
from controller.services.evaluate import Evaluator
from controller.services.history import History
from controller.services.outage_body import OutageBody
from controller.services.outage_views import OutageView
from controller.services.rule import rule_in_words

T = TypeVar("T")

_SAMPLES_SHOWN_MAX: Final = 2000
_BALLOTS_SHOWN_MAX: Final = 2000
_MARGIN_RUNS: Final = 3


@dataclass(frozen=True, slots=True)
class Ballot:
    """The vote between two changes: the verdict, and what each region said."""

    from_us: int
    to_us: int
    verdict: str
    votes: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample as it was judged.

    `is_voided`: its agent's own network was in trouble (S-10). `is_overruled`: another line of the same
    identity counts instead (S-2). `trigger` is why it was taken: by schedule, or to confirm.
    """

    sample: Sample
    label: str
    detail: str
    is_voided: bool
    trigger: str = ""
    is_overruled: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """What decided an outage: votes and samples around it, oldest first, and the rule in words."""

    outage: OutageView
    ballots: Sequence[Ballot]
    samples: Sequence[SampleView]
    rule: str


class Explaining:
    """Explains outages."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def of(self, tx: Transaction, view: OutageView, now_us: int) -> Explanation:
        """What decided this outage, as far as the evidence says now."""
        body = view.body
        policy = self._policy(tx, body)
        margin_us = _MARGIN_RUNS * policy.freshness_us
        from_us, to_us = body.started_us - margin_us, min(body.until_us + margin_us, now_us + 1)
        policies = self._evaluator.checks(tx)[body.check]
        evidence = History(tx, body.check, policies, now_us).evidence(from_us, to_us)
        ballots = _ballots(timeline(evidence, policies, from_us, to_us))
        samples = [one for one in evidence.samples if from_us <= one.at_us < to_us]
        shown, left_out = _ends(samples, _SAMPLES_SHOWN_MAX)
        rule = rule_in_words(policy)
        if left_out:
            rule += f" ({left_out} samples in the middle are not shown.)"
        labels = _labels(evidence, policies, from_us, to_us)
        return Explanation(
            view,
            _ends(ballots, _BALLOTS_SHOWN_MAX)[0],
            _judged(evidence, labels, backed(tx, shown)),
            rule,
        )

    def _policy(self, tx: Transaction, body: OutageBody) -> Policy:
        """The policy under which the outage started."""
        for one in self._evaluator.checks(tx)[body.check]:
            if one.policy is not None and one.policy.revision == body.revision:
                return one.policy
        raise NotFound(f"The revision of check {body.check} that judged this outage is not here.")


def _labels(
    evidence: EvidenceSet, policies: Sequence[PolicyRevision], from_us: int, to_us: int
) -> Mapping[Sample, Label]:
    """The label of each sample that counted, under the policy that was in force."""
    return {
        one.sample: one.label
        for start_us, end_us, policy in in_force(policies, from_us, to_us)
        if policy is not None
        for one in judged_samples(evidence, policy, start_us, end_us)
    }


def _judged(
    evidence: EvidenceSet, labels: Mapping[Sample, Label], shown: Iterable[Backed]
) -> Sequence[SampleView]:
    """Samples with their labels, and whether their agent was in trouble."""
    rounds: dict[str, list[AnchorRound]] = {}
    for one in evidence.rounds:
        rounds.setdefault(one.agent, []).append(one)
    bad = {agent: bad_intervals(own) for agent, own in rounds.items()}
    return [
        SampleView(
            one.sample,
            Label.NONE.name if one.is_overruled else labels.get(one.sample, Label.NONE).name,
            one.detail,
            any(start <= one.sample.at_us < end for start, end in bad.get(one.sample.agent, ())),
            one.trigger,
            one.is_overruled,
        )
        for one in shown
    ]


def _ballots(segments: Iterable[Segment]) -> Sequence[Ballot]:
    """The votes one after another. Bounds change more often than votes do; they are not shown here."""
    found: list[Ballot] = []
    for segment in segments:
        ballot = _ballot(segment)
        if found and (found[-1].verdict, found[-1].votes) == (ballot.verdict, ballot.votes):
            found[-1] = replace(found[-1], to_us=ballot.to_us)
        else:
            found.append(ballot)
    return found


def _ballot(segment: Segment) -> Ballot:
    regions = segment.policy.regions if segment.policy else ()
    votes = [(region, vote.label.name) for region, vote in zip(regions, segment.votes, strict=True)]
    return Ballot(segment.from_us, segment.to_us, segment.verdict.value, votes)


def _ends(items: Sequence[T], count_max: int) -> tuple[Sequence[T], int]:
    """The first and the last items, `count_max` in all, and how many between them are left out."""
    left_out = len(items) - count_max
    if left_out <= 0:
        return items, 0
    half = count_max // 2
    return [*items[:half], *items[-half:]], left_out
