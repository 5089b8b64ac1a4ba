"""Fleet files as applied, and the check revisions that they made."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select

from controller.ports.fleet import CheckRevision, FleetRevision
from controller.ports.leaves import LeafKind
from controller.storage.log import LogRows
from controller.storage.tables import CheckRevisionRow, FleetRevisionRow, table

_FLEET = table(FleetRevisionRow)
_CHECK = table(CheckRevisionRow)


class FleetRows(LogRows):
    """controller.ports.FleetStore over SQL."""

    def fleet(self, number: int | None = None) -> FleetRevision | None:
        """The file in force, or the one of that number."""
        query = select(_FLEET).order_by(_FLEET.c.number.desc()).limit(1)
        if number is not None:
            query = query.where(_FLEET.c.number == number)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else FleetRevision(**row)

    def fleets(self, after: int = 0) -> Sequence[FleetRevision]:
        """Every file that was applied with a greater number, in order."""
        query = select(_FLEET).where(_FLEET.c.number > after).order_by(_FLEET.c.number)
        return [FleetRevision(**row) for row in self._connection.execute(query).mappings()]

    def put_fleet(self, fleet: FleetRevision, checks: Sequence[CheckRevision]) -> None:
        """Put a file and the revisions that it changes in force."""
        self._connection.execute(insert(_FLEET).values(asdict(fleet)))
        if checks:
            self._connection.execute(insert(_CHECK), [asdict(check) for check in checks])
        said = {**asdict(fleet), "text": hashlib.sha256(fleet.text).hexdigest()}
        self._enter(LeafKind.FLEET, str(fleet.number), said)
        for check in checks:
            told = {"digest": check.digest, "effective_us": check.effective_us}
            self._enter(LeafKind.CHECK, check.check, told)

    def check_revisions(self) -> Sequence[CheckRevision]:
        """Every revision of every check, by check and effective time."""
        rows = self._connection.execute(select(_CHECK)).mappings()
        # Sorted here: databases differ in how they sort text.
        return sorted(
            (CheckRevision(**row) for row in rows), key=lambda r: (r.check, r.effective_us)
        )
