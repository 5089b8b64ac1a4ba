"""The books of a contract over a period: hours, exclusions and timelines, from which any part of it is accounted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple

from controller.core.calendars import Period
from controller.core.intervals import FOREVER_US, Interval
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import (
    Counting,
    Eligible,
    Sets,
    Stretch,
    Timeline,
    account,
    eligible,
)
from controller.core.sla.figures.applied import Applied, Status, applied
from controller.core.sla.figures.downtime import FULL, MinuteRule
from controller.core.sla.figures.downtime_start import DowntimeStart
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.figures.sampling import Samples
from controller.core.sla.figures.weighing import Portion
from controller.core.sla.terms.contracts import Agreement, Contract, OutageTerms
from controller.core.sla.terms.exclusions import Declaration
from controller.core.sla.terms.objectives import Availability, Formula, Objective
from controller.core.sla.terms.service_hours import in_service
from vedette.shared.definitions import micros


class Member(NamedTuple):
    """What is known of one check of a weighted composite: the exclusions are those that cover it."""

    check: str
    weight: Fraction
    stretches: Sequence[Stretch]
    exclusions: Sequence[Declaration]
    samples: Sequence[Samples] = ()
    costing: Mapping[DowntimeStart, Sequence[Stretch]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of the checks of a contract: their timeline as one, outages, and exclusions that cover them.

    `members` is what is known of each check where they are weighted (S-49). `samples` are those of the checks,
    where they are at hand. `bounds_us` are least and most downtime of the whole timeline, where only these totals
    are known: they are used where the whole timeline lies in the time that is asked for, and all of it counts.
    `timed` are the outages that timers run for, those of single regions too; None: they are not known.
    `costing` is the timeline with only the DOWN time that costs, by from when on it does, where a version of the
    contract says that this is not the first failure (S-39).
    """

    stretches: Sequence[Stretch]
    outages: Sequence[OutageTimes] = ()
    bounds_us: tuple[int, int] | None = None
    exclusions: Sequence[Declaration] = ()
    members: Sequence[Member] = ()
    samples: Sequence[Samples] = ()
    timed: Sequence[OutageTimes] | None = None
    costing: Mapping[DowntimeStart, Sequence[Stretch]] = field(default_factory=dict)
    # Every period of a contract asks for the same ones.
    _sets: dict[tuple[int, OutageTerms], Sets] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    @property
    def parts(self) -> Sequence[Member]:
        """The members where they are weighted, else all checks as one."""
        return self.members or [
            Member("", FULL, self.stretches, self.exclusions, self.samples, self.costing)
        ]

    def sets(self, place: int, terms: OutageTerms) -> Sets:
        """What the part at a place was, as sets, with the downtime that counts by these terms."""
        if (place, terms) not in self._sets:
            own, start = self.parts[place], terms.downtime_start
            costing = None if start is DowntimeStart.FIRST_FAILURE else own.costing[start]
            found = Sets(own.stretches, micros(terms.min_duration), costing)
            self._sets[place, terms] = found
        return self._sets[place, terms]

    def until(self, as_of_us: int) -> "Observed":
        """What was known at an instant: nothing of what happened later (S-21)."""
        listed = _cut(self.stretches, as_of_us)
        is_cut = any(one.to_us > as_of_us for one in self.stretches)
        known = (one.to_us for one in listed if one.verdict is not Verdict.UNKNOWN)
        known_us = max(known, default=as_of_us)
        return replace(
            self,
            stretches=listed,
            outages=[
                one.until(as_of_us, known_us) for one in self.outages if one.started_us < as_of_us
            ],
            bounds_us=None if is_cut else self.bounds_us,
            members=[one._replace(stretches=_cut(one.stretches, as_of_us)) for one in self.members],
        )


def _cut(stretches: Sequence[Stretch], as_of_us: int) -> list[Stretch]:
    return [
        one._replace(to_us=min(one.to_us, as_of_us)) for one in stretches if one.from_us < as_of_us
    ]


class Frame(NamedTuple):
    """A period of a contract: from when on it is in force, and up to when facts are used."""

    period: Period
    in_force_us: int
    as_of_us: int

    @property
    def in_force(self) -> Interval:
        """The part of the period that the contract is about."""
        return Interval(self.in_force_us, self.period.to_us)


def frame_of(agreement: Agreement, period: Period, as_of_us: int) -> Frame:
    """A period of a contract, by the facts until an instant."""
    in_force_us = min(max(period.from_us, agreement.first.effective_us), period.to_us)
    return Frame(period, in_force_us, as_of_us)


@dataclass(frozen=True, slots=True)
class Book:
    """The book of one check, or of several as one: its weight in the whole, and what is known of it."""

    check: str
    weight: Fraction
    timeline: Timeline
    exclusions: Sequence[Applied]
    samples: Sequence[Samples]


_STATUSES: Final = tuple(Status)


@dataclass(frozen=True, slots=True)
class Books:
    """The books of an objective: one, but for a weighted composite, which has one for each member."""

    hours: Sequence[Interval]
    listed: Sequence[Book]

    def portions(self, span: Sequence[Interval]) -> list[Portion]:
        """The account of each over the instants of `span`."""
        return [
            Portion(one.weight, account(one.timeline, span, self.hours, one.exclusions))
            for one in self.listed
        ]

    def eligible(self, book: Book, span: Sequence[Interval]) -> Eligible:
        """What schedule and exclusions leave of `span`."""
        return eligible(span, self.hours, book.exclusions)

    @property
    def exclusions(self) -> list[Applied]:
        """What came of each exclusion; where it did not come to the same for all members, the worse."""
        found: dict[str, Applied] = {}
        for one in (each for book in self.listed for each in book.exclusions):
            other = found.get(one.exclusion.id)
            if other is None or _STATUSES.index(one.status) > _STATUSES.index(other.status):
                found[one.exclusion.id] = one
        return list(found.values())


def books_of(contract: Contract, objective: Objective, frame: Frame, observed: Observed) -> Books:
    """The books of an objective under a version of its contract."""
    hours = in_service(contract.service_hours, contract.period.tz, *frame.in_force)
    counting = _counting(contract, objective, frame.period)
    listed = [
        Book(
            one.check,
            one.weight,
            Timeline(observed.sets(place, contract.outage), counting),
            applied(_near(one.exclusions, frame.period), contract.exclusions.by_type, hours),
            one.samples,
        )
        for place, one in enumerate(observed.parts)
    ]
    return Books(hours, listed)


def _near(declared: Sequence[Declaration], period: Period) -> list[Declaration]:
    """Those that touch the period."""
    return [one for one in declared if one.exclusion.touches(*period[:2])]


def _counting(contract: Contract, objective: Objective, period: Period) -> Counting:
    """How downtime is counted. Where nothing is said of carrying on, it is for ever, but within the period."""
    minutes = None
    if isinstance(objective, Availability) and objective.formula is Formula.MINUTE:
        minutes = MinuteRule(objective.mode == "whole", objective.n)
    carry_us = objective.carry_us
    return Counting(
        minutes,
        FOREVER_US if carry_us is None else carry_us,
        period.from_us if carry_us is None else -FOREVER_US,
    )
