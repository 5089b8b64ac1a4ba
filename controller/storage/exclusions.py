"""The ledger of exclusions."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select

from controller.exclusions import EntryKind, ExclusionEntry
from controller.leaves import LeafKind
from controller.storage.exclusion_tables import ExclusionEntryRow
from controller.storage.log import LogRows
from controller.storage.tables import table

_ENTRY = table(ExclusionEntryRow)


class ExclusionRows(LogRows):
    """controller.exclusions.ExclusionStore over SQL."""

    def put_exclusion_entry(self, entry: ExclusionEntry) -> int:
        """Append; gives the sequence."""
        values = {**asdict(entry), "kind": entry.kind.value}
        del values["sequence"]
        new = insert(_ENTRY).values(values).returning(_ENTRY.c.sequence)
        given: int = self._connection.execute(new).scalar_one()
        self._enter(LeafKind.EXCLUSION, entry.exclusion, {**values, "body": entry.body.decode()})
        return given

    def exclusion_entries(self, recorded_us: int | None = None) -> Sequence[ExclusionEntry]:
        """Every entry, or those recorded at or before that instant, the oldest first."""
        query = select(_ENTRY).order_by(_ENTRY.c.sequence)
        if recorded_us is not None:
            query = query.where(_ENTRY.c.at_us <= recorded_us)
        return [
            ExclusionEntry(**{**row, "kind": EntryKind(row["kind"])})
            for row in self._connection.execute(query).mappings()
        ]
