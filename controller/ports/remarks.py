"""What people said of outages: that somebody is on it, what they found, and when its clocks stand still.

Only ever appended to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from controller.core.intervals import Interval
from controller.core.pauses import Mark, pauses

# The roles of people who answer for outages; what has another role is a machine.
_PEOPLE: Final = frozenset({"admin", "operator"})


class RemarkKind(StrEnum):
    """What a remark is."""

    ACK = "ack"
    ANNOTATION = "annotation"
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark on the outage of that number: who said what, when, in which role and from where.

    A pause or its end holds from `from_us` on, if that is another instant than the one at which it was said.
    """

    number: int
    kind: RemarkKind
    at_us: int
    who: str
    role: str
    peer: str
    text: str
    from_us: int | None = None
    sequence: int = 0

    @property
    def is_of_a_person(self) -> bool:
        """A person said it: what a machine says stops nobody's clock (S-47)."""
        return self.role in _PEOPLE


def acked_us(remarks: Iterable[Remark]) -> int | None:
    """When the first person took the outage on."""
    acks = (one.at_us for one in remarks if one.kind is RemarkKind.ACK and one.is_of_a_person)
    return min(acks, default=None)


def marks(remarks: Iterable[Remark]) -> list[Mark]:
    """The declarations among remarks on one outage that its clocks stand still, or run again."""
    return [
        Mark(
            one.kind is RemarkKind.PAUSE,
            one.at_us if one.from_us is None else one.from_us,
            one.at_us,
        )
        for one in sorted(remarks, key=lambda each: each.sequence)
        if one.kind in (RemarkKind.PAUSE, RemarkKind.RESUME)
    ]


def pauses_of(remarks: Iterable[Remark]) -> list[Interval]:
    """When the clocks of an outage stand still, by the remarks on it."""
    return pauses(marks(remarks))


class RemarkStore(Protocol):
    """Remarks. They stay with the number, whatever becomes of its outage."""

    def put_remark(self, remark: Remark) -> int:
        """Append; gives the sequence."""
        ...

    def remarks_after(self, sequence: int, limit: int) -> Sequence[Remark]:
        """The next remarks after that one, over all outages, the oldest first."""
        ...

    def remarks_of(self, numbers: Sequence[int]) -> Sequence[Remark]:
        """Everything that was said of these outages, the oldest first."""
        ...
