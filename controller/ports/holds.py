"""Holds: time of which nothing is pruned, because somebody may still have to show it. Only appended to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class HoldKind(StrEnum):
    """What happens to a hold."""

    PLACED = "placed"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class HoldEvent:
    """A hold is placed or lifted: who did it, when, in which role and from where, and why.

    `subject` says in words what is held, `checks` of which checks, over [from_us, to_us). `claim` is the number of
    the disputed claim that placed it; 0: a person did.
    """

    number: int
    kind: HoldKind
    at_us: int
    who: str
    role: str
    peer: str
    subject: str
    checks: tuple[str, ...]
    from_us: int
    to_us: int
    reason: str
    claim: int = 0
    sequence: int = 0

    @property
    def handle(self) -> str:
        """The name for people: HLD-3."""
        return f"HLD-{self.number}"


def in_force(events: Iterable[HoldEvent]) -> list[HoldEvent]:
    """The holds that were placed and not lifted, by number."""
    found: dict[int, HoldEvent] = {}
    for one in sorted(events, key=lambda each: each.sequence):
        if one.kind is HoldKind.PLACED:
            found[one.number] = one
        else:
            found.pop(one.number, None)
    return [found[number] for number in sorted(found)]


class HoldStore(Protocol):
    """The ledger of holds."""

    def put_hold_event(self, event: HoldEvent) -> int:
        """Append; gives the sequence."""
        ...

    def hold_events(self) -> Sequence[HoldEvent]:
        """Everything that happened to holds, the oldest first."""
        ...
