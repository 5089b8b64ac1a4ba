"""The rules of a check in words: what an explanation of an outage ends with."""

from typing import Final, assert_never

from controller.core.policy import Policy
from controller.core.quorum import by_domain, need
from vedette.shared.definitions import Distinct, Rule
from vedette.shared.durations import Duration

_VOTERS: Final = {
    Distinct.REGION: "regions",
    Distinct.PROVIDER: "providers",
    Distinct.ASN: "autonomous systems",
}


def rule_in_words(policy: Policy) -> str:
    """How samples become labels, labels a verdict, and verdicts an outage, under this policy."""
    count = policy.voters
    sentences = [
        (
            f"The check is DOWN when {_quorum(policy)} say so"
            f" ({_needed(policy)}of {count} when all {count} report);"
            f" with fewer than {policy.min_evidence} reporting it is UNKNOWN."
        ),
        *_domains(policy),
        (
            f"A region says DOWN after {_times(policy.fail_after, 'failure')} and UP again after"
            f" {_times(policy.recover_after, 'success')}, counted from the first of them."
        ),
        f"A result counts until the next one, for {Duration(policy.freshness_us)} at most.",
        (
            f"An outage goes on over gaps of less than {Duration(policy.merge_gap_us)} that are known"
            f" to be up, and over unknown time of less than {Duration(policy.abandon_after_us)};"
            " neither counts as downtime."
        ),
    ]
    return " ".join(sentences)


def _domains(policy: Policy) -> list[str]:
    """Who votes, where it is not each region for itself."""
    if policy.distinct is Distinct.REGION:
        return []
    noun = _VOTERS[policy.distinct].removesuffix("s")
    groups = [" and ".join(own) for own in by_domain(policy, policy.regions) if len(own) > 1]
    one_vote = f" ({', '.join(groups)} have one vote)" if groups else ""
    return [
        (
            f"The regions of one {noun} have one vote{one_vote}: it says DOWN when all of them that"
            f" report say so; a region of which no {noun} is known votes for itself."
        )
    ]


def _quorum(policy: Policy) -> str:
    voters = _VOTERS[policy.distinct]
    match policy.rule:
        case Rule.MAJORITY:
            return f"more than half of the {voters} that report"
        case Rule.AT_LEAST_HALF:
            return f"at least half of the {voters} that report"
        case Rule.ALL:
            return f"all {voters} that report"
        case Rule.ANY:
            return f"one or more {voters}"
        case Rule.K_OF:
            return f"{policy.k} or more {voters}"
        case Rule.HEALTHY_FRACTION:
            share = policy.fraction
            text = f"{share.numerator}/{share.denominator}"
            return f"so many {voters} that at most {text} of those that report are healthy"
        case _:
            assert_never(policy.rule)


def _needed(policy: Policy) -> str:
    needed = need(policy, policy.voters)
    return "" if needed is None else f"{needed} "


def _times(count: int, noun: str) -> str:
    if count == 1:
        return f"one {noun}"
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {plural} in a row"
