"""Incidents, and how far the ledger of outages was followed."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Select, delete, insert, select, update

from controller.ports.incidents import StoredIncident
from controller.storage.bulk import Rows, parts_of
from controller.storage.incident_tables import IncidentFollowedRow, IncidentOutageRow, IncidentRow
from controller.storage.tables import table

_INCIDENT: Final = table(IncidentRow)
_OUTAGE: Final = table(IncidentOutageRow)
_FOLLOWED: Final = table(IncidentFollowedRow)
_ROWS: Final = select(
    _INCIDENT.c.number, _INCIDENT.c.recorded_us, _INCIDENT.c.gone_us, _INCIDENT.c.merged_into
)


class IncidentRows(Rows):
    """controller.ports.incidents.IncidentStore over SQL."""

    def put_incident(self, incident: StoredIncident) -> int:
        """Insert (number 0: the next free one is given) or replace; gives the number."""
        execute = self._connection.execute
        values = {
            "recorded_us": incident.recorded_us,
            "gone_us": incident.gone_us,
            "merged_into": incident.merged_into,
        }
        number = incident.number
        if number:
            changed = update(_INCIDENT).where(_INCIDENT.c.number == number).values(values)
            if execute(changed).rowcount != 1:
                raise ValueError(f"there is no incident {number} to replace")
        else:
            number = execute(
                insert(_INCIDENT).values(values).returning(_INCIDENT.c.number)
            ).scalar_one()
        execute(delete(_OUTAGE).where(_OUTAGE.c.incident == number))
        for part in parts_of(incident.outages):
            execute(delete(_OUTAGE).where(_OUTAGE.c.outage.in_(part)))
        self._insert_many(_OUTAGE, [(outage, number) for outage in incident.outages])
        return number

    def incident(self, number: int) -> StoredIncident | None:
        """The incident of that number."""
        found = self._incidents(_ROWS.where(_INCIDENT.c.number == number))
        return found[0] if found else None

    def incidents(self, *, include_gone: bool, limit: int) -> Sequence[StoredIncident]:
        """Those that stand (or all that ever were), the newest first."""
        query = _ROWS.order_by(_INCIDENT.c.number.desc()).limit(limit)
        if not include_gone:
            query = query.where(_INCIDENT.c.gone_us.is_(None))
        return self._incidents(query)

    def incidents_of(self, outages: Sequence[int]) -> Mapping[int, int]:
        """The number of the incident of each of these outages that is in one."""
        found: dict[int, int] = {}
        for part in parts_of(outages):
            query = select(_OUTAGE.c.outage, _OUTAGE.c.incident).where(_OUTAGE.c.outage.in_(part))
            found.update((outage, incident) for outage, incident in self._connection.execute(query))
        return found

    def followed_event(self) -> int | None:
        """The last event of the ledger of outages that incidents know of; None: they were never made."""
        found: int | None = self._connection.execute(select(_FOLLOWED.c.sequence)).scalar()
        return found

    def put_followed_event(self, sequence: int) -> None:
        """Note it."""
        changed = update(_FOLLOWED).values(sequence=sequence)
        if self._connection.execute(changed).rowcount == 0:
            self._connection.execute(insert(_FOLLOWED).values(id=1, sequence=sequence))

    def _incidents(self, query: Select[int, int, int | None, int]) -> list[StoredIncident]:
        rows = list(self._connection.execute(query))
        own: dict[int, list[int]] = {row[0]: [] for row in rows}
        for part in parts_of(list(own)):
            outages = (
                select(_OUTAGE.c.incident, _OUTAGE.c.outage)
                .where(_OUTAGE.c.incident.in_(part))
                .order_by(_OUTAGE.c.outage)
            )
            for incident, outage in self._connection.execute(outages):
                own[incident].append(outage)
        return [
            StoredIncident(number, recorded_us, tuple(own[number]), gone_us, merged_into)
            for number, recorded_us, gone_us, merged_into in rows
        ]
