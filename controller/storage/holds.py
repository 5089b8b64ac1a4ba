"""The ledger of holds, and counter-evidence."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, insert, or_, select

from controller.ports.counters import Counter
from controller.ports.holds import HoldEvent, HoldKind
from controller.ports.leaves import LeafKind
from controller.storage.log import LogRows
from controller.storage.retention_tables import CounterRow, HoldEventRow
from controller.storage.tables import table

_HOLD = table(HoldEventRow)
_COUNTER = table(CounterRow)


class HoldRows(LogRows):
    """controller.ports.holds.HoldStore and controller.ports.counters.CounterStore over SQL."""

    def put_hold_event(self, event: HoldEvent) -> int:
        """Append; gives the sequence."""
        values = {**asdict(event), "kind": event.kind.value, "checks": " ".join(event.checks)}
        del values["sequence"]
        new = insert(_HOLD).values(values).returning(_HOLD.c.sequence)
        given: int = self._connection.execute(new).scalar_one()
        self._enter(LeafKind.HOLD, *hold_said(values))
        return given

    def hold_events(self) -> Sequence[HoldEvent]:
        """Everything that happened to holds, the oldest first."""
        rows = self._connection.execute(select(_HOLD).order_by(_HOLD.c.sequence)).mappings()
        return [
            HoldEvent(
                **{**row, "kind": HoldKind(row["kind"]), "checks": tuple(row["checks"].split())}
            )
            for row in rows
        ]

    def put_counter(self, counter: Counter) -> int:
        """Append; gives the sequence."""
        values = asdict(counter)
        del values["sequence"]
        new = insert(_COUNTER).values(values).returning(_COUNTER.c.sequence)
        given: int = self._connection.execute(new).scalar_one()
        self._enter(LeafKind.COUNTER, *counter_said(values))
        return given

    def counters_of(self, subject: str) -> Sequence[Counter]:
        """What was said against that, or that as far as it is of any contract, the oldest first."""
        c = _COUNTER.c
        of_contracts = func.substr(c.subject, 1, len(subject) + 1) == f"{subject} "
        query = select(_COUNTER).where(or_(c.subject == subject, of_contracts))
        query = query.order_by(c.sequence)
        return [Counter(**row) for row in self._connection.execute(query).mappings()]

    def counters_against(self, handles: Sequence[str]) -> Mapping[str, Sequence[Counter]]:
        """What was said against these outages, of whatever contract, the oldest first; by handle."""
        query = select(_COUNTER).where(_COUNTER.c.subject.startswith("OUT-", autoescape=True))
        wanted = set(handles)
        found: dict[str, list[Counter]] = {}
        for row in self._connection.execute(query.order_by(_COUNTER.c.sequence)).mappings():
            handle = row["subject"].partition(" ")[0]
            if handle in wanted:
                found.setdefault(handle, []).append(Counter(**row))
        return found


def hold_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of a hold says, by its row: of what, and what."""
    return f"HLD-{row['number']}", {k: v for k, v in row.items() if k != "sequence"}


def counter_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of counter-evidence says, by its row: of what, and what. The file stands in it in base64."""
    said = {k: v for k, v in row.items() if k != "sequence"}
    return row["subject"], {**said, "content": base64.b64encode(row["content"]).decode()}
