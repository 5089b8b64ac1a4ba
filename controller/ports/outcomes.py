"""What was computed, as it is kept: verdict intervals and outages."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from controller.core.intervals import FOREVER_US


@dataclass(frozen=True, slots=True)
class StoredInterval:
    """A verdict of a check over [from_us, to_us), as attributed, and with the least and most downtime."""

    check: str
    from_us: int
    to_us: int
    verdict: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class StoredOutage:
    """An outage under its handle, and what decided it.

    `body` is the whole outage as JSON, its votes included; the other fields are for finding it. `region` is
    set if it is the outage of that region alone (S-14).
    """

    number: int
    check: str
    started_us: int
    ended_us: int | None
    detected_us: int
    closed_known_us: int | None
    body: bytes
    region: str = ""

    @property
    def handle(self) -> str:
        """The name for people: OUT-12."""
        return f"OUT-{self.number}"


class OutageScope(StrEnum):
    """Which outages are asked for: those of checks as a whole, of single regions, or both."""

    GLOBAL = "global"
    REGIONAL = "regional"
    ALL = "all"


class CarriedStore(Protocol):
    """What was known of regional outages at settled instants that they lie across, as JSON."""

    def put_carried(self, check: str, at_us: int, body: bytes) -> None:
        """Insert or replace what lies across that instant."""
        ...

    def carried(self, check: str, until_us: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """What lay across the last instants at or before `until_us` of which that is kept, newest first."""
        ...

    def carried_instants(self, check: str) -> Sequence[int]:
        """Every instant of which that is kept, the oldest first."""
        ...

    def forget_carried(self, check: str, from_us: int, to_us: int) -> None:
        """Forget that of instants with from_us <= at_us < to_us."""
        ...


class OutcomeStore(CarriedStore, Protocol):
    """Verdict intervals and outages."""

    def replace_intervals(
        self,
        check: str,
        from_us: int,
        intervals: Sequence[StoredInterval],
        to_us: int = FOREVER_US,
    ) -> None:
        """Forget what is stored of [from_us, to_us), cutting what begins before it, and keep these instead.

        An interval that begins in it must not end after `to_us`.
        """
        ...

    def intervals(self, check: str, from_us: int, to_us: int) -> Sequence[StoredInterval]:
        """Intervals that touch that time, by time."""
        ...

    def other_verdict_us(self, check: str, verdict: str, before_us: int) -> int | None:
        """Until when, before that instant, the verdict was last another than `verdict`; None: never."""
        ...

    def settled_us(self, check: str) -> int | None:
        """The instant before which the stored intervals and outages of a check are complete."""
        ...

    def put_settled(self, check: str, at_us: int | None) -> None:
        """Note that instant, earlier or later than the one before; None: nothing is complete."""
        ...

    def put_outage(self, outage: StoredOutage) -> int:
        """Insert (number 0: the next free one is given) or replace; gives the number."""
        ...

    def outage(self, number: int) -> StoredOutage | None:
        """The outage of that number."""
        ...

    def delete_outage(self, number: int) -> None:
        """Remove an outage that late evidence made vanish."""
        ...

    def outages(
        self,
        check: str | None = None,
        from_us: int | None = None,
        to_us: int | None = None,
        *,
        scope: OutageScope = OutageScope.GLOBAL,
        open_only: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredOutage]:
        """Outages (of a check) of that scope that touch that time, newest first, no more than `limit`."""
        ...

    def outage_count(
        self, check: str | None = None, *, scope: OutageScope, open_only: bool = False
    ) -> int:
        """How many outages (of a check) of that scope there are."""
        ...
