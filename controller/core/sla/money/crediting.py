"""What a breach is worth (S-50), step by step in words that can be checked with pencil and paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, Final, NamedTuple

from controller.core.sla.figures.downtime import Exact
from controller.core.sla.money.credits import (
    CREDITED_IN_TIME,
    AtRisk,
    Blocks,
    Credits,
    DayBand,
    Extension,
    PerMinute,
    Tier,
)
from controller.core.sla.money.money import exact_text, rounded, share_of
from vedette.shared.definitions import micros

_MINUTE_US: Final = 60 * 1_000_000


class OutageDowntime(NamedTuple):
    """One outage as credits see it: the local day on which it began, and its counted downtime."""

    day: date
    downtime_us: Exact


@dataclass(frozen=True, slots=True)
class Missed:
    """All that a credit is computed from.

    `fee_share` is the part of the fee that the segment stands for; `days` is counted downtime by local day.
    `is_of_time`: what was promised is time, and not samples. `elsewhere` says of what credits are, where the
    figure is of another kind of period than the fee.
    """

    objective: str
    share: Fraction | None
    is_breached: bool
    downtime_us: Exact
    fee_share: Fraction = Fraction(1)
    outages: Sequence[OutageDowntime] = ()
    days: Mapping[date, Exact] = field(default_factory=dict)
    is_of_time: bool = True
    elsewhere: str = ""


class Taken(NamedTuple):
    """What the records before it in the same period were given: money as it was shown, and days."""

    money: Fraction = Fraction(0)
    days: int = 0


class Credited(NamedTuple):
    """A credit: money as it is shown, days, and how both stand in a record."""

    money: Fraction
    days: int
    plain: dict[str, Any]


class _Claim(NamedTuple):
    amount: Fraction
    steps: list[str]


def credited(terms: Credits, missed: Missed, taken: Taken = Taken()) -> Credited:  # noqa: B008 - immutable
    """What a breach is worth: `{amount, currency, steps}`, and `days` where it is days and not money.

    First the scheme, then the least that is paid, then the caps, then rounding.
    """
    if terms.extension is not None:
        return _extended(terms.extension, missed, taken)
    assert terms.fee is not None, "terms of money without a fee were refused"
    whole = Fraction(terms.fee)
    fee = whole * missed.fee_share
    steps = [f"fee {terms.fee} {terms.currency}"]
    if missed.fee_share != 1:
        steps.append(
            f"times the segment's part of the time in schedule that is not dropped, {exact_text(missed.fee_share)}: {exact_text(fee)}"
        )
    if (nothing := _no_breach(missed) or _no_time(terms, missed)) is not None:
        return _told(terms, Fraction(0), [*steps, nothing])
    claim = _scheme(terms, missed, fee, taken)
    steps += claim.steps
    amount = claim.amount
    if 0 < amount < Fraction(terms.minimum):
        steps.append(f"less than the least that is paid ({terms.minimum}): none")
        amount = Fraction(0)
    most = fee * share_of(terms.cap)
    if amount > most:
        steps.append(f"capped at {terms.cap} of the fee: {exact_text(most)}")
        amount = most
    left = whole * share_of(terms.cap) - taken.money
    if amount > left:
        amount = max(left, Fraction(0))
        steps.append(
            f"capped at {terms.cap} of the fee for the period, of which {exact_text(taken.money)} is"
            f" credited before: {exact_text(amount)}"
        )
    return _told(terms, amount, steps)


def _no_breach(missed: Missed) -> str | None:
    """Why nothing is credited whatever the scheme; None where something may be."""
    if missed.share is None:
        return "nothing is judged: no credit"
    if not missed.is_breached:
        return "the objective is not breached: no credit"
    return f"{missed.elsewhere}: no credit" if missed.elsewhere else None


def _no_time(terms: Credits, missed: Missed) -> str | None:
    """Why downtime earns nothing for an objective that is counted in samples."""
    if missed.is_of_time or CREDITED_IN_TIME.isdisjoint(terms.schemes):
        return None
    return f"the objective is counted in samples, and {terms.schemes[0]} in downtime: no credit"


def _told(terms: Credits, amount: Fraction, steps: list[str]) -> Credited:
    assert terms.currency is not None, "terms of money without a currency were refused"
    shown = rounded(amount, terms.currency)
    steps.append(f"rounded half up: {shown} {terms.currency}")
    plain = {"amount": shown, "currency": terms.currency, "steps": steps}
    return Credited(Fraction(shown), 0, plain)


def _extended(terms: Extension, missed: Missed, taken: Taken) -> Credited:
    days, steps = 0, []
    if (nothing := _no_breach(missed)) is not None:
        steps.append(nothing)
    else:
        days, steps = _days(terms, missed, taken)
    plain = {"amount": "0", "currency": None, "steps": steps, "days": days}
    return Credited(Fraction(0), days, plain)


def _days(terms: Extension, missed: Missed, taken: Taken) -> tuple[int, list[str]]:
    """Days that are added to the term, whole ones."""
    assert missed.share is not None
    within = [one for one in terms.tiers if missed.share < share_of(one.below)]
    if not within:
        return 0, ["attainment is below no tier: no days"]
    tier = min(within, key=lambda one: share_of(one.below))
    days = Fraction(tier.days)
    steps = [
        f"attainment {_ratio(missed.share)} is below {tier.below} %: {tier.days} days of service"
    ]
    if missed.fee_share != 1:
        days *= missed.fee_share
        steps.append(
            f"times the segment's part of the time in schedule that is not dropped, {exact_text(missed.fee_share)}: {exact_text(days)}"
        )
    whole = int((days + Fraction(1, 2)) // 1)
    if terms.days_max is not None and whole > terms.days_max - taken.days:
        whole = max(terms.days_max - taken.days, 0)
        steps.append(
            f"at most {terms.days_max} days a period, of which {taken.days} are given before: {whole}"
        )
    steps.append(f"the term is longer by {whole} whole days, half a day rounded up")
    return whole, steps


def _scheme(terms: Credits, missed: Missed, fee: Fraction, taken: Taken) -> _Claim:
    assert missed.share is not None
    if terms.tiers:
        return _by_tier(terms.tiers, missed.share, fee)
    if terms.per_minute is not None:
        return _by_minute(terms.per_minute, missed.downtime_us)
    if terms.blocks is not None:
        return _by_block(terms.blocks, missed.outages, fee)
    if terms.day_bands:
        return _by_day(terms.day_bands, missed.days, fee)
    assert terms.at_risk is not None, "terms without a scheme were refused"
    left = Fraction(terms.fee or 0) * share_of(terms.at_risk.percent) - taken.money
    return _at_risk(terms.at_risk, missed.objective, fee, left)


def _ratio(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}"


def _by_tier(tiers: Sequence[Tier], share: Fraction, fee: Fraction) -> _Claim:
    within = [one for one in tiers if share < share_of(one.below)]
    if not within:
        return _Claim(Fraction(0), ["attainment is below no tier: no credit"])
    tier = min(within, key=lambda one: share_of(one.below))
    amount = fee * share_of(tier.percent)
    return _Claim(
        amount,
        [
            f"attainment {_ratio(share)} is below {tier.below} %: {tier.percent} % of the fee: {exact_text(amount)}"
        ],
    )


def _by_minute(terms: PerMinute, downtime_us: Exact) -> _Claim:
    minutes = Fraction(downtime_us) / _MINUTE_US
    if terms.rounding == "floor":
        minutes = Fraction(minutes // 1)
    elif terms.rounding == "ceil":
        minutes = Fraction(-(-minutes // 1))
    amount = minutes * Fraction(terms.rate) * Fraction(terms.multiplier)
    return _Claim(
        amount,
        [
            f"{exact_text(minutes)} minutes of downtime ({terms.rounding}) x {terms.rate} x {terms.multiplier}: {exact_text(amount)}"
        ],
    )


def _by_block(terms: Blocks, outages: Sequence[OutageDowntime], fee: Fraction) -> _Claim:
    per_us, over_us = micros(terms.per), micros(terms.over)
    by_day: dict[date, int] = {}
    steps: list[str] = []
    for one in outages:
        if one.downtime_us > over_us and (blocks := one.downtime_us // per_us):
            steps.append(
                f"outage of {one.day}: {blocks} full {terms.per} of downtime over {terms.over}"
            )
            by_day[one.day] = by_day.get(one.day, 0) + blocks
    most = terms.a_day_max
    count = sum(blocks if most is None else min(blocks, most) for blocks in by_day.values())
    if most is not None and count < sum(by_day.values()):
        steps.append(f"at most {most} a day: {count}")
    amount = count * fee * share_of(terms.percent)
    return _Claim(amount, [*steps, f"{count} x {terms.percent} % of the fee: {exact_text(amount)}"])


def _by_day(bands: Sequence[DayBand], days: Mapping[date, Exact], fee: Fraction) -> _Claim:
    amount, steps = Fraction(0), []
    for day, downtime_us in sorted(days.items()):
        within = [one for one in bands if downtime_us > micros(one.over)]
        if within:
            band = max(within, key=lambda one: micros(one.over))
            amount += fee * share_of(band.percent)
            steps.append(f"{day}: more than {band.over} of downtime: {band.percent} % of the fee")
    return _Claim(amount, [*steps, f"all days: {exact_text(amount)}"])


def _at_risk(terms: AtRisk, objective: str, fee: Fraction, left: Fraction) -> _Claim:
    """The objective's part of the pool; `left` is what earlier objectives left of the pool of the period."""
    part = terms.allocations.get(objective)
    if part is None:
        return _Claim(Fraction(0), [f"no part of what is at risk stands for {objective}"])
    pool = fee * share_of(terms.percent)
    amount = pool * share_of(part)
    steps = [
        f"at risk {terms.percent} % of the fee: {exact_text(pool)}",
        f"{part} % of it for {objective}: {exact_text(amount)}",
    ]
    if amount > left:
        amount = max(left, Fraction(0))
        steps.append(f"no more than is left of it: {exact_text(amount)}")
    return _Claim(amount, steps)
