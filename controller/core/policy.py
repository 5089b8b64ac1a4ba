"""How one revision of a check is judged: its quorum, label and outage rules, as plain numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from msgspec import UnsetType

from controller.core.intervals import FOREVER_US
from vedette.shared.definitions import (
    Check,
    Distinct,
    Rule,
    canonical_bytes,
    decode_check,
    digest_of,
    domains_of,
    fraction_of,
    micros,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of SEMANTICS sections 2 to 4 for one revision of a check.

    `regions` vote; samples of other regions are not evidence under this revision. `domains` numbers the
    domain of each region where several regions share one, and so have one vote; otherwise it is empty.
    """

    check: str
    revision: str
    regions: tuple[str, ...]
    freshness_us: int
    rule: Rule = Rule.MAJORITY
    k: int = 1
    is_strict: bool = False
    fraction: Fraction = Fraction(0)
    min_evidence: int = 1
    fail_after: int = 2
    recover_after: int = 2
    partial_weight: str = "0"
    weights: dict[str, Fraction] = field(default_factory=dict, hash=False)
    distinct: Distinct = Distinct.REGION
    domains: tuple[int, ...] = ()
    merge_gap_us: int = 120_000_000
    abandon_after_us: int = 86_400_000_000

    @property
    def voters(self) -> int:
        """How many votes there are when every region has evidence."""
        return len(set(self.domains)) if self.domains else len(self.regions)

    @property
    def label_rules(self) -> tuple[int, int, int]:
        """All that the labels of an agent's samples depend on, besides the samples (S-6, S-7)."""
        return self.freshness_us, self.fail_after, self.recover_after

    @property
    def margin_us(self) -> int:
        """More than a sample can reach back: the run that it completes or breaks, and the hold before it.

        Nothing earlier than that before a sample depends on it (S-6, S-8).
        """
        return (max(self.fail_after, self.recover_after) + 1) * self.freshness_us

    @property
    def around_us(self) -> int:
        """How far around a time what is heard may matter for its verdicts and for where its outages end."""
        return self.margin_us + 3 * self.freshness_us + 2 * self.merge_gap_us


@dataclass(frozen=True, slots=True)
class PolicyRevision:
    """A policy in force from `effective_us` until the next one; None: the check is retired."""

    effective_us: int
    policy: Policy | None


ALWAYS_US = -FOREVER_US
"""An effective time before every result: what holds when a fleet file is all that there is."""


def policy_of(check: Check) -> Policy:
    """The policy that a definition says, defaults filled in. Its regions must be written out."""
    assert not isinstance(check.regions, UnsetType), "a fleet file writes regions out"
    quorum = check.quorum
    regions = tuple(check.regions)
    domains = domains_of(regions, quorum)
    voters = len(set(domains))
    default_evidence = min(2, voters)
    return Policy(
        check=check.id,
        revision=digest_of(canonical_bytes(check)),
        regions=regions,
        freshness_us=check.freshness_us,
        rule=quorum.rule,
        k=quorum.k or 1,
        is_strict=quorum.strict,
        fraction=fraction_of(quorum.fraction) if quorum.fraction else Fraction(0),
        min_evidence=default_evidence if quorum.min_evidence is None else quorum.min_evidence,
        fail_after=quorum.fail_after,
        recover_after=quorum.recover_after,
        partial_weight=quorum.partial_weight,
        weights={region: Fraction(text) for region, text in quorum.weights.items()},
        distinct=quorum.distinct,
        domains=domains if voters < len(regions) else (),
        merge_gap_us=micros(check.outage.merge_gap),
        abandon_after_us=micros(check.outage.abandon_after),
    )


def policy_revision(definition: bytes, effective_us: int) -> PolicyRevision:
    """The policy of stored canonical bytes; empty bytes stand for a retired check."""
    return PolicyRevision(effective_us, policy_of(decode_check(definition)) if definition else None)


def reach_us(revisions: Iterable[PolicyRevision]) -> int:
    """How far around a time what is heard may matter by any of these revisions."""
    return max((one.policy.around_us for one in revisions if one.policy is not None), default=0)


def always(policy: Policy) -> list[PolicyRevision]:
    """`policy` as the only revision that there ever was."""
    return [PolicyRevision(ALWAYS_US, policy)]


def in_force(
    revisions: Sequence[PolicyRevision], from_us: int, to_us: int
) -> list[tuple[int, int, Policy | None]]:
    """The parts of [from_us, to_us) and the policy of each; None where there was no check."""
    ordered = sorted(revisions, key=lambda revision: revision.effective_us)
    bounds = [from_us, *(r.effective_us for r in ordered), max(to_us, from_us)]
    policies: list[Policy | None] = [None, *(r.policy for r in ordered)]
    parts: list[tuple[int, int, Policy | None]] = []
    for index, policy in enumerate(policies):
        start, end = max(bounds[index], from_us), min(bounds[index + 1], to_us)
        if start < end and parts and parts[-1][2] == policy:
            parts[-1] = (parts[-1][0], end, policy)
        elif start < end:
            parts.append((start, end, policy))
    return parts


def turns_us(revisions: Sequence[PolicyRevision]) -> list[int]:
    """The instants at which another policy comes into force, or none does any more."""
    return [from_us for from_us, _, _ in in_force(revisions, -FOREVER_US, FOREVER_US)[1:]]


def first_change_us(old: Sequence[PolicyRevision], new: Sequence[PolicyRevision]) -> int | None:
    """The first instant at which another policy is in force."""
    before = in_force(old, -FOREVER_US, FOREVER_US)
    after = in_force(new, -FOREVER_US, FOREVER_US)
    for at_us in sorted({start for start, _, _ in (*before, *after)}):
        policies = (
            next(p for start, end, p in part if start <= at_us < end) for part in (before, after)
        )
        if next(policies) != next(policies):
            return at_us
    return None
