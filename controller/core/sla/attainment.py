"""Attainment (S-31, S-34, S-40, S-42, S-43): how much of what was promised was kept, exactly.

Everything is an integer or a Fraction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final

from controller.core.calendars import Period, day_at, midnight_us, zone
from controller.core.intervals import Interval, clip, length
from controller.core.sla.accounting import Account
from controller.core.sla.contracts import Denominator, PeriodTerms
from controller.core.sla.objectives import Objective

_SHOWN_DIGITS_MIN: Final = 3
_DAY_US: Final = 86_400_000_000
UNKNOWN_POLICIES: Final = ("exclude", "as_up", "as_down")


@dataclass(frozen=True, slots=True)
class Figures:
    """An account against a denominator and a target: all that is divided.

    `length_us` is the denominator before anything is taken from it (S-31).
    """

    account: Account
    length_us: int
    target: Fraction
    objective: Objective

    def eligible_us(self, policy: str | None = None) -> int:
        """E under a policy for UNKNOWN time (the objective's own if none is given)."""
        found = self.length_us - self.account.out_of_schedule_us - self.account.dropped_us
        if (policy or self.objective.unknown) == "exclude":
            found -= self.account.unknown_us
        return max(found, 0)

    def down_us(self, downtime_us: int, policy: str | None = None) -> int:
        """D, where `downtime_us` is what was counted."""
        is_down = (policy or self.objective.unknown) == "as_down"
        return downtime_us + (self.account.unknown_us if is_down else 0)

    def share(self, downtime_us: int, policy: str | None = None) -> Fraction | None:
        """(E - D) / E, never below 0; None without eligible time (S-34, S-40).

        D can be more than E: by the minute, or where a denominator of 30 days is shorter than the month.
        """
        eligible_us = self.eligible_us(policy)
        if eligible_us == 0:
            return None
        return Fraction(max(eligible_us - self.down_us(downtime_us, policy), 0), eligible_us)

    @property
    def coverage(self) -> Fraction | None:
        """The share of the time in schedule and not dropped of which something is known; None without any."""
        base_us = self._base_us
        return Fraction(base_us - self.account.unknown_us, base_us) if base_us > 0 else None

    @property
    def _base_us(self) -> int:
        spent = sum(self.account.by_verdict.values()) + self.account.excluded_us
        return spent - self.account.dropped_us


def denominator_us(
    terms: PeriodTerms, period: Period, span: Sequence[Interval], *, in_force_us: int
) -> int:
    """How long the instants of `span` count as, before anything is taken from them (S-31).

    Nominal days are days that lie in it whole. Where a period has several segments, the one with which the
    contract begins has the time before it, and the one that reaches the end has what a period of 30 days has
    more or less; of a period that is not over nobody has that yet.
    """
    counted_us = length(span)
    match terms.denominator:
        case Denominator.ACTUAL:
            return counted_us
        case Denominator.NOMINAL_DAYS:
            return counted_us + sum(_nominal_surplus_us(one, terms.tz) for one in span)
        case Denominator.FULL_PERIOD:
            begins = bool(span) and span[0].from_us == in_force_us
            return counted_us + (in_force_us - period.from_us if begins else 0)
        case Denominator.FIXED_30D:
            ends = bool(span) and span[-1].to_us == period.to_us
            surplus_us = 30 * _DAY_US - (period.to_us - period.from_us)
            return max(counted_us + (surplus_us if ends else 0), 0)


def _nominal_surplus_us(span: Interval, tz: str) -> int:
    """By how much the whole days of a span are shorter (or, below 0, longer) than 24 hours."""
    where = zone(tz)
    day, last = day_at(span.from_us, where), day_at(span.to_us, where)
    surplus_us = 0
    while day <= last:
        bounds = midnight_us(day, where), midnight_us(day + timedelta(days=1), where)
        if clip([bounds], *span) == [bounds]:
            surplus_us += _DAY_US - (bounds[1] - bounds[0])
        day += timedelta(days=1)
    return surplus_us


def blended_target(shares: Sequence[tuple[Fraction, int]]) -> Fraction | None:
    """The target of (target, eligible time) pairs as one (S-32); None without eligible time."""
    eligible_us = sum(each for _, each in shares)
    if eligible_us == 0:
        return None
    return sum((target * each for target, each in shares), Fraction(0)) / eligible_us


def shown_percent(share: Fraction | None, target: str) -> str | None:
    """A share in percent, cut (never rounded) to three decimals or as many as the target has (S-42)."""
    if share is None:
        return None
    digits = max(_SHOWN_DIGITS_MIN, len(target.partition(".")[2]))
    scaled = share * 100 * 10**digits // 1
    sign, scaled = ("-", -scaled) if scaled < 0 else ("", scaled)
    return f"{sign}{scaled // 10**digits}.{scaled % 10**digits:0{digits}}"


def decimal_text(share: Fraction) -> str:
    """A target in percent as a decimal, cut at nine digits."""
    scaled = share * 100 * 10**9 // 1
    text = f"{scaled // 10**9}.{scaled % 10**9:09}".rstrip("0")
    return text.rstrip(".")


def variants(figures: Figures) -> Mapping[str, Fraction | None]:
    """Attainment under each policy for UNKNOWN time, side by side (S-40)."""
    return {p: figures.share(figures.account.downtime_us, p) for p in UNKNOWN_POLICIES}
