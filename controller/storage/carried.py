"""Regional outages that lie across a settled instant, so that they need not be read back to their beginning."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, insert, select

from controller.storage.bulk import Rows
from controller.storage.incident_tables import CarriedRow
from controller.storage.tables import table

_CARRIED: Final = table(CarriedRow)


class CarriedRows(Rows):
    """controller.ports.outcomes.CarriedStore over SQL."""

    def put_carried(self, check: str, at_us: int, body: bytes) -> None:
        """Insert or replace what lies across that instant."""
        number = self._number(check)
        c = _CARRIED.c
        self._connection.execute(delete(_CARRIED).where(c.check_id == number, c.at_us == at_us))
        row = {"check_id": number, "at_us": at_us, "body": body}
        self._connection.execute(insert(_CARRIED).values(row))

    def carried(self, check: str, until_us: int, limit: int) -> Sequence[tuple[int, bytes]]:
        """What lay across the last instants at or before `until_us` of which that is kept, newest first."""
        number = self._names.find(self._connection, check)
        c = _CARRIED.c
        query = (
            select(c.at_us, c.body)
            .where(c.check_id == number, c.at_us <= until_us)
            .order_by(c.at_us.desc())
            .limit(limit)
        )
        return [(at_us, bytes(body)) for at_us, body in self._connection.execute(query)]

    def carried_instants(self, check: str) -> Sequence[int]:
        """Every instant of which that is kept, the oldest first."""
        number = self._names.find(self._connection, check)
        c = _CARRIED.c
        query = select(c.at_us).where(c.check_id == number).order_by(c.at_us)
        return list(self._connection.execute(query).scalars())

    def forget_carried(self, check: str, from_us: int, to_us: int) -> None:
        """Forget that of instants with from_us <= at_us < to_us."""
        number = self._names.find(self._connection, check)
        c = _CARRIED.c
        self._connection.execute(
            delete(_CARRIED).where(c.check_id == number, c.at_us >= from_us, c.at_us < to_us)
        )
