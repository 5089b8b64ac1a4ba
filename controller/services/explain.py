"""What decided an outage: the votes around it, the results behind them, and what they leave open."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from controller.core.doubt import Doubt, doubts, least_and_most
from controller.core.instants import length_text
from controller.core.labels import Label, Said
from controller.core.policy import Policy, PolicyRevision, in_force
from controller.core.samples import Sample
from controller.core.timeline import timeline
from controller.errors import NotFound
from controller.ports import Transaction
from controller.services.backing import Backed, backed
from controller.services.evaluate import Evaluator
from controller.services.explanation import Captured, Explanation, SampleView, Trouble
from controller.services.history import History
from controller.services.outage_body import OutageBody
from controller.services.outage_history import Entry
from controller.services.outage_views import OutageView
from controller.services.rule import rule_in_words
from controller.services.testimony import Testimony
from vedette.shared.result import Outcome

T = TypeVar("T")

_SAMPLES_SHOWN_MAX: Final = 2000
_BALLOTS_SHOWN_MAX: Final = 2000
_MARGIN_RUNS: Final = 3


class Explaining:
    """Explains outages from the stored evidence."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def of(
        self, tx: Transaction, view: OutageView, history: Sequence[Entry], now_us: int
    ) -> Explanation:
        """What decided this outage, as far as the evidence says now."""
        body = view.body
        policy = self._policy(tx, body)
        margin_us = _MARGIN_RUNS * policy.freshness_us
        from_us, to_us = body.started_us - margin_us, min(body.until_us + margin_us, now_us + 1)
        policies = self._evaluator.checks(tx)[body.check]
        evidence = History(tx, body.check, policies, now_us).evidence(from_us, to_us)
        testimony = Testimony(evidence, policies, from_us, to_us)
        segments = timeline(evidence, policies, from_us, to_us)
        found = doubts(segments, body.started_us, body.until_us, policy.freshness_us)
        samples = [one for one in evidence.samples if from_us <= one.at_us < to_us]
        kept, left_out = _ends(samples, _SAMPLES_SHOWN_MAX)
        troubles = testimony.troubles()
        lines = backed(tx, kept)
        judging = _Judging(
            testimony.said(), troubles, _voting(policies, from_us, to_us),
            self._evaluator.prompt_us(body.check),
        )  # fmt: skip
        return Explanation(
            outage=view,
            from_us=from_us,
            to_us=to_us,
            rule=rule_in_words(policy),
            bounds=_bounds(body, found, is_retracted=view.retraction is not None),
            doubts=found,
            ballots=_ends(testimony.ballots(segments), _BALLOTS_SHOWN_MAX)[0],
            runs=testimony.runs(),
            samples=[judging.judged(one) for one in lines],
            samples_left_out=left_out,
            troubles=troubles,
            captures=[Captured(one.sample, one.capture) for one in lines if one.capture],
            history=history,
        )

    def _policy(self, tx: Transaction, body: OutageBody) -> Policy:
        """The policy under which the outage started."""
        for one in self._evaluator.checks(tx)[body.check]:
            if one.policy is not None and one.policy.revision == body.revision:
                return one.policy
        raise NotFound(f"The revision of check {body.check} that judged this outage is not here.")


class _Judging:
    """Says of each result what became of it, and why."""

    def __init__(
        self,
        said: Mapping[Sample, Said],
        troubles: Sequence[Trouble],
        regions: frozenset[str],
        late_us: int,
    ) -> None:
        self._said = said
        self._troubles = troubles
        self._regions = regions
        self._late_us = late_us

    def judged(self, one: Backed) -> SampleView:
        """A result with its label, or the reason why it has none or another than its own."""
        sample = one.sample
        said = None if one.is_overruled else self._said.get(sample)
        trouble = self._trouble(sample)
        after_us = None if one.received_us is None else one.received_us - sample.at_us
        return SampleView(
            sample=sample,
            label=said.label.name if said else Label.NONE.name,
            detail=one.detail,
            is_voided=trouble is not None,
            trigger=one.trigger,
            is_overruled=one.is_overruled,
            why_not=self._why_not(one, said, trouble),
            received_us=one.received_us,
            late_us=after_us if after_us is not None and after_us > self._late_us else None,
            addr=one.addr,
            attempts=one.attempts,
        )

    def _trouble(self, sample: Sample) -> Trouble | None:
        for one in self._troubles:
            is_after = one.to_us is None or sample.at_us < one.to_us
            if one.agent == sample.agent and one.from_us <= sample.at_us and is_after:
                return one
        return None

    def _why_not(self, one: Backed, said: Said | None, trouble: Trouble | None) -> str:
        sample = one.sample
        if one.is_overruled:
            return "another line under the same number counts: an integrity alarm"
        if sample.outcome is Outcome.AGENT_ERROR:
            return "the fault was the agent's own, so it says nothing of the target"
        if trouble is not None:
            return (
                "the agent's own network was in trouble:"
                f" {trouble.ok} of {trouble.total} anchors answered"
            )
        if sample.region not in self._regions:
            return "its region had no vote"
        if said is None:
            return "no definition of the check was in force"
        if said.is_blip:
            return "a failure that no other confirmed"
        if sample.outcome is not Outcome.DOWN and said.label is Label.DOWN:
            return "a success that no other confirmed"
        return ""


def _voting(policies: Sequence[PolicyRevision], from_us: int, to_us: int) -> frozenset[str]:
    """Every region that had a vote in that time."""
    parts = in_force(policies, from_us, to_us)
    return frozenset(region for _, _, policy in parts if policy for region in policy.regions)


def _bounds(body: OutageBody, found: Sequence[Doubt], *, is_retracted: bool) -> str:
    """The bounds of the downtime in words, and where they come from."""
    if is_retracted:
        return "By the evidence that is known now there was no such outage, so that nothing is bounded."
    least_us, most_us = least_and_most(body.downtime_us, found)
    after = sum(one.to_us - one.from_us for one in found if one.is_down)
    before = most_us - body.downtime_us
    return (
        f"Down for {length_text(body.downtime_us)}. Probes look now and then, so it was at least"
        f" {length_text(least_us)}: for {length_text(after)} after a failure nothing says that it was still"
        f" down, because the next result was a success or none came in time. And it was at most"
        f" {length_text(most_us)}: for {length_text(before)} between a success and the failure after it, it"
        " may have been down already."
    )


def _ends(items: Sequence[T], count_max: int) -> tuple[Sequence[T], int]:
    """The first and the last items, `count_max` in all, and how many between them are left out."""
    left_out = len(items) - count_max
    if left_out <= 0:
        return items, 0
    half = count_max // 2
    return [*items[:half], *items[-half:]], left_out
