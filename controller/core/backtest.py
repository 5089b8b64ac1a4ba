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
from controller.core.policy import PolicyRevision, policy_of
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


@dataclass(slots=True)
class Timeline:
    """The timeline of one rule, part by part. Only verdicts are kept, so memory follows what changed."""

    revisions: Sequence[PolicyRevision]
    segments: list[Segment] = field(default_factory=list)
    downtime_us: Fraction = Fraction(0)

    def add(self, evidence: EvidenceSet, from_us: int, to_us: int) -> None:
        """Judge the next part, [from_us, to_us)."""
        found = timeline(evidence, self.revisions, from_us, to_us)
        self.downtime_us += downtime(found, ATTRIBUTED)
        for segment in found:
            value = segment.verdict
            append_segment(self.segments, segment._replace(votes=(), verdicts=(value,) * 3))

    @property
    def known_us(self) -> int:
        """The time of which something is known."""
        return sum(s.to_us - s.from_us for s in self.segments if s.verdict is not Verdict.UNKNOWN)

    @property
    def attained(self) -> Fraction | None:
        """The share of the known time that is not downtime (S-34); None if nothing is known."""
        return 1 - self.downtime_us / self.known_us if self.known_us else None


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
