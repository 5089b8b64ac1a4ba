"""What downtime costs (S-51): by a rate a day, spread over the hours in which business is done."""

from datetime import timedelta
from fractions import Fraction
from typing import Any, Final, Literal

from controller.core.calendars import day_at, midnight_us, zone
from controller.core.intervals import length
from controller.core.sla.figures.downtime import Downtime
from controller.core.sla.money.money import Amount, Currency, exact_text, rounded
from controller.core.sla.terms.service_hours import ALWAYS, ServiceHours, in_service
from vedette.shared.probes import Part

_DAY_US: Final = 86_400_000_000
_YEAR_US: Final = 365 * _DAY_US


class Cost(Part, frozen=True, kw_only=True):
    """So much a business day, earned evenly over its hours. Downtime outside them costs nothing."""

    per_day: Amount
    currency: Currency
    hours: ServiceHours | Literal["always"] = ALWAYS


def cost_of(terms: Cost, tz: str, down: Downtime, span_us: int) -> dict[str, Any]:
    """What the instants of `down` cost, and what a year like these `span_us` would."""
    amount, lost_us = Fraction(0), Fraction(0)
    where = zone(tz)
    days = sorted(
        {
            day
            for one in down.steps
            for day in (day_at(one.from_us, where), day_at(one.to_us, where))
        }
    )
    day, last = (days[0], days[-1]) if days else (None, None)
    while day is not None and last is not None and day <= last:
        bounds = midnight_us(day, where), midnight_us(day + timedelta(days=1), where)
        hours = in_service(terms.hours, tz, *bounds)
        inside_us = down.between(*bounds).within(hours).us()
        if inside_us:
            amount += Fraction(terms.per_day) * inside_us / length(hours)
            lost_us += inside_us
        day += timedelta(days=1)
    year = amount * Fraction(_YEAR_US, span_us) if span_us > 0 else Fraction(0)
    return {
        "amount": rounded(amount, terms.currency),
        "a_year": rounded(year, terms.currency),
        "currency": terms.currency,
        "downtime": -(-lost_us // 1),
        "steps": [
            f"{terms.per_day} {terms.currency} a day over its hours",
            f"{exact_text(Fraction(lost_us) / 60_000_000)} minutes of downtime in them: {exact_text(amount)}",
            f"as often in a year, 365 days to these {exact_text(Fraction(max(span_us, 0), _DAY_US))}: {exact_text(year)}",
        ],
    }
