"""Attainment (S-31, S-34, S-40, S-42, S-43): how much of what was promised was kept, exactly.

Everything is an integer or a Fraction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final

from controller.core.calendars import Period, day_at, midnight_us, zone
from controller.core.intervals import Interval, clip, length
from controller.core.sla.figures.accounting import FIGURE, Account
from controller.core.sla.figures.downtime import FULL, Exact, ratio_of
from controller.core.sla.figures.weighing import Portion, merged
from controller.core.sla.terms.contracts import Denominator, PeriodTerms
from controller.core.sla.terms.objectives import Objective

_SHOWN_DIGITS_MIN: Final = 3
_DAY_US: Final = 86_400_000_000
UNKNOWN_POLICIES: Final = ("exclude", "as_up", "as_down", "carry")


@dataclass(frozen=True, slots=True)
class Figures:
    """Accounts against a denominator and a target: all that is divided.

    There is one portion of weight 1, but in a weighted composite, where all of them together weigh 1 and every
    figure is the weighted sum of theirs (S-49). `length_us` is the denominator before anything is taken
    from it (S-31). A policy is one for UNKNOWN time; the objective's own if none is given.
    """

    portions: Sequence[Portion]
    length_us: int
    target: Fraction
    objective: Objective

    @property
    def account(self) -> Account:
        """All portions as one."""
        return merged(self.portions)

    def eligible_us(self, policy: str | None = None) -> Exact:
        """E (S-34, S-40)."""
        return _sum((weight, self._eligible_us(one, policy)) for weight, one in self.portions)

    def down_us(self, bound: int = FIGURE, policy: str | None = None) -> Exact:
        """D: as attributed, or one of its bounds."""
        return _sum((weight, self._down_us(one, bound, policy)) for weight, one in self.portions)

    def share(self, bound: int = FIGURE, policy: str | None = None) -> Fraction | None:
        """(E - D) / E, never below 0; None without eligible time in any portion (S-34, S-40).

        D can be more than E: by the minute, or where a denominator of 30 days is shorter than the month.
        """
        found = Fraction(0)
        for weight, one in self.portions:
            eligible_us = self._eligible_us(one, policy)
            if eligible_us == 0:
                return None
            share = ratio_of(max(eligible_us - self._down_us(one, bound, policy), 0), eligible_us)
            found = share if weight is FULL else found + weight * share
        return found

    @property
    def coverage(self) -> Fraction | None:
        """The share of the time in schedule and not dropped of which something is known; None without any."""
        found = Fraction(0)
        for weight, one in self.portions:
            base_us = sum(one.by_verdict.values()) + one.excluded_us - one.dropped_us
            if base_us <= 0:
                return None
            share = ratio_of(base_us - one.unknown_us, base_us)
            found = share if weight is FULL else found + weight * share
        return found

    def _eligible_us(self, one: Account, policy: str | None) -> Exact:
        found = self.length_us - one.out_of_schedule_us - one.dropped_us
        match policy or self.objective.unknown_policy:
            case "exclude":
                found -= one.unknown_us
            case "carry":
                found -= one.unknown_us - one.carried_us
        return max(found, 0)

    def _down_us(self, one: Account, bound: int, policy: str | None) -> Exact:
        match policy or self.objective.unknown_policy:
            case "as_down":
                return one.spent_us[bound] + one.unknown_us
            case "carry":
                return one.carried_spent_us[bound]
        return one.spent_us[bound]


def _sum(listed: Iterable[tuple[Fraction, Exact]]) -> Exact:
    """A weighted sum; of one portion the number as it is."""
    found: Exact = 0
    for weight, number in listed:
        found += number if weight is FULL else weight * number
    return found


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


def blended_target(shares: Sequence[tuple[Fraction, Exact]]) -> Fraction | None:
    """The target of (target, eligible time) pairs as one (S-32); None without eligible time."""
    eligible_us = sum((Fraction(each) for _, each in shares), Fraction(0))
    if eligible_us == 0:
        return None
    return sum((target * each for target, each in shares), Fraction(0)) / eligible_us


def shown_percent(share: Fraction | None, target: str) -> str | None:
    """A share in percent, cut (never rounded) to three decimals or as many as the target has (S-42)."""
    if share is None:
        return None
    digits = max(_SHOWN_DIGITS_MIN, len(target.partition(".")[2]))
    one = 10**digits
    scaled = share.numerator * 100 * one // share.denominator
    sign, scaled = ("-", -scaled) if scaled < 0 else ("", scaled)
    return f"{sign}{scaled // one}.{scaled % one:0{digits}}"


def decimal_text(share: Fraction, attained: Fraction | None = None) -> str:
    """A target in percent as a decimal, cut at nine digits.

    At more, where it takes more to tell it from what was attained below it: what is shown must not look met (P8).
    """
    digits = 9
    if attained is not None and attained < share:
        while attained * 100 * 10**digits // 1 == share * 100 * 10**digits // 1:
            digits += 1
    scaled = share * 100 * 10**digits // 1
    text = f"{scaled // 10**digits}.{scaled % 10**digits:0{digits}}".rstrip("0")
    return text.rstrip(".")


def variants(figures: Figures) -> Mapping[str, Fraction | None]:
    """Attainment under each policy for UNKNOWN time, side by side (S-40)."""
    return {policy: figures.share(policy=policy) for policy in UNKNOWN_POLICIES}
