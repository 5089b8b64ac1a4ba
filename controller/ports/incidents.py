"""Incidents: outages that belong together, as they are kept for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredIncident:
    """An incident under its handle: the numbers of its outages, in order.

    One that is gone has none: its outages vanished or belong to others now, most of them to `merged_into`
    (0: to none). `recorded_us` is when it was first recorded, `gone_us` when it was not any more.
    """

    number: int
    recorded_us: int
    outages: tuple[int, ...]
    gone_us: int | None = None
    merged_into: int = 0

    @property
    def handle(self) -> str:
        """The name for people: INC-12."""
        return f"INC-{self.number}"


class IncidentStore(Protocol):
    """Incidents, and how far the ledger of outages was followed."""

    def put_incident(self, incident: StoredIncident) -> int:
        """Insert (number 0: the next one is given, never one that was given before) or replace.

        Its outages leave the incidents that they were in. Gives the number.
        """
        ...

    def incident(self, number: int) -> StoredIncident | None:
        """The incident of that number."""
        ...

    def incidents(self, *, include_gone: bool, limit: int) -> Sequence[StoredIncident]:
        """Those that stand (or all that ever were), the newest first."""
        ...

    def incidents_of(self, outages: Sequence[int]) -> Mapping[int, int]:
        """The number of the incident of each of these outages that is in one."""
        ...

    def followed_event(self) -> int | None:
        """The last event of the ledger of outages that incidents know of; None: they were never made."""
        ...

    def put_followed_event(self, sequence: int) -> None:
        """Note it."""
        ...


@dataclass(frozen=True, slots=True)
class Explained:
    """An outage is explained by another: something that it hangs on was down (S-16).

    `by` is the number of that outage, `reason` says in words what they share. It is explained while that
    outage lasts, and until `until_us` where it is over: what stays down for longer is a failure of its own.
    """

    by: int
    reason: str
    until_us: int | None = None

    @property
    def handle(self) -> str:
        """The name of the outage that explains, for people."""
        return f"OUT-{self.by}"
