"""The rules of a check in words: what an explanation of an outage ends with."""

from typing import assert_never

from controller.core.policy import Policy
from controller.core.quorum import need
from vedette.shared.definitions import Rule
from vedette.shared.durations import Duration


def rule_in_words(policy: Policy) -> str:
    """How samples become labels, labels a verdict, and verdicts an outage, under this policy."""
    count = len(policy.regions)
    sentences = [
        (
            f"The check is DOWN when {_quorum(policy)} say so"
            f" ({_needed(policy)}of {count} when all {count} report);"
            f" with fewer than {policy.min_evidence} reporting it is UNKNOWN."
        ),
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


def _quorum(policy: Policy) -> str:
    match policy.rule:
        case Rule.MAJORITY:
            return "more than half of the regions that report"
        case Rule.AT_LEAST_HALF:
            return "at least half of the regions that report"
        case Rule.ALL:
            return "all regions that report"
        case Rule.ANY:
            return "one or more regions"
        case Rule.K_OF:
            return f"{policy.k} or more regions"
        case Rule.HEALTHY_FRACTION:
            share = policy.fraction
            text = f"{share.numerator}/{share.denominator}"
            return f"so many regions that at most {text} of those that report are healthy"
        case _:
            assert_never(policy.rule)


def _needed(policy: Policy) -> str:
    needed = need(policy, len(policy.regions))
    return "" if needed is None else f"{needed} "


def _times(count: int, noun: str) -> str:
    if count == 1:
        return f"one {noun}"
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {plural} in a row"
