"""Credits and cost from sums, by the words of S-50 and S-51; amounts are Fractions until they are shown."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from tests.property.sla_oracle.calendar import DAY, MINUTE, day_of, hours, midnight
from tests.property.sla_oracle.painting import Bit
from tests.property.sla_oracle.terms import Plain, micros, share

DIGITS = {"JPY": 0, "KWD": 3}


def shown(amount: Fraction, currency: str) -> str:
    """Half up to the minor unit."""
    digits = DIGITS.get(currency, 2)
    units = int(amount * 10**digits * 2 + 1) // 2
    text = str(units).rjust(digits + 1, "0")
    return text if digits == 0 else text[:-digits] + "." + text[-digits:]


@dataclass(frozen=True)
class Loss:
    """What a credit depends on. `outages` are (local day, downtime) of those that count."""

    objective: str
    figure: Fraction | None
    is_breached: bool
    downtime: int
    fee_share: Fraction
    outages: list[tuple[date, int]]
    bits: list[Bit]
    tz: str


def credit(terms: Plain, loss: Loss, spent: Fraction) -> Fraction:
    """What is paid back, in whole minor units; `spent` is what the period was credited before."""
    if loss.figure is None or not loss.is_breached:
        return Fraction(0)
    whole = Fraction(terms["fee"])
    fee = whole * loss.fee_share
    amount = _scheme(terms, loss, fee, spent)
    if amount < Fraction(terms.get("minimum", "0")):
        amount = Fraction(0)
    cap = share(terms.get("cap", "100%"))
    amount = min(amount, fee * cap, max(whole * cap - spent, Fraction(0)))
    return Fraction(shown(amount, terms["currency"]))


def days(terms: Plain, loss: Loss, given: int) -> int:
    """Days of service that are given instead of money; `given` were given before."""
    if loss.figure is None or not loss.is_breached:
        return 0
    rows = [t for t in terms["tiers"] if loss.figure < share(t["below"])]
    if not rows:
        return 0
    worst = min(rows, key=lambda t: share(t["below"]))
    added = int(worst["days"] * loss.fee_share * 2 + 1) // 2
    most: int = terms.get("days_max", 1 << 60)
    return max(min(added, most - given), 0)


def _scheme(terms: Plain, loss: Loss, fee: Fraction, spent: Fraction) -> Fraction:
    if "tiers" in terms:
        assert loss.figure is not None
        # The bounds cut all attainments into [lo, hi); the first row of them that holds the figure counts.
        for row in sorted(terms["tiers"], key=lambda one: share(one["below"])):
            if loss.figure < share(row["below"]):
                return fee * share(row["percent"])
        return Fraction(0)
    if "per_minute" in terms:
        own = terms["per_minute"]
        whole, rest = divmod(loss.downtime, MINUTE)
        minutes = {
            "floor": Fraction(whole),
            "ceil": Fraction(whole + (rest > 0)),
            "exact": Fraction(loss.downtime, MINUTE),
        }[own.get("rounding", "exact")]
        return minutes * Fraction(own["rate"]) * Fraction(own.get("multiplier", "1"))
    if "blocks" in terms:
        own = terms["blocks"]
        a_day: Counter[date] = Counter()
        for day, downtime in loss.outages:
            if downtime > micros(own.get("over", "0s")):
                a_day[day] += downtime // micros(own["per"])
        most = own.get("a_day_max", 1 << 60)
        count = sum(min(n, most) for n in a_day.values())
        return Fraction(count) * fee * share(own["percent"])
    if "day_bands" in terms:
        by_day: Counter[date] = Counter()
        for bit in loss.bits:  # no bit reaches over a midnight
            by_day[day_of(bit.from_us, loss.tz)] += bit.length
        total = Fraction(0)
        for downtime in by_day.values():
            fit = [one for one in terms["day_bands"] if downtime > micros(one["over"])]
            fit.sort(key=lambda one: micros(one["over"]))
            total += fee * share(fit[-1]["percent"]) if fit else 0
        return total
    own = terms["at_risk"]
    part = fee * share(own["percent"]) * share(own["allocations"].get(loss.objective, "0"))
    left = Fraction(terms["fee"]) * share(own["percent"]) - spent
    return max(min(part, left), Fraction(0))


def cost(terms: Plain, bits: list[Bit], span: int, tz: str) -> Plain:
    """What counted downtime costs within the hours of business, and what a year like it would."""
    amount, lost = Fraction(0), 0
    for bit in bits:
        day = day_of(bit.from_us, tz)
        bounds = midnight(day, tz), midnight(day + timedelta(days=1), tz)
        open_hours = hours(terms.get("hours", "always"), *bounds, tz)
        edges = sorted(
            {edge for one in open_hours for edge in one if bounds[0] <= edge <= bounds[1]}
            | {*bounds}
        )
        open_us = sum(b - a for a, b in pairwise(edges) if _within(a, b, open_hours))
        if _within(bit.from_us, bit.to_us, open_hours):
            lost += bit.length
            amount += Fraction(terms["per_day"]) * bit.length / open_us
    year = amount * 365 * DAY / span if span else Fraction(0)
    return {
        "amount": shown(amount, terms["currency"]),
        "a_year": shown(year, terms["currency"]),
        "downtime": lost,
    }  # fmt: skip


def _within(from_us: int, to_us: int, spans: list[tuple[int, int]]) -> bool:
    return any(a <= from_us and to_us <= b for a, b in spans)
