"""What another rule would have said of the same evidence, beside what the rule in force said.

Both are computed from the same results by the same code, so that they differ by the rule and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

import msgspec

from controller.core.domains import Place, domain_findings, with_domains
from controller.core.outages import Span, spans
from controller.core.policy import Policy, PolicyRevision, policy_of
from controller.core.quorum import Verdict
from controller.core.timeline import (
    ATTRIBUTED,
    EvidenceSet,
    Segment,
    append_segment,
    downtime,
    timeline,
)
from vedette.shared.definitions import Check, Quorum, findings
from vedette.shared.documents import BadDocument, Document, convert, parse

RULE_FILE = "--rule"


@dataclass(frozen=True, slots=True)
class OtherRule:
    """A quorum as it would stand in a fleet file, and the text that it was read from."""

    quorum: Quorum
    document: Document


def read_rule(text: bytes) -> OtherRule:
    """The quorum that `{rule: k_of, k: 2}` says. BadDocument names everything that is wrong with it."""
    document = parse(text, RULE_FILE)
    quorum, problems = convert(document, (), document.data, Quorum)
    if quorum is None:
        raise BadDocument(sorted(problems))
    return OtherRule(quorum, document)


def definition_under(check: Check, rule: OtherRule, places: Mapping[str, Place]) -> Check:
    """The check with the other quorum in place of its own. BadDocument if it cannot have it."""
    other = with_domains(msgspec.structs.replace(check, quorum=rule.quorum), places)
    wrong = [*findings(other), *domain_findings(other, places)]
    problems = [
        rule.document.problem(path[1:], f"{expected} (check {check.id})", found)
        for path, expected, found in wrong
        if path[:1] == ("quorum",)
    ]
    if problems:
        raise BadDocument(sorted(problems))
    return other


def revisions_under(
    definitions: Iterable[tuple[int, Check | None]], rule: OtherRule, places: Mapping[str, Place]
) -> list[PolicyRevision]:
    """The policies of a check if it had always had the other quorum; None: it was retired."""
    return [
        PolicyRevision(
            effective_us,
            None if check is None else policy_of(definition_under(check, rule, places)),
        )
        for effective_us, check in definitions
    ]


class Stretch(msgspec.Struct, frozen=True):
    """A verdict over [from_us, to_us), and how outages are glued there (S-15); None: no check was in force."""

    from_us: int
    to_us: int
    verdict: Verdict
    merge_gap_us: int | None
    abandon_after_us: int | None


class Part(msgspec.Struct, frozen=True):
    """What a rule says of a part of the time. Downtime is exact: `downtime_num / downtime_den` microseconds."""

    stretches: list[Stretch]
    downtime_num: int
    downtime_den: int


class JudgedPart(msgspec.Struct, frozen=True):
    """A part of the time under both rules."""

    actual: Part
    other: Part


def part_of(
    evidence: EvidenceSet, revisions: Sequence[PolicyRevision], from_us: int, to_us: int
) -> Part:
    """What these policies say of [from_us, to_us)."""
    segments = timeline(evidence, revisions, from_us, to_us)
    down = downtime(segments, ATTRIBUTED)
    found: list[Stretch] = []
    for segment in segments:
        policy = segment.policy
        gap_us, abandon_us = (
            (policy.merge_gap_us, policy.abandon_after_us) if policy else (None, None)
        )
        rest = (segment.verdict, gap_us, abandon_us)
        if (
            found
            and (found[-1].verdict, found[-1].merge_gap_us, found[-1].abandon_after_us) == rest
        ):
            found[-1] = Stretch(found[-1].from_us, segment.to_us, *rest)
        else:
            found.append(Stretch(segment.from_us, segment.to_us, *rest))
    return Part(found, down.numerator, down.denominator)


@dataclass(slots=True)
class Timeline:
    """The timeline of one rule, put together from its parts. It holds no more than what changed."""

    segments: list[Segment] = field(default_factory=list)
    downtime_us: Fraction = Fraction(0)
    _policies: dict[tuple[int, int], Policy] = field(default_factory=dict)

    def add(self, part: Part) -> None:
        """Take the next part, which begins where the last one ended."""
        self.downtime_us += Fraction(part.downtime_num, part.downtime_den)
        for one in part.stretches:
            value, policy = one.verdict, self._policy(one)
            append_segment(self.segments, Segment(one.from_us, one.to_us, (value,) * 3, (), policy))

    def _policy(self, one: Stretch) -> Policy | None:
        """A policy that glues outages like the one in force; it judges nothing."""
        if one.merge_gap_us is None or one.abandon_after_us is None:
            return None
        key = (one.merge_gap_us, one.abandon_after_us)
        return self._policies.setdefault(
            key, Policy("", "", (), 0, merge_gap_us=key[0], abandon_after_us=key[1])
        )

    @property
    def known_us(self) -> int:
        """The time of which something is known."""
        return sum(s.to_us - s.from_us for s in self.segments if s.verdict is not Verdict.UNKNOWN)

    @property
    def attained(self) -> Fraction | None:
        """The share of the known time that is not downtime (S-34); None if nothing is known."""
        return 1 - Fraction(self.downtime_us) / self.known_us if self.known_us else None


class Difference(StrEnum):
    """How an outage of the other rule stands to the one of the rule in force."""

    SAME = "same"
    LONGER = "longer"
    SHORTER = "shorter"
    MOVED = "moved"
    NEW = "new"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Pair:
    """An outage as the rule in force has it, and as the other one has it; one of them may be None."""

    actual: Span | None
    other: Span | None

    @property
    def difference(self) -> Difference:
        """What the other rule makes of it. By downtime; moved if that is equal but its ends are not."""
        if self.actual is None:
            return Difference.NEW
        if self.other is None:
            return Difference.MISSING
        if self.other == self.actual:
            return Difference.SAME
        more_us = self.other.downtime_us - self.actual.downtime_us
        if more_us:
            return Difference.LONGER if more_us > 0 else Difference.SHORTER
        return Difference.MOVED


def paired(actual: Timeline, other: Timeline) -> list[Pair]:
    """The outages of both, by start: those that overlap most belong together, each to one at most."""
    mine, theirs = spans(actual.segments), spans(other.segments)
    overlaps = sorted(
        (-common_us, i, j)
        for i, a in enumerate(mine)
        for j, b in enumerate(theirs)
        if (common_us := min(a.until_us, b.until_us) - max(a.started_us, b.started_us)) > 0
    )
    of_mine: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in overlaps:
        if i not in of_mine and j not in taken:
            of_mine[i] = j
            taken.add(j)
    pairs = [Pair(a, theirs[of_mine[i]] if i in of_mine else None) for i, a in enumerate(mine)]
    pairs += [Pair(None, b) for j, b in enumerate(theirs) if j not in taken]
    return sorted(pairs, key=_started_us)


def _started_us(pair: Pair) -> int:
    return min(one.started_us for one in (pair.actual, pair.other) if one is not None)
