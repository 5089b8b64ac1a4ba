"""What decided an outage: the votes around it, the results behind them, and what they leave open."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from controller.core.doubt import Doubt, doubts
from controller.core.instants import instant_text, length_text
from controller.core.labels import Said
from controller.core.policy import Policy, PolicyRevision, in_force
from controller.core.regional import seen_by
from controller.core.runs import Run
from controller.core.samples import Sample
from controller.core.timeline import timeline
from controller.errors import NotFound
from controller.ports.storage import Transaction
from controller.services.outages.explanation import Ballot, Captured, Explanation, Trouble
from controller.services.outages.outage_body import OutageBody
from controller.services.outages.outage_history import Entry
from controller.services.outages.outage_views import OutageView
from controller.services.outages.rule import rule_in_words
from controller.services.outages.testimony import Testimony
from controller.services.results.backing import backed
from controller.services.timeline.evaluate import Evaluator
from controller.services.timeline.history import History
from controller.services.timeline.judging import Judging

T = TypeVar("T")

_SAMPLES_SHOWN_MAX: Final = 2000
_BALLOTS_SHOWN_MAX: Final = 2000
_MARGIN_RUNS: Final = 3
# Of an outage that goes on for longer, so much is read at its start and at its end: a thousand runs.
_READ_RUNS_MAX: Final = 400


@dataclass(slots=True)
class _Found:
    """What was read of the parts of an outage that are shown."""

    ballots: list[Ballot] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    said: dict[Sample, Said] = field(default_factory=dict)


class Explaining:
    """Explains outages from the stored evidence."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def of(
        self, tx: Transaction, view: OutageView, history: Sequence[Entry], now_us: int
    ) -> Explanation:
        """What decided this outage, as far as the evidence says now."""
        body = view.body
        policies = self._evaluator.checks(tx)[body.check]
        policy = _policy(policies, body)
        parts = _parts(body, policy.freshness_us, now_us)
        found = _Found()
        for from_us, to_us in parts:
            self._read(tx, body, (from_us, to_us), now_us, found)
        from_us, to_us = parts[0][0], parts[-1][1]
        kept, left_out = _ends(found.samples, _SAMPLES_SHOWN_MAX)
        lines = backed(tx, kept)
        regions = _voting(policies, from_us, to_us)
        prompt_us = self._evaluator.prompt_us(body.check)
        judging = Judging(found.said, found.troubles, regions, prompt_us)
        return Explanation(
            outage=view,
            from_us=from_us,
            to_us=to_us,
            skipped=(parts[0][1], parts[1][0]) if len(parts) > 1 else None,
            rule=" ".join([_rule(policy, body), *_changes(policies, policy, body)]),
            bounds=_bounds(body, is_retracted=view.retraction is not None),
            doubts=[] if view.retraction else found.doubts,
            ballots=_ends(found.ballots, _BALLOTS_SHOWN_MAX)[0],
            runs=found.runs,
            samples=[judging.judged(one) for one in lines],
            samples_left_out=left_out,
            troubles=found.troubles,
            captures=[Captured(one.sample, one.capture) for one in lines if one.capture],
            history=history,
        )

    def _read(
        self, tx: Transaction, body: OutageBody, part: tuple[int, int], now_us: int, into: _Found
    ) -> None:
        """Add what the evidence says of a part of the time of an outage."""
        policies = self._evaluator.checks(tx)[body.check]
        evidence = History(tx, body.check, policies, now_us).evidence(*part)
        first_us = min((one.at_us for one in evidence.samples), default=part[0])
        after_us = part[1] + max(one.policy.margin_us for one in policies if one.policy)
        testimony = Testimony(
            evidence,
            policies,
            *part,
            is_cut_before=tx.newest_sample_us(body.check, first_us) is not None,
            is_cut_after=after_us <= now_us,
        )
        segments = timeline(evidence, policies, *part)
        if body.region:
            segments = seen_by(body.region, segments)
        into.ballots += testimony.ballots(segments)
        freshness_us = _policy(policies, body).freshness_us
        into.doubts += doubts(segments, body.started_us, body.until_us, freshness_us)
        into.said |= testimony.said()
        into.samples += [
            one
            for one in evidence.samples
            if part[0] <= one.at_us < part[1] and _concerns(body, one.region)
        ]
        into.runs += _new(testimony.runs(), into.runs, body)
        into.troubles += _new(testimony.troubles(), into.troubles, body)


