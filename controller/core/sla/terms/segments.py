"""The parts of a period that are judged by themselves: amendments (S-32) and seasons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from controller.core.calendars import Period
from controller.core.intervals import FOREVER_US, Interval, clip, difference, length
from controller.core.sla.terms.contracts import Agreement, Amending, Contract
from controller.core.sla.terms.objectives import Objective

_NOWHEN: Final = Interval(FOREVER_US, FOREVER_US)


@dataclass(frozen=True, slots=True)
class Piece:
    """A set of instants over which one target was promised."""

    target: str
    span: Sequence[Interval]


@dataclass(frozen=True)
class Segment:
    """What one record is about: an objective under a version of a contract (counted from 1).

    It has several pieces only where their targets are blended into one.
    """

    contract: Contract
    version: int
    objective: Objective
    pieces: Sequence[Piece]

    @cached_property
    def span(self) -> list[Interval]:
        """Every instant of it."""
        return sorted(one for piece in self.pieces for one in piece.span)

    @cached_property
    def hull(self) -> Interval:
        """From its first instant to its last; where it has none, the end of all time."""
        span = self.span
        return Interval(span[0].from_us, span[-1].to_us) if span else _NOWHEN


def segments(agreement: Agreement, objective: str, period: Period) -> list[Segment]:
    """The segments of an objective over a period, by when they begin.

    Before the contract begins there is one without any time: nothing is to be judged, and that is said.
    """
    held = list(_in_force(agreement, period))
    if not held:
        first = agreement.first
        listed = [one for one in first.objectives if one.id == objective]
        return [Segment(first, 1, one, [Piece(one.goal, [])]) for one in listed]
    amending = held[-1][1].amendments
    if amending is Amending.NEXT_PERIOD:
        version, contract, _ = held[0]
        held = [(version, contract, Interval(held[0][2].from_us, period.to_us))]
    found: list[Segment] = []
    for version, contract, span in held:
        own = next((one for one in contract.objectives if one.id == objective), None)
        if own is not None:
            found += [
                Segment(contract, version, own, [piece]) for piece in _pieces(contract, own, span)
            ]
    if amending is Amending.BLENDED and found:
        last = found[-1]
        pieces = [piece for one in found for piece in one.pieces]
        return [Segment(last.contract, last.version, last.objective, pieces)]
    return sorted(found, key=lambda one: one.hull)


def _in_force(agreement: Agreement, period: Period) -> Iterator[tuple[int, Contract, Interval]]:
    """Each version, its number, and the part of the period over which it is in force."""
    versions = agreement.versions
    ends = [*(one.effective_us for one in versions[1:]), period.to_us]
    for number, (contract, end_us) in enumerate(zip(versions, ends, strict=True), 1):
        for span in clip([(contract.effective_us, end_us)], period.from_us, period.to_us):
            yield number, contract, span


def _pieces(contract: Contract, objective: Objective, span: Interval) -> list[Piece]:
    """The seasons of an objective within a span, and what is left of the span."""
    own = [one for one in contract.overlays if one.objective == objective.id]
    found = [Piece(one.target, clip([one.interval], *span)) for one in own]
    rest = difference([span], sorted(one.interval for one in own))
    return [piece for piece in (Piece(objective.goal, rest), *found) if length(piece.span)]
