"""Contracts: what was promised, as a document whose every clause is computed or refused by name."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from controller.core.calendars import SHORTEST_DAYS, Period, PeriodKind, period_at, period_named
from controller.core.instants import instant
from controller.core.intervals import Interval
from controller.core.sla.figures.downtime_start import DowntimeStart
from controller.core.sla.money.cost import Cost
from controller.core.sla.money.credits import Credits
from controller.core.sla.reports.period_life import Lateness
from controller.core.sla.terms.exclusions import ExclusionClauses
from controller.core.sla.terms.objectives import Objective
from controller.core.sla.terms.percent import Decimal
from controller.core.sla.terms.scopes import Scope
from controller.core.sla.terms.service_hours import ALWAYS, ServiceHours
from vedette.shared.definitions import Id, micros
from vedette.shared.probes import DurationText, Part

ROLLING: Final = "rolling"
_DAY_US: Final = 86_400_000_000


class Denominator(StrEnum):
    """How long a period counts as, before anything is taken from it (S-31)."""

    ACTUAL = "actual"
    NOMINAL_DAYS = "nominal_days"
    FULL_PERIOD = "full_period"
    FIXED_30D = "fixed_30d"


class Amending(StrEnum):
    """What an amendment within a period does to its figure (S-32)."""

    SEGMENTED = "segmented"
    BLENDED = "blended"
    NEXT_PERIOD = "next_period"


class PeriodTerms(Part, frozen=True, kw_only=True):
    """Over what time attainment is taken."""

    kind: PeriodKind = PeriodKind.MONTH
    length: DurationText | None = None
    tz: str = "UTC"
    denominator: Denominator = Denominator.ACTUAL

    @property
    def shortest_us(self) -> int:
        """The least that a period of this kind lasts."""
        if self.kind is PeriodKind.ROLLING:
            return micros(self.length) if self.length else 0
        return SHORTEST_DAYS[self.kind] * _DAY_US

    def at(self, at_us: int) -> Period:
        """The period that an instant lies in; a rolling one ends there (S-33)."""
        if self.kind is PeriodKind.ROLLING:
            return Period(at_us - self.shortest_us, at_us, self.kind, ROLLING)
        return period_at(at_us, self.kind, self.tz)

    def named(self, label: str, at_us: int | None) -> Period:
        """The period of that label. `rolling` ends at the instant that is given. ValueError if there is none."""
        if label != ROLLING:
            return period_named(label, self.tz)
        if self.kind is not PeriodKind.ROLLING or at_us is None:
            raise ValueError("a rolling period needs a contract of rolling periods, and as of when")
        return self.at(at_us)


class OutageTerms(Part, frozen=True, kw_only=True):
    """From which length on an outage counts (S-39), and from when."""

    min_duration: DurationText = "0s"
    downtime_start: DowntimeStart = DowntimeStart.FIRST_FAILURE


class Grade(Part, frozen=True, kw_only=True):
    """What is to happen below so much attainment (S-52). Exactly so much is not below.

    Attainment is taken `of` the time so far, or of the whole period, as if nothing more failed in it. `notify`
    names channels that are told besides those that chose the event.
    """

    below: Decimal
    action: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="a word: warn")]
    of: Literal["so_far", "period"] = "so_far"
    notify: Id | list[Id] = msgspec.field(default_factory=list)

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it names."""
        return (self.notify,) if isinstance(self.notify, str) else tuple(self.notify)

    def is_reached(self, share: Fraction | None) -> bool:
        """Attainment is below it."""
        return share is not None and share < Fraction(self.below) / 100


class Termination(Part, frozen=True, kw_only=True):
    """A right to terminate after so many periods running, each below so much attainment.

    Of one objective; where none is named, of each objective by itself.
    """

    below: Decimal
    periods: Annotated[int, Meta(ge=1, le=24)]
    objective: Id | None = None

    @property
    def below_share(self) -> Fraction:
        """The bound as a share of 1. Exactly so much is not below."""
        return Fraction(self.below) / 100


class Overlay(Part, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Another target of an objective for some time: a season."""

    from_: str | int
    to: str | int
    objective: Id
    target: Decimal

    @property
    def interval(self) -> Interval:
        """When it holds."""
        return Interval(instant(self.from_), instant(self.to))


class Contract(Part, frozen=True, kw_only=True):
    """A contract in one revision.

    `parent` is the contract that it supports (S-49).
    """

    id: Id
    title: str = ""
    party: str = ""
    level: Literal["customer", "internal", "underpinning"] = "customer"
    effective_from: str | int
    scope: Scope
    period: PeriodTerms = PeriodTerms()
    objectives: Annotated[list[Objective], Meta(min_length=1)]
    acknowledge_unmeasurable: bool = False
    parent: Id | None = None
    service_hours: ServiceHours | Literal["always"] = ALWAYS
    exclusions: ExclusionClauses = ExclusionClauses()
    amendments: Amending = Amending.SEGMENTED
    overlays: list[Overlay] = msgspec.field(default_factory=list)
    outage: OutageTerms = OutageTerms()
    credits: Credits | None = None
    termination: Termination | None = None
    grades: list[Grade] = msgspec.field(default_factory=list)
    cost: Cost | None = None
    lateness: Lateness = Lateness()

    @property
    def effective_us(self) -> int:
        """From when it is in force."""
        return instant(self.effective_from)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract with its amendments: `versions` by when they begin, each written out in full."""

    versions: tuple[Contract, ...]

    @property
    def first(self) -> Contract:
        """As it was agreed at first."""
        return self.versions[0]

    @property
    def scope(self) -> Scope:
        """What it is about: amendments keep it."""
        return self.first.scope

    @property
    def period(self) -> PeriodTerms:
        """The periods by which it is judged: amendments keep them."""
        return self.first.period

    def lateness_of(self, period: Period) -> Lateness:
        """The clause by which a period is closed: that of the version in force when it ends."""
        held = [one for one in self.versions if one.effective_us < period.to_us]
        return (held[-1] if held else self.first).lateness

    @property
    def objectives(self) -> tuple[str, ...]:
        """The ids of all objectives that it ever had, in the order in which they came."""
        return tuple(dict.fromkeys(o.id for one in self.versions for o in one.objectives))
