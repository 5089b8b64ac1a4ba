"""The ledger of exclusions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select

from controller.ports.exclusions import EntryKind, ExclusionEntry
from controller.ports.leaves import LeafKind
from controller.storage.bulk import text_of, word_of
from controller.storage.exclusion_tables import ExclusionEntryRow
from controller.storage.log import LogRows
from controller.storage.tables import table

_ENTRY = table(ExclusionEntryRow)


class ExclusionRows(LogRows):
    """controller.ports.exclusions.ExclusionStore over SQL."""

    def put_exclusion_entry(self, entry: ExclusionEntry) -> int:
        """Append; gives the sequence."""
        values = {**asdict(entry), "kind": entry.kind.value}
        del values["sequence"]
        new = insert(_ENTRY).values(values).returning(_ENTRY.c.sequence)
        given: int = self._connection.execute(new).scalar_one()
        self._enter(LeafKind.EXCLUSION, *exclusion_said(values))
        return given

    def exclusion_entries(self, recorded_us: int | None = None) -> Sequence[ExclusionEntry]:
        """Every entry, or those recorded at or before that instant, the oldest first."""
        query = select(_ENTRY).order_by(_ENTRY.c.sequence)
        if recorded_us is not None:
            query = query.where(_ENTRY.c.at_us <= recorded_us)
        return [_entry(row) for row in self._connection.execute(query).mappings()]

    def last_exclusion_entry(self, recorded_us: int) -> ExclusionEntry | None:
        """The last one that was recorded at or before that instant."""
        query = select(_ENTRY).where(_ENTRY.c.at_us <= recorded_us)
        newest = query.order_by(_ENTRY.c.at_us.desc(), _ENTRY.c.sequence.desc()).limit(1)
        row = self._connection.execute(newest).mappings().first()
        return None if row is None else _entry(row)


def _entry(row: Mapping[Any, Any]) -> ExclusionEntry:
    return ExclusionEntry(**{**row, "kind": word_of(EntryKind, row["kind"], "exclusion_entry")})


def exclusion_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of an entry says, by its row: of what, and what."""
    said = {k: v for k, v in row.items() if k != "sequence"}
    return row["exclusion"], {**said, "body": text_of(row["body"])}
