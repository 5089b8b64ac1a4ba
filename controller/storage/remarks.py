"""Remarks on outages."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select

from controller.ports.leaves import LeafKind
from controller.ports.remarks import Remark, RemarkKind
from controller.storage.bulk import parts_of, word_of
from controller.storage.event_tables import RemarkRow
from controller.storage.log import LogRows
from controller.storage.tables import table

_REMARK = table(RemarkRow)


class RemarkRows(LogRows):
    """controller.ports.remarks.RemarkStore over SQL."""

    def put_remark(self, remark: Remark) -> int:
        """Append; gives the sequence."""
        values = {**asdict(remark), "kind": remark.kind.value}
        del values["sequence"]
        new = insert(_REMARK).values(values).returning(_REMARK.c.sequence)
        given: int = self._connection.execute(new).scalar_one()
        self._enter(LeafKind.REMARK, *remark_said(values))
        return given

    def remarks_after(self, sequence: int, limit: int) -> Sequence[Remark]:
        """The next remarks after that one, over all outages, the oldest first."""
        c = _REMARK.c
        query = select(_REMARK).where(c.sequence > sequence).order_by(c.sequence).limit(limit)
        rows = self._connection.execute(query).mappings()
        return [
            Remark(**{**row, "kind": word_of(RemarkKind, row["kind"], "remark")}) for row in rows
        ]

    def remarks_of(self, numbers: Sequence[int]) -> Sequence[Remark]:
        """Everything that was said of these outages, the oldest first."""
        found: list[Remark] = []
        for part in parts_of(numbers):
            query = select(_REMARK).where(_REMARK.c.number.in_(part))
            found += [
                Remark(**{**row, "kind": word_of(RemarkKind, row["kind"], "remark")})
                for row in self._connection.execute(query).mappings()
            ]
        return sorted(found, key=lambda one: one.sequence)


def remark_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of a remark says, by its row: of what, and what."""
    return f"OUT-{row['number']}", {k: v for k, v in row.items() if k != "sequence"}
