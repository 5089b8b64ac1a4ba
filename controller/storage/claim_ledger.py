"""The ledger of claims and their packs: appended and read."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, insert, select

from controller.ports.claims import ClaimEvent, ClaimFile
from controller.ports.leaves import LeafKind
from controller.storage.bulk import text_of
from controller.storage.claim_tables import ClaimEventRow, ClaimFileRow
from controller.storage.log import LogRows
from controller.storage.tables import table

_EVENT = table(ClaimEventRow)
_FILE = table(ClaimFileRow)


class ClaimRows(LogRows):
    """controller.ports.claims.ClaimStore over SQL."""

    def last_claim(self) -> int:
        """The number of the newest claim; 0: there is none."""
        found: int | None = self._connection.execute(select(func.max(_EVENT.c.number))).scalar()
        return found or 0

    def put_claim_event(self, event: ClaimEvent) -> int:
        """Append; gives the sequence."""
        values = asdict(event)
        del values["sequence"]
        new = insert(_EVENT).values(values).returning(_EVENT.c.sequence)
        given: int = self._connection.execute(new).scalar_one()
        self._enter(LeafKind.CLAIM, *claim_said(values))
        return given

    def claim_events(self, number: int | None = None) -> Sequence[ClaimEvent]:
        """Everything that was done to a claim (or to all), the oldest first."""
        query = select(_EVENT).order_by(_EVENT.c.sequence)
        if number is not None:
            query = query.where(_EVENT.c.number == number)
        return [ClaimEvent(**row) for row in self._connection.execute(query).mappings()]

    def put_claim_files(self, files: Sequence[ClaimFile]) -> None:
        """Append the files of a pack."""
        for one in files:
            self._connection.execute(insert(_FILE).values(asdict(one)))

    def claim_files(self, number: int) -> Sequence[ClaimFile]:
        """The files of the pack of a claim, in their order."""
        query = select(_FILE).where(_FILE.c.number == number).order_by(_FILE.c.place)
        return [ClaimFile(**row) for row in self._connection.execute(query).mappings()]


def claim_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of an act on a claim says, by its row: of what, and what."""
    said = {k: v for k, v in row.items() if k != "sequence"}
    return f"CLM-{row['number']}", {**said, "facts": text_of(row["facts"])}
