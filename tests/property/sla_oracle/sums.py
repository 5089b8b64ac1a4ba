"""Sums over painted bits: the seven parts of a time, its denominator, its downtime and what follows (section 8)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from tests.property.sla_oracle.calendar import DAY, MINUTE, days, midnight
from tests.property.sla_oracle.painting import KINDS, Bit
from tests.property.sla_oracle.terms import Plain, share

NAMES = ("UP", "DOWN", "PARTIAL", "DEGRADED", "UNKNOWN")


@dataclass(frozen=True)
class Sums:
    """A time, summed up. `length` is the denominator before anything is taken from it (S-31)."""

    bits: list[Bit]
    clauses: Plain
    objective: Plain
    length: int

    def total(self, holds: Callable[[Bit], bool]) -> int:
        """How long something holds."""
        return sum(bit.length for bit in self.bits if holds(bit))

    def rule(self, bit: Bit) -> tuple[str, str] | None:
        """The mode and the scope of the exclusion that takes a bit."""
        if bit.taker is None:
            return None
        terms = self.clauses.get(bit.taker["type"], {})
        return terms.get("mode", "drop"), terms.get("drop_scope", "all")

    def is_wholly_dropped(self, bit: Bit) -> bool:
        """It leaves the denominator whatever it was."""
        return self.rule(bit) == ("drop", "all")

    def is_forgiven(self, bit: Bit) -> bool:
        """It is downtime that an exclusion takes out of the numerator, and nothing but that."""
        is_taken = bit.taker is not None and not self.is_wholly_dropped(bit)
        return is_taken and bit.is_in_hours and bit.counts["figure"]

    @property
    def excluded(self) -> int:
        """Time that exclusions account for (S-26)."""
        return self.total(
            lambda b: b.is_in_hours and (self.is_wholly_dropped(b) or self.is_forgiven(b))
        )

    @property
    def dropped(self) -> int:
        """Time that they take out of the denominator."""
        return self.total(
            lambda b: (
                b.is_in_hours
                and (self.is_wholly_dropped(b) or (self.is_forgiven(b) and self.rule(b)[0] == "drop"))  # type: ignore[index]  # forgiven: there is a rule
            )
        )  # fmt: skip

    @property
    def out_of_schedule(self) -> int:
        """Time outside the service hours."""
        return self.total(lambda b: not b.is_in_hours)

    def verdict(self, name: str) -> int:
        """Time in schedule, of a verdict, that no exclusion accounts for."""
        return self.total(
            lambda b: (
                b.is_in_hours
                and b.verdicts["figure"] == name
                and not self.is_wholly_dropped(b)
                and not self.is_forgiven(b)
            )
        )

    def counted(self, kind: str) -> list[Bit]:
        """The bits of downtime that count."""
        return [b for b in self.bits if b.is_in_hours and b.counts[kind] and b.taker is None]

    def with_carried(self, kind: str) -> list[Bit]:
        """With those of UNKNOWN time that what was known before is carried on into."""
        own = [b for b in self.bits if b.is_in_hours and b.taker is None]
        return [b for b in own if b.counts[kind] or (b.carried is not None and b.carried[kind])]

    @property
    def carried(self) -> int:
        """UNKNOWN time that counts as what was known before."""
        return self.total(
            lambda b: b.is_in_hours and b.carried is not None and not self.is_wholly_dropped(b)
        )

    def measured(self, kind: str, policy: str) -> int:
        """D before UNKNOWN time is thought of, in minutes where there is a rule for them (S-36)."""
        bits = self.with_carried(kind) if policy == "carry" else self.counted(kind)
        if self.objective.get("formula", "time") != "minute":
            return sum(bit.length for bit in bits)
        seen: dict[int, int] = {}
        for bit in bits:
            at = bit.from_us
            while at < bit.to_us:
                minute = at // MINUTE
                until = min(bit.to_us, (minute + 1) * MINUTE)
                seen[minute] = seen.get(minute, 0) + until - at
                at = until
        least = MINUTE if self.objective.get("mode", "whole") == "whole" else 1
        bad = {minute for minute, spent in seen.items() if spent >= least}
        count = 0
        for first in (minute for minute in bad if minute - 1 not in bad):
            last = first
            while last + 1 in bad:
                last += 1
            if last - first + 1 >= self.objective.get("n", 1):
                count += last - first + 1
        return count * MINUTE

    def eligible(self, policy: str, unknown: int | None = None) -> int:
        """E under a policy for UNKNOWN time."""
        spent = self.out_of_schedule + self.dropped
        if policy in ("exclude", "carry"):
            spent += self.unknown(policy) if unknown is None else unknown
        return max(self.length - spent, 0)

    def unknown(self, policy: str) -> int:
        """UNKNOWN time that leaves E under a policy."""
        return self.verdict("UNKNOWN") - (self.carried if policy == "carry" else 0)

    def down(self, kind: str, policy: str) -> int:
        """D under a policy for UNKNOWN time."""
        return self.measured(kind, policy) + (self.verdict("UNKNOWN") if policy == "as_down" else 0)

    def attainment(self, kind: str, policy: str) -> Fraction | None:
        """(E - D) / E, never below nothing (S-34)."""
        eligible = self.eligible(policy)
        if eligible == 0:
            return None
        return max(Fraction(eligible - self.down(kind, policy), eligible), Fraction(0))

    @property
    def coverage(self) -> Fraction | None:
        """(b - unknown) / b, b = in schedule and not dropped (S-40)."""
        base = self.total(lambda b: b.is_in_hours) - self.dropped
        return Fraction(base - self.verdict("UNKNOWN"), base) if base else None

    def standing(self, kind: str, target: Fraction) -> str:
        """The verdict at the downtime of a kind."""
        coverage = self.coverage
        if coverage is None:
            return "no_eligible_time"
        if coverage < share(self.objective.get("min_coverage", "95")):
            return "insufficient_evidence"
        figure = self.attainment(kind, policy_of(self.objective))
        if figure is None:
            return "no_eligible_time"
        return "met" if figure >= target else "breached"

    def is_robust(self, target: Fraction) -> bool:
        """The same verdict at all three (S-42)."""
        return len({self.standing(kind, target) for kind in KINDS}) == 1


def policy_of(objective: Plain) -> str:
    """What an objective says of UNKNOWN time, in a word."""
    return str(objective.get("unknown", "exclude")).split("(")[0]


def denominator(
    spans: list[tuple[int, int]],
    terms: Plain,
    period: tuple[int, int],
    in_force_us: int,
) -> int:
    """The length of a time by the contract's clause (S-31)."""
    actual = sum(b - a for a, b in spans)
    clause = terms["period"].get("denominator", "actual")
    tz = terms["period"].get("tz", "UTC")
    if clause == "nominal_days":
        for day in days(*period, tz):
            bounds = midnight(day, tz), midnight(day + timedelta(days=1), tz)
            if bounds[0] == bounds[1]:
                continue  # a day that the zone left out is none
            touching = [(max(a, bounds[0]), min(b, bounds[1])) for a, b in spans]
            if sum(max(b - a, 0) for a, b in touching) == bounds[1] - bounds[0]:
                actual += DAY - (bounds[1] - bounds[0])
    if clause == "full_period" and spans and spans[0][0] == in_force_us:
        actual += in_force_us - period[0]
    is_over = bool(spans) and spans[-1][1] == period[1]
    if clause == "fixed_30d" and is_over:
        actual = max(actual + 30 * DAY - (period[1] - period[0]), 0)
    return actual
