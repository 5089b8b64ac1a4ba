"""How fast a budget is used up, and what follows (S-43 to S-45)."""

from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from controller.core.sla.figures.downtime import Exact

_MINUTE_US: Final = 60 * 1_000_000
_HOUR_US: Final = 60 * _MINUTE_US
_DAY_US: Final = 24 * _HOUR_US
PROJECTED_US: Final = 6 * _HOUR_US
"""Over how long the rate is taken that a projection goes on with."""
LOOKED_US: Final = 3 * _DAY_US
"""The longest window that an alert looks at."""
_RELEASE: Final = Fraction(9, 10)


class Urgency(StrEnum):
    """Whether somebody is to be woken up for it."""

    PAGE = "page"
    TICKET = "ticket"


class _Rule(NamedTuple):
    urgency: Urgency
    factor: Fraction
    long_us: int
    short_us: int


RULES: Final = (
    _Rule(Urgency.PAGE, Fraction(144, 10), _HOUR_US, 5 * _MINUTE_US),
    _Rule(Urgency.PAGE, Fraction(6), 6 * _HOUR_US, 30 * _MINUTE_US),
    _Rule(Urgency.TICKET, Fraction(3), _DAY_US, 2 * _HOUR_US),
    _Rule(Urgency.TICKET, Fraction(1), 3 * _DAY_US, 6 * _HOUR_US),
)


class Spent(NamedTuple):
    """Counted downtime and eligible time of a window, microseconds."""

    downtime_us: Exact
    eligible_us: Exact


Window = Callable[[int], Spent]
"""What was spent in the last so many microseconds."""


def burn_rate(spent: Spent, target: Fraction) -> Fraction | None:
    """How many times faster than the target allows; None without eligible time or without any budget."""
    if spent.eligible_us <= 0 or target >= 1:
        return None
    return Fraction(spent.downtime_us) / spent.eligible_us / (1 - target)


class Alert(NamedTuple):
    """A rule that holds now: the budget burns too fast, over a long and over a short time."""

    urgency: Urgency
    long_us: int
    short_us: int
    rate: Fraction


def alerts(window: Window, target: Fraction) -> list[Alert]:
    """The rules that hold, the most urgent first: both of their windows burn as fast as they say."""
    found: list[Alert] = []
    for rule in RULES:
        # The short one first: it costs less to look at, and it decides nearly always.
        short = burn_rate(window(rule.short_us), target)
        if short is None or short < rule.factor:
            continue
        long = burn_rate(window(rule.long_us), target)
        if long is not None and long >= rule.factor:
            found.append(Alert(rule.urgency, rule.long_us, rule.short_us, long))
    return found


def lasting(window: Window, target: Fraction) -> list[Alert]:
    """The rules for which an alert that has begun goes on, the most urgent first.

    It takes less for that than to begin, so that an alert does not come and go at the bound: nine tenths
    of the factor, and twice the short window, within which the budget burnt last.
    """
    found: list[Alert] = []
    for rule in RULES:
        long, short = (
            burn_rate(window(length_us), target) for length_us in (rule.long_us, 2 * rule.short_us)
        )
        bound = rule.factor * _RELEASE
        if long is not None and short is not None and min(long, short) >= bound:
            found.append(Alert(rule.urgency, rule.long_us, rule.short_us, long))
    return found


class Course(StrEnum):
    """Where a period is going."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    WILL_BREACH = "will_breach"
    IRRECOVERABLE = "irrecoverable"


class Projection(NamedTuple):
    """The course, and when the budget is used up if it goes on as it did; None: not at this rate."""

    course: Course
    exhausted_us: int | None


def projection(
    budget: Fraction,
    downtime_us: Exact,
    recent: Spent,
    *,
    now_us: int,
    ends_us: int,
    target: Fraction,
) -> Projection:
    """What becomes of a period that goes on as `recent` was (S-45).

    At risk: not used up before the end, but faster than the target allows.
    """
    if downtime_us > budget:
        return Projection(Course.IRRECOVERABLE, None)
    if recent.downtime_us <= 0 or recent.eligible_us <= 0:
        return Projection(Course.ON_TRACK, None)
    left_us = Fraction(budget - downtime_us) * recent.eligible_us / recent.downtime_us
    exhausted_us = now_us + left_us // 1
    if exhausted_us < ends_us:
        return Projection(Course.WILL_BREACH, exhausted_us)
    rate = burn_rate(recent, target)
    is_fast = rate is None or rate > 1
    return Projection(Course.AT_RISK if is_fast else Course.ON_TRACK, exhausted_us)
