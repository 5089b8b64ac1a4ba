"""What people said of outages: that somebody is on it, and what they found. Only ever appended to."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class RemarkKind(StrEnum):
    """What a remark is."""

    ACK = "ack"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark on the outage of that number: who said what, when, in which role and from where."""

    number: int
    kind: RemarkKind
    at_us: int
    who: str
    role: str
    peer: str
    text: str
    sequence: int = 0


class RemarkStore(Protocol):
    """Remarks. They stay with the number, whatever becomes of its outage."""

    def put_remark(self, remark: Remark) -> int:
        """Append; gives the sequence."""
        ...

    def remarks_of(self, numbers: Sequence[int]) -> Sequence[Remark]:
        """Everything that was said of these outages, the oldest first."""
        ...
