"""The ledger of what was told of contracts, appended and read."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Select, func, insert, select

from controller.ports.sla_events import SlaEvent
from controller.storage.bulk import Rows
from controller.storage.sla_event_tables import SlaEventRow
from controller.storage.tables import table

_EVENT: Final = table(SlaEventRow)


class SlaEventRows(Rows):
    """controller.ports.sla_events.SlaEventStore over SQL."""

    def put_sla_event(self, event: SlaEvent) -> bool:
        """Append; False if there is one of that subject and ordinal, and nothing was changed."""
        c = _EVENT.c
        known = select(c.sequence).where(c.subject == event.subject, c.ordinal == event.ordinal)
        if self._connection.execute(known).first() is not None:
            return False
        values = {key: value for key, value in asdict(event).items() if key != "sequence"}
        self._connection.execute(insert(_EVENT).values(values))
        return True

    def sla_events(self, contract: str) -> Sequence[SlaEvent]:
        """Everything that was told of a contract, the oldest first."""
        c = _EVENT.c
        return self._sla_events(select(_EVENT).where(c.contract == contract).order_by(c.sequence))

    def sla_contracts(self) -> Sequence[str]:
        """The contracts of which anything was told, by id."""
        query = select(_EVENT.c.contract).distinct()
        return sorted(self._connection.execute(query).scalars())

    def newest_sla_events(self, contract: str) -> Sequence[SlaEvent]:
        """The last one of each subject of a contract."""
        c = _EVENT.c
        last = select(func.max(c.sequence)).where(c.contract == contract).group_by(c.subject)
        return self._sla_events(select(_EVENT).where(c.sequence.in_(last)).order_by(c.sequence))

    def _sla_events(self, query: Select[Any]) -> Sequence[SlaEvent]:
        return [SlaEvent(**row) for row in self._connection.execute(query).mappings()]
