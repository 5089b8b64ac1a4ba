"""The clause of credits (S-50): what a contract says is paid back for a breach."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from controller.core.sla.money.money import Amount, Currency, Percent, PercentSign, share_of
from vedette.shared.definitions import Id, micros
from vedette.shared.probes import DurationText, Finding, Part

CREDITED_IN_TIME: Final = frozenset({"per_minute", "blocks", "day_bands"})
"""The schemes that count downtime, and not how much of something was kept."""
Days = Annotated[int, Meta(ge=1, le=3660, description="a number of days")]
Periods = Annotated[int, Meta(ge=1, le=24, description="a number of periods")]


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


class EarnBack(Part, frozen=True, kw_only=True):
    """What was taken is given back once the objective was met in so many periods after, without a break."""

    periods: Periods


class AtRisk(Part, frozen=True, kw_only=True):
    """A share of the fee is at risk, and each objective that is missed takes its part of it."""

    percent: Percent
    allocations: dict[Id, Percent]
    earn_back: EarnBack | None = None


class DayTier(Part, frozen=True, kw_only=True):
    """Below so much attainment, the term is so many days longer. Exactly so much is not below."""

    below: Percent
    days: Days


class Extension(Part, frozen=True, kw_only=True):
    """No money, but service: days that are added to the term at no charge, so many a period at most."""

    tiers: Annotated[list[DayTier], Meta(min_length=1)]
    days_max: Days | None = None


class Credits(Part, frozen=True, kw_only=True):
    """What is paid back. Exactly one of the schemes stands in it; all of them but an extension need a fee.

    `cap` is of the fee of a period, for all that is credited in it; `year_cap` is an amount for a calendar year.
    """

    fee: Amount | None = None
    currency: Currency | None = None
    tiers: list[Tier] = msgspec.field(default_factory=list)
    per_minute: PerMinute | None = None
    blocks: Blocks | None = None
    day_bands: list[DayBand] = msgspec.field(default_factory=list)
    at_risk: AtRisk | None = None
    extension: Extension | None = None
    minimum: Amount = "0"
    cap: PercentSign = "100%"
    year_cap: Amount | None = None
    claim_deadline: (
        Annotated[
            str, Meta(pattern=r"^P[1-9][0-9]{0,2}[DM]$", description="days or months: P30D, P2M")
        ]
        | None
    ) = None

    @property
    def schemes(self) -> list[str]:
        """The names of the schemes that stand in it."""
        names = ("tiers", "per_minute", "blocks", "day_bands", "at_risk", "extension")
        return [name for name in names if getattr(self, name)]

    def findings(self, objectives: Sequence[str]) -> list[Finding]:
        """What is wrong with it in a contract of these objectives."""
        found: list[Finding] = []
        if len(self.schemes) != 1:
            expected = "one of tiers, per_minute, blocks, day_bands, at_risk and extension"
            found.append(((), expected, " and ".join(self.schemes) or "none of them"))
        found += self._money_findings()
        for place, name in enumerate(self.at_risk.allocations if self.at_risk else ()):
            if name not in objectives:
                expected = f"an objective of this contract ({', '.join(objectives)})"
                found.append((("at_risk", "allocations", place), expected, repr(name)))
        return found

    def order_findings(self) -> Iterator[Finding]:
        """Each bound once, and no less for a worse figure (P12)."""
        yield from _tier_findings(("tiers",), [(t.below, Fraction(t.percent)) for t in self.tiers])
        if self.extension is not None:
            tiers = [(t.below, Fraction(t.days)) for t in self.extension.tiers]
            yield from _tier_findings(("extension", "tiers"), tiers)
        yield from self._band_findings()

    def _money_findings(self) -> Iterator[Finding]:
        """Money needs a fee and a currency; days need neither, nor anything that is counted in money."""
        is_money = self.extension is None
        for name in ("fee", "currency"):
            if is_money and getattr(self, name) is None:
                yield (name,), f"the {name}: credits of money are reckoned from it", "none"
        if not is_money and self.year_cap is not None:
            yield ("year_cap",), "no amount for a year beside an extension: it is no money", "one"

    def _band_findings(self) -> Iterator[Finding]:
        """A longer day may not be worth less (P12)."""
        for place, band in enumerate(self.day_bands):
            for other in self.day_bands[:place]:
                if micros(band.over) == micros(other.over):
                    yield (
                        (("day_bands", place, "over"), "a bound of its own", f"{band.over} again")
                    )
                    break
        ordered = sorted(self.day_bands, key=lambda one: micros(one.over))
        for less, more in itertools.pairwise(ordered):
            if Fraction(more.percent) < Fraction(less.percent):
                place = self.day_bands.index(more)
                expected = f"at least {less.percent}, which days over {less.over} are worth"
                yield ("day_bands", place, "percent"), expected, more.percent


def _tier_findings(
    path: tuple[str, ...], tiers: Sequence[tuple[str, Fraction]]
) -> Iterator[Finding]:
    """Each bound once, and no less for a worse figure (P12)."""
    bounds = [share_of(below) for below, _ in tiers]
    for place, (below, _) in enumerate(tiers):
        if bounds[place] in bounds[:place]:
            yield (*path, place, "below"), "a bound of its own", f"{below} again"
    ordered = sorted(range(len(tiers)), key=lambda place: bounds[place])
    for worse, better in itertools.pairwise(ordered):
        if bounds[worse] < bounds[better] and tiers[worse][1] < tiers[better][1]:
            expected = f"no less than what is credited below {tiers[better][0]}"
            yield (*path, worse), expected, f"less below {tiers[worse][0]}"
