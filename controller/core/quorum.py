"""The verdict of a check from what its regions say (S-11 to S-14). Integers only."""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar, assert_never

from controller.core.labels import Label, merged_label
from controller.core.policy import Policy
from vedette.shared.definitions import Rule

T = TypeVar("T")


class Verdict(StrEnum):
    """What a check is at an instant."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    PARTIAL = "PARTIAL"
    DOWN = "DOWN"
    UNKNOWN = "UNKNOWN"


def need(policy: Policy, voters: int) -> int | None:
    """How many of `voters` votes must agree (S-12); None if that many cannot make a quorum.

    healthy_fraction p/q is DOWN iff healthy * q <= p * voters, which is the same as at least
    voters - floor(p * voters / q) votes that are not healthy.
    """
    match policy.rule:
        case Rule.MAJORITY:
            return voters // 2 + 1
        case Rule.AT_LEAST_HALF:
            return (voters + 1) // 2
        case Rule.ALL:
            return voters
        case Rule.ANY:
            return 1
        case Rule.K_OF:
            return None if policy.is_strict and policy.k > voters else min(policy.k, voters)
        case Rule.HEALTHY_FRACTION:
            share = policy.fraction
            return voters - share.numerator * voters // share.denominator
        case _:
            assert_never(policy.rule)


def verdict(policy: Policy, labels: Sequence[Label]) -> Verdict:
    """The verdict when the regions say `labels`, one each.

    Where regions share a domain, the domains vote. That somewhere it is down is said of regions, not
    voted on: PARTIAL.
    """
    votes = [merged_label(own) for own in by_domain(policy, labels)] if policy.domains else labels
    voters = sum(vote is not Label.NONE for vote in votes)
    if voters == 0 or voters < policy.min_evidence:
        return Verdict.UNKNOWN
    needed = need(policy, voters)
    if needed is None:
        return Verdict.UNKNOWN
    if sum(vote is Label.DOWN for vote in votes) >= needed:
        return Verdict.DOWN
    if any(label is Label.DOWN for label in labels):
        return Verdict.PARTIAL
    degraded = sum(vote is Label.DEGRADED for vote in votes)
    return Verdict.DEGRADED if degraded >= needed else Verdict.UP


def by_domain(policy: Policy, items: Sequence[T]) -> list[list[T]]:
    """What stands for the regions, in the order of the policy's, domain by domain."""
    if not policy.domains:
        return [[item] for item in items]
    found: list[list[T]] = [[] for _ in range(policy.voters)]
    for domain, item in zip(policy.domains, items, strict=True):
        found[domain].append(item)
    return found


def partial_weight(policy: Policy, labels: Sequence[Label]) -> Fraction:
    """How much of PARTIAL time counts as downtime (S-14); `labels` in the order of the policy's regions."""
    if policy.partial_weight in {"0", "1"}:
        return Fraction(int(policy.partial_weight))
    if policy.partial_weight == "regions":
        voters = sum(label is not Label.NONE for label in labels)
        return Fraction(sum(label is Label.DOWN for label in labels), voters)
    weights = (
        policy.weights.get(region, Fraction(0))
        for region, label in zip(policy.regions, labels, strict=True)
        if label is Label.DOWN
    )
    return min(Fraction(1), sum(weights, Fraction(0)))