def _policy(policies: Sequence[PolicyRevision], body: OutageBody) -> Policy:
    """The policy under which the outage started."""
    for one in policies:
        if one.policy is not None and one.policy.revision == body.revision:
            return one.policy
    raise NotFound(f"The revision of check {body.check} that judged this outage is not here.")


def _parts(body: OutageBody, freshness_us: int, now_us: int) -> list[tuple[int, int]]:
    """The time that is read: the outage and what is around it; of a long one, its start and its end."""
    margin_us, most_us = _MARGIN_RUNS * freshness_us, _READ_RUNS_MAX * freshness_us
    from_us, to_us = body.started_us - margin_us, min(body.until_us + margin_us, now_us + 1)
    if body.until_us - body.started_us <= 2 * most_us:
        return [(from_us, to_us)]
    return [(from_us, body.started_us + most_us), (body.until_us - most_us, to_us)]


def _concerns(body: OutageBody, region: str) -> bool:
    return not body.region or body.region == region


P = TypeVar("P", Run, Trouble)


def _new(found: Iterable[P], known: Sequence[P], body: OutageBody) -> list[P]:
    """Those that are not known yet: one that is long reaches into both parts."""
    return [one for one in found if one not in known and _concerns(body, one.region)]


def _voting(policies: Sequence[PolicyRevision], from_us: int, to_us: int) -> frozenset[str]:
    """Every region that had a vote in that time."""
    parts = in_force(policies, from_us, to_us)
    return frozenset(region for _, _, policy in parts if policy for region in policy.regions)


def _rule(policy: Policy, body: OutageBody) -> str:
    """The rule in words, and what is different where one region is judged by itself."""
    if not body.region:
        return rule_in_words(policy)
    return (
        f"This is an outage of {body.region} alone: what that region says is taken as if it were the"
        " only one, by the same rules of labels and gaps. Of the check as a whole the rule is:"
        f" {rule_in_words(policy)}"
    )


def _changes(policies: Sequence[PolicyRevision], policy: Policy, body: OutageBody) -> Iterable[str]:
    """What another definition, that came into force before the outage was over, says instead."""
    before: str | None = rule_in_words(policy)
    # One that came just when the last down time ended is why nothing is known of what followed.
    for from_us, _, later in in_force(policies, body.started_us, body.until_us + 1):
        words = rule_in_words(later) if later else None
        if words == before:
            continue
        before = words
        what = f"another definition was in force: {words}" if words else "there was no such check."
        yield f"From {instant_text(from_us)} on {what}"


def _bounds(body: OutageBody, *, is_retracted: bool) -> str:
    """The bounds of the downtime in words, and where they come from."""
    if is_retracted:
        return (
            "This outage was retracted, so that nothing is bounded. What follows is the evidence that"
            " is known now."
        )
    after = body.downtime_us - body.downtime_us_min
    before = body.downtime_us_max - body.downtime_us
    return (
        f"Down for {length_text(body.downtime_us)}. Probes look now and then, so it was at least"
        f" {length_text(body.downtime_us_min)}: for {length_text(after)} after a failure nothing says"
        " that it was still down, because the next result was a success or none came in time. And it"
        f" was at most {length_text(body.downtime_us_max)}: for {length_text(before)} between a success"
        " and the failure after it, it may have been down already."
    )


def _ends(items: Sequence[T], count_max: int) -> tuple[Sequence[T], int]:
    """The first and the last items, `count_max` in all, and how many between them are left out."""
    left_out = len(items) - count_max
    if left_out <= 0:
        return items, 0
    half = count_max // 2
    return [*items[:half], *items[-half:]], left_out
