"""Credits (S-50): what a breach is worth, step by step in words that can be checked with pencil and paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from controller.core.sla.money import (
    Amount,
    Currency,
    Percent,
    PercentSign,
    exact_text,
    rounded,
    share_of,
)
from vedette.shared.definitions import Id, micros
from vedette.shared.probes import DurationText, Finding, Part

_MINUTE_US = 60 * 1_000_000


class Tier(Part, frozen=True, kw_only=True):
    """Below so much attainment, so much of the fee. Exactly so much is not below."""

    below: Percent
    percent: Percent


class PerMinute(Part, frozen=True, kw_only=True):
    """So much for every minute of downtime, times a factor; begun minutes by `rounding`."""

    rate: Amount
    multiplier: Percent = "1"
    rounding: Literal["floor", "ceil", "exact"] = "exact"


class Blocks(Part, frozen=True, kw_only=True):
    """So much of the fee for every full `per` of one outage that is longer than `over`, so many a day at most."""

    percent: Percent
    per: DurationText
    over: DurationText = "0s"
    a_day_max: Annotated[int, Meta(ge=1, le=1440)] | None = None


class DayBand(Part, frozen=True, kw_only=True):
    """So much of the fee for each local day with more than so much downtime; the widest band that fits counts."""

    over: DurationText
    percent: Percent


class AtRisk(Part, frozen=True, kw_only=True):
    """A share of the fee is at risk, and each objective that is missed takes its part of it."""

    percent: Percent
    allocations: dict[Id, Percent]


class Credits(Part, frozen=True, kw_only=True):
    """What is paid back. Exactly one of the schemes stands in it."""

    fee: Amount
    currency: Currency
    tiers: list[Tier] = msgspec.field(default_factory=list)
    per_minute: PerMinute | None = None
    blocks: Blocks | None = None
    day_bands: list[DayBand] = msgspec.field(default_factory=list)
    at_risk: AtRisk | None = None
    minimum: Amount = "0"
    cap: PercentSign = "100%"
    claim_deadline: (
        Annotated[str, Meta(pattern=r"^P[1-9][0-9]{0,2}[DM]$", description="P30D, P2M")] | None
    ) = None

    @property
    def schemes(self) -> list[str]:
        """The names of the schemes that stand in it."""
        names = ("tiers", "per_minute", "blocks", "day_bands", "at_risk")
        return [name for name in names if getattr(self, name)]

    def findings(self, objectives: Sequence[str]) -> list[Finding]:
        """What is wrong with it in a contract of these objectives."""
        found: list[Finding] = []
        if len(self.schemes) != 1:
            expected = "one of tiers, per_minute, blocks, day_bands and at_risk"
            found.append(((), expected, " and ".join(self.schemes) or "none of them"))
        bounds = [one.below for one in self.tiers]
        for place, below in enumerate(bounds):
            if below in bounds[:place]:
                found.append((("tiers", place, "below"), "a bound of its own", f"{below} again"))
        for place, name in enumerate(self.at_risk.allocations if self.at_risk else ()):
            if name not in objectives:
                expected = f"an objective of this contract ({', '.join(objectives)})"
                found.append((("at_risk", "allocations", place), expected, repr(name)))
        return found


class OutageDowntime(NamedTuple):
    """One outage as credits see it: the local day on which it began, and its counted downtime."""

    day: date
    downtime_us: int


@dataclass(frozen=True, slots=True)
class Missed:
    """All that a credit is computed from.

    `fee_share` is the part of the fee that the segment stands for; `days` is counted downtime by local day.
    """

    objective: str
    share: Fraction | None
    is_breached: bool
    downtime_us: int
    fee_share: Fraction = Fraction(1)
    outages: Sequence[OutageDowntime] = ()
    days: Mapping[date, int] = field(default_factory=dict)


class Credited(NamedTuple):
    """A credit: the exact amount, and how it stands in a record."""

    exact: Fraction
    plain: dict[str, Any]


class _Claim(NamedTuple):
    amount: Fraction
    steps: list[str]


def credited(terms: Credits, missed: Missed, spent: Fraction = Fraction(0)) -> Credited:
    """What a breach is worth: `{amount, currency, steps}`.

    `spent` is what earlier objectives of the same contract took of the pool at risk.
    """
    fee = Fraction(terms.fee) * missed.fee_share
    steps = [f"fee {terms.fee} {terms.currency}"]
    if missed.fee_share != 1:
        steps.append(
            f"times the segment's part of the eligible time {exact_text(missed.fee_share)}: {exact_text(fee)}"
        )
    if missed.share is None or not missed.is_breached:
        why = "nothing is judged" if missed.share is None else "the objective is not breached"
        return _told(terms, Fraction(0), [*steps, f"{why}: no credit"])
    claim = _scheme(terms, missed, fee, spent)
    steps += claim.steps
    amount = claim.amount
    most = fee * share_of(terms.cap)
    if amount > most:
        steps.append(f"capped at {terms.cap} of the fee: {exact_text(most)}")
        amount = most
    if 0 < amount < Fraction(terms.minimum):
        steps.append(f"less than the least that is paid ({terms.minimum}): none")
        amount = Fraction(0)
    return _told(terms, amount, steps)


def _told(terms: Credits, amount: Fraction, steps: list[str]) -> Credited:
    shown = rounded(amount, terms.currency)
    steps.append(f"rounded half up: {shown} {terms.currency}")
    return Credited(amount, {"amount": shown, "currency": terms.currency, "steps": steps})


def _scheme(terms: Credits, missed: Missed, fee: Fraction, spent: Fraction) -> _Claim:
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
    return _at_risk(terms.at_risk, missed.objective, fee, spent)


def _by_tier(tiers: Sequence[Tier], share: Fraction, fee: Fraction) -> _Claim:
    within = [one for one in tiers if share < share_of(one.below)]
    if not within:
        return _Claim(Fraction(0), ["attainment is below no tier: no credit"])
    tier = min(within, key=lambda one: share_of(one.below))
    amount = fee * share_of(tier.percent)
    return _Claim(
        amount,
        [
            f"attainment {share.numerator}/{share.denominator} is below {tier.below} %: {tier.percent} % of the fee: {exact_text(amount)}"
        ],
    )


def _by_minute(terms: PerMinute, downtime_us: int) -> _Claim:
    minutes = Fraction(downtime_us, _MINUTE_US)
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


def _by_day(bands: Sequence[DayBand], days: Mapping[date, int], fee: Fraction) -> _Claim:
    amount, steps = Fraction(0), []
    for day, downtime_us in sorted(days.items()):
        within = [one for one in bands if downtime_us > micros(one.over)]
        if within:
            band = max(within, key=lambda one: micros(one.over))
            amount += fee * share_of(band.percent)
            steps.append(f"{day}: more than {band.over} of downtime: {band.percent} % of the fee")
    return _Claim(amount, [*steps, f"all days: {exact_text(amount)}"])


def _at_risk(terms: AtRisk, objective: str, fee: Fraction, spent: Fraction) -> _Claim:
    pool = fee * share_of(terms.percent)
    part = terms.allocations.get(objective)
    if part is None:
        return _Claim(Fraction(0), [f"no part of what is at risk stands for {objective}"])
    amount = pool * share_of(part)
    steps = [
        f"at risk {terms.percent} % of the fee: {exact_text(pool)}",
        f"{part} % of it for {objective}: {exact_text(amount)}",
    ]
    if amount > pool - spent:
        amount = max(pool - spent, Fraction(0))
        steps.append(f"no more than is left of it: {exact_text(amount)}")
    return _Claim(amount, steps)
