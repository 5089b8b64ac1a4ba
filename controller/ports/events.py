"""What the controller learnt of outages, in the order in which it did: a ledger that is only ever appended to.

An outage is a function of evidence, and late evidence changes it. Each change is an event with the whole
outage as it was from then on, so what was known at any instant can be told (S-21), and whoever is told of
outages is told in this order. Events are written in the transaction that writes what they tell of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


class EventKind(StrEnum):
    """What happened to an outage.

    It is confirmed once it was down even by the most favourable reading of the evidence (S-8).
    """

    OPENED = "opened"
    CONFIRMED = "confirmed"
    REVISED = "revised"
    CLOSED = "closed"
    REOPENED = "reopened"
    RETRACTED = "retracted"


class Cause(StrEnum):
    """Why the controller looked again when it learnt something."""

    LINES = "lines"
    TIME = "time"
    DEFINITION = "definition"
    BACKLOG = "backlog"
    RESTART = "restart"
    UPGRADE = "upgrade"


class EventLine(NamedTuple):
    """A line that came when something was learnt: a result of the check, or an anchor round of its agents.

    `at_us` is its event time, `said` what it said: an outcome, or how many anchors answered.
    """

    agent: str
    epoch: str
    stream: str
    seq: int
    at_us: int
    said: str


@dataclass(frozen=True, slots=True)
class OutageEvent:
    """One event. `sequence` orders all of them; `revision` counts those of one outage from 1.

    `body` is the outage as JSON as it is from `recorded_us` on; of a retracted one, as it was last.
    `carried_from` is the content id that the handle stood for before, where it moved (S-19).
    `detected_us` is when the outage was first recorded, `closed_known_us` when this end of it was.
    `absorbed_by` is the number of the outage that a retracted one became a part of; 0: of none.
    `lines` are those nearest to it of the `line_count` lines of the check that came with it.
    """

    number: int
    revision: int
    kind: EventKind
    recorded_us: int
    check: str
    body: bytes
    carried_from: str = ""
    sequence: int = 0
    detected_us: int = 0
    closed_known_us: int | None = None
    absorbed_by: int = 0
    cause: Cause = Cause.LINES
    lines: tuple[EventLine, ...] = ()
    line_count: int = 0

    @property
    def handle(self) -> str:
        """The name for people: OUT-12."""
        return f"OUT-{self.number}"


class EventStore(Protocol):
    """The ledger of outages."""

    def put_event(self, event: OutageEvent) -> int:
        """Append; gives the sequence."""
        ...

    def events_of(self, number: int) -> Sequence[OutageEvent]:
        """Everything that happened to one outage, the oldest first."""
        ...

    def newest_events(self, numbers: Sequence[int]) -> Sequence[OutageEvent]:
        """The last event of each of these outages."""
        ...

    def event_kinds(self, number: int) -> Sequence[EventKind]:
        """What happened to one outage, the oldest first: as many as its last revision."""
        ...

    def events_after(self, sequence: int, limit: int) -> Sequence[OutageEvent]:
        """The next events after that one, over all outages, the oldest first."""
        ...

    def last_event(self) -> int:
        """The sequence of the newest event; 0: there is none."""
        ...

    def events_as_of(self, recorded_us: int, check: str | None = None) -> Sequence[OutageEvent]:
        """The last event of each outage (of a check) that was recorded at or before that instant."""
        ...
