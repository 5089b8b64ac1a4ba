"""Fleet files as applied, and the check revisions that they made."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select

from controller.ports.fleet import CheckRevision, FleetRevision, TermsRevision
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
        self._enter(LeafKind.FLEET, *fleet_said(asdict(fleet)))
        for check in checks:
            self._enter(LeafKind.CHECK, *check_said(asdict(check)))

    def put_terms(self, terms: TermsRevision) -> None:
        """Enter in the log what a file that was just put in force says of a contract. It stands in no table."""
        said = {"fleet": terms.fleet, "applied_us": terms.applied_us, "terms": terms.terms}
        self._enter(LeafKind.TERMS, terms.contract, said)

    def check_revisions(self) -> Sequence[CheckRevision]:
        """Every revision of every check, by check and effective time."""
        rows = self._connection.execute(select(_CHECK)).mappings()
        # Sorted here: databases differ in how they sort text.
        return sorted(
            (CheckRevision(**row) for row in rows), key=lambda r: (r.check, r.effective_us)
        )


def fleet_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of a fleet file says, by its row: of what, and what."""
    return str(row["number"]), {**row, "text": hashlib.sha256(row["text"]).hexdigest()}


def check_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of a check's revision says, by its row: of what, and what."""
    return row["check"], {"digest": row["digest"], "effective_us": row["effective_us"]}
