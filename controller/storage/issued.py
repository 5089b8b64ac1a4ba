"""Issued reports, and what is to be looked at for them."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec
from sqlalchemy import delete, func, insert, select, update

from controller.ports.issued import IssuedReport, Reopened, Retold
from controller.ports.leaves import LeafKind
from controller.storage.bulk import decoded, json_of
from controller.storage.issued_tables import (
    IssuedReportRow,
    ReopenedReportRow,
    ReportProgressRow,
    RetoldRow,
)
from controller.storage.log import LogRows
from controller.storage.tables import table

_ISSUED: Final = table(IssuedReportRow)
_RETOLD: Final = table(RetoldRow)
_REOPENED: Final = table(ReopenedReportRow)
_PROGRESS: Final = table(ReportProgressRow)
_unheard: Final = msgspec.json.Decoder(tuple[tuple[str, int | None], ...])
_HEAD: Final = [c for c in _ISSUED.c if c.name not in ("sequence", "body")]


class IssuedRows(LogRows):
    """controller.ports.issued.IssuedStore over SQL."""

    def put_issued(self, report: IssuedReport) -> bool:
        """Append the revision after the last one; False if there is one of that number, and nothing is changed."""
        c = _ISSUED.c
        its = (c.contract == report.contract) & (c.label == report.label)
        last = self._connection.execute(select(func.max(c.revision)).where(its)).scalar() or 0
        if report.revision != last + 1:
            return False
        values = {
            **asdict(report),
            "body": zlib.compress(report.body, 9),
            "unheard": msgspec.json.encode(report.unheard),
        }
        self._connection.execute(insert(_ISSUED).values(values))
        self._enter(LeafKind.REPORT, *report_said(values))
        return True

    def issued(self, contract: str, label: str) -> Sequence[IssuedReport]:
        """Every revision of a report, the oldest first."""
        c = _ISSUED.c
        query = select(*_HEAD, c.body).where(c.contract == contract, c.label == label)
        rows = self._connection.execute(query.order_by(c.revision)).mappings()
        return [_issued(row, _unpacked(row["body"])) for row in rows]

    def issued_heads(self, contract: str | None = None) -> Sequence[IssuedReport]:
        """Every revision of every report (of a contract), without bodies, by contract, label and revision."""
        query = select(*_HEAD)
        if contract is not None:
            query = query.where(_ISSUED.c.contract == contract)
        found = [_issued(row, b"") for row in self._connection.execute(query).mappings()]
        # Sorted here: databases differ in how they sort text.
        return sorted(found, key=lambda one: (one.contract, one.label, one.revision))

    def last_issued_us(self) -> int:
        """The newest instant as of which anything was issued; 0: nothing was."""
        # What is issued later is later (S-21). Every frame asks, so not all rows are read.
        query = select(_ISSUED.c.as_of_us).order_by(_ISSUED.c.sequence.desc()).limit(1)
        return self._connection.execute(query).scalar() or 0

    def note_retold(self, retold: Retold) -> None:
        """Note that time of a check; what was noted of it before is widened."""
        its = _RETOLD.c.check == retold.check
        row = self._connection.execute(
            select(_RETOLD.c.from_us, _RETOLD.c.to_us).where(its)
        ).first()
        if row is None:
            self._connection.execute(insert(_RETOLD).values(asdict(retold)))
        elif retold.from_us < row.from_us or retold.to_us > row.to_us:
            wider = {
                "from_us": min(retold.from_us, row.from_us),
                "to_us": max(retold.to_us, row.to_us),
            }
            self._connection.execute(update(_RETOLD).where(its).values(wider))

    def retold(self) -> Sequence[Retold]:
        """Everything that was noted, by check."""
        rows = self._connection.execute(select(_RETOLD)).mappings()
        return sorted((Retold(**row) for row in rows), key=lambda one: one.check)

    def forget_retold(self, check: str) -> None:
        """It was seen which reports that concerns."""
        self._connection.execute(delete(_RETOLD).where(_RETOLD.c.check == check))

    def put_reopened(self, reopened: Reopened) -> None:
        """Insert or replace."""
        self.forget_reopened(reopened.contract, reopened.label)
        self._connection.execute(insert(_REOPENED).values(asdict(reopened)))

    def reopened(self, contract: str | None = None) -> Sequence[Reopened]:
        """The reports (on a contract) that may not say what would be said now, by contract and label."""
        query = select(_REOPENED)
        if contract is not None:
            query = query.where(_REOPENED.c.contract == contract)
        found = [Reopened(**row) for row in self._connection.execute(query).mappings()]
        return sorted(found, key=lambda one: (one.contract, one.label))

    def forget_reopened(self, contract: str, label: str) -> None:
        """It says what would be said now, or a revision does."""
        its = (_REOPENED.c.contract == contract) & (_REOPENED.c.label == label)
        self._connection.execute(delete(_REOPENED).where(its))

    def report_progress(self) -> bytes:
        """How far facts were read for what they change of issued reports, as JSON; empty at first."""
        found: bytes | None = self._connection.execute(select(_PROGRESS.c.body)).scalar()
        return found or b""

    def put_report_progress(self, body: bytes) -> None:
        """Insert or replace."""
        self._connection.execute(delete(_PROGRESS))
        self._connection.execute(insert(_PROGRESS).values(id=1, body=body))


def _unpacked(body: bytes) -> bytes:
    """What was packed so; nothing, if that is damaged: then it has not the digest of what was issued."""
    try:
        return zlib.decompress(body)
    except zlib.error:
        return b""


def _issued(row: Mapping[Any, Any], body: bytes) -> IssuedReport:
    values = {key: row[key] for key in (column.name for column in _HEAD)}
    return IssuedReport(
        **{**values, "unheard": decoded(_unheard, values["unheard"], "issued_report"), "body": body}
    )


def report_said(row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the leaf of a report says, by its row: of what, and what. Its bytes stand there by their hash."""
    said = {k: v for k, v in row.items() if k not in ("sequence", "body")}
    unheard = json_of(row["unheard"])
    return f"{row['contract']} {row['label']}", {**said, "unheard": unheard}
