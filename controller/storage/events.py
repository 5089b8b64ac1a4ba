"""The ledger of outages: events, appended and read."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec
from sqlalchemy import func, insert, select

from controller.ports.events import Cause, EventKind, EventLine, OutageEvent
from controller.ports.leaves import LeafKind
from controller.storage.bulk import decoded, json_of, parts_of, text_of, word_of
from controller.storage.event_tables import OutageEventRow
from controller.storage.log import LogRows
from controller.storage.tables import table

_EVENT = table(OutageEventRow)
_lines: Final = msgspec.json.Decoder(tuple[EventLine, ...])


class EventRows(LogRows):
    """controller.ports.events.EventStore over SQL."""

    def put_event(self, event: OutageEvent) -> int:
        """Append; gives the sequence."""
        values = asdict(event)
        del values["sequence"]
        values |= {
            "kind": event.kind.value,
            "cause": event.cause.value,
            "lines": msgspec.json.encode(event.lines),
        }
        new = insert(_EVENT).values(values).returning(_EVENT.c.sequence)
        given: int = self._connection.execute(new).scalar_one()
        self._enter(LeafKind.OUTAGE, *event_said(values))
        return given

    def events_of(self, number: int) -> Sequence[OutageEvent]:
        """Everything that happened to one outage, the oldest first."""
        query = select(_EVENT).where(_EVENT.c.number == number).order_by(_EVENT.c.revision)
        return [_event(row) for row in self._connection.execute(query).mappings()]

    def newest_events(self, numbers: Sequence[int]) -> Sequence[OutageEvent]:
        """The last event of each of these outages."""
        c = _EVENT.c
        found: list[OutageEvent] = []
        for part in parts_of(numbers):
            last = select(func.max(c.sequence)).where(c.number.in_(part)).group_by(c.number)
            rows = self._connection.execute(select(_EVENT).where(c.sequence.in_(last))).mappings()
            found += [_event(row) for row in rows]
        return found

    def event_kinds(self, number: int) -> Sequence[EventKind]:
        """What happened to one outage, the oldest first: as many as its last revision."""
        c = _EVENT.c
        query = select(c.kind).where(c.number == number).order_by(c.revision)
        return [
            word_of(EventKind, kind, "outage_event")
            for kind in self._connection.execute(query).scalars()
        ]

    def events_after(self, sequence: int, limit: int) -> Sequence[OutageEvent]:
        """The next events after that one, over all outages, the oldest first."""
        c = _EVENT.c
        query = select(_EVENT).where(c.sequence > sequence).order_by(c.sequence).limit(limit)
        return [_event(row) for row in self._connection.execute(query).mappings()]

    def last_event(self) -> int:
        """The sequence of the newest event; 0: there is none."""
        found: int | None = self._connection.execute(select(func.max(_EVENT.c.sequence))).scalar()
        return found or 0

    def events_as_of(self, recorded_us: int, check: str | None = None) -> Sequence[OutageEvent]:
        """The last event of each outage (of a check) that was recorded at or before that instant."""
        c = _EVENT.c
        last = select(func.max(c.sequence)).where(c.recorded_us <= recorded_us).group_by(c.number)
        if check is not None:
            last = last.where(c.check == check)
        query = select(_EVENT).where(c.sequence.in_(last)).order_by(c.number)
        return [_event(row) for row in self._connection.execute(query).mappings()]


def _event(row: Mapping[Any, Any]) -> OutageEvent:
    values = dict(row)
    return OutageEvent(
        **values
        | {
            "kind": word_of(EventKind, values["kind"], "outage_event"),
            "cause": word_of(Cause, values["cause"], "outage_event"),
            "lines": decoded(_lines, values["lines"], "outage_event"),
        }
    )


def event_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of an event says, by its row: of what, and what."""
    said = {k: v for k, v in row.items() if k != "sequence"}
    lines = json_of(row["lines"])
    return f"OUT-{row['number']}", {**said, "body": text_of(row["body"]), "lines": lines}
