"""What the rows of facts say, as their leaves in the log should: read to check the one against the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, or_, select

from controller.ports.leaves import LeafKind, Said
from controller.storage.claim_ledger import claim_said
from controller.storage.claim_tables import ClaimEventRow
from controller.storage.custody import act_said
from controller.storage.custody_tables import ActRow
from controller.storage.event_tables import OutageEventRow, RemarkRow
from controller.storage.events import event_said
from controller.storage.exclusion_tables import ExclusionEntryRow
from controller.storage.exclusions import exclusion_said
from controller.storage.fleet import check_said, fleet_said
from controller.storage.holds import counter_said, hold_said
from controller.storage.issued import report_said
from controller.storage.issued_tables import IssuedReportRow
from controller.storage.log import LogRows
from controller.storage.remarks import remark_said
from controller.storage.retention_tables import CounterRow, HoldEventRow
from controller.storage.tables import CheckRevisionRow, FleetRevisionRow, table

_Said = Callable[[Mapping[str, Any]], tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Ledger:
    """A table of facts: what orders it, when a row was written, what tells rows apart, and what leaves say of them."""

    table: Table
    order: tuple[str, ...]
    at_us: str
    key: tuple[str, ...]
    said: _Said

    def behind(self, place: tuple[int | str, ...]) -> ColumnElement[bool]:
        """Rows after the one of that place."""
        columns = [self.table.c[name] for name in self.order]
        return or_(
            *(
                and_(
                    column > place[depth],
                    *(one == at for one, at in zip(columns[:depth], place, strict=False)),
                )
                for depth, column in enumerate(columns)
            )
        )

    def read(self, row: Mapping[str, Any]) -> Said:
        """What a row says."""
        subject, data = self.said(row)
        key = (subject, *(row[name] for name in self.key))
        return Said(tuple(row[name] for name in self.order), row[self.at_us], key, data)


_SEQUENCE: Final = ("sequence",)
_LEDGERS: Final[Mapping[LeafKind, _Ledger]] = {
    LeafKind.FLEET: _Ledger(
        table(FleetRevisionRow), ("number",), "applied_us", ("number",), fleet_said
    ),
    LeafKind.CHECK: _Ledger(
        table(CheckRevisionRow),
        ("effective_us", "check"),
        "effective_us",
        ("effective_us",),
        check_said,
    ),
    LeafKind.EXCLUSION: _Ledger(
        table(ExclusionEntryRow), _SEQUENCE, "at_us", ("at_us", "kind"), exclusion_said
    ),
    LeafKind.REMARK: _Ledger(table(RemarkRow), _SEQUENCE, "at_us", ("at_us", "kind"), remark_said),
    LeafKind.OUTAGE: _Ledger(
        table(OutageEventRow), _SEQUENCE, "recorded_us", ("revision",), event_said
    ),
    LeafKind.CLAIM: _Ledger(table(ClaimEventRow), _SEQUENCE, "at_us", ("revision",), claim_said),
    LeafKind.REPORT: _Ledger(
        table(IssuedReportRow), _SEQUENCE, "issued_us", ("revision",), report_said
    ),
    LeafKind.HOLD: _Ledger(table(HoldEventRow), _SEQUENCE, "at_us", ("kind",), hold_said),
    LeafKind.COUNTER: _Ledger(
        table(CounterRow), _SEQUENCE, "at_us", ("at_us", "who"), counter_said
    ),
    LeafKind.ACCESS: _Ledger(table(ActRow), ("number",), "at_us", ("at_us", "who"), act_said),
}


class ToldRows(LogRows):
    """The part of controller.ports.leaves.LogStore that is about the rows behind leaves."""

    def said(self, kind: LeafKind, after: Said | None, limit: int) -> Sequence[Said]:
        """What the next rows say that leaves of that kind tell of, in their order; none, if there are no such rows."""
        ledger = _LEDGERS.get(kind)
        if ledger is None:
            return []
        query = select(ledger.table).order_by(*(ledger.table.c[name] for name in ledger.order))
        if after is not None:
            query = query.where(ledger.behind(after.place))
        rows = self._connection.execute(query.limit(limit)).mappings().all()
        return [ledger.read({str(key): value for key, value in row.items()}) for row in rows]

    def key_of(self, kind: LeafKind, subject: str, data: Mapping[str, Any]) -> tuple[object, ...]:
        """The key of the row that a leaf tells of."""
        ledger = _LEDGERS.get(kind)
        return (subject, *(data.get(name) for name in ledger.key)) if ledger is not None else ()
