"""The ledger of exclusions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
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
        subject, said = exclusion_said(values)
        del said["body"]
        self._enter(LeafKind.EXCLUSION, subject, said)
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
    """What leaves say of an entry, by its row: of what, and what.

    `body` stands in leaves of before, which named every check and service that an exclusion covers. Leaves are handed
    over to whoever one of these is of, so that `declared` names none: a hash stands for each.
    """
    said = {k: v for k, v in row.items() if k != "sequence"}
    body = text_of(row["body"])
    declared = _unnamed(body, f"{row['exclusion']}\n{row['at_us']}\n")
    return row["exclusion"], {**said, "body": body, "declared": declared}


def _unnamed(body: str, salt: str) -> str:
    """A body with the SHA-256 of salt and name for each name in its scope; what is no exclusion as it is."""
    try:
        found = json.loads(body)
        scope = found["scope"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return body
    found["scope"] = {
        kind: [sha256((salt + name).encode()).hexdigest() for name in names]
        for kind, names in scope
    }
    return json.dumps(found, separators=(",", ":"))
