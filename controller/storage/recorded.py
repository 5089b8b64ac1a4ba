"""When anything was recorded last: what is recorded later must have a later instant (S-21)."""

from typing import Final

from sqlalchemy import func, select

from controller.storage.bulk import Rows
from controller.storage.delivery_tables import DeliveryRow
from controller.storage.event_tables import OutageEventRow, RemarkRow
from controller.storage.exclusion_tables import ExclusionEntryRow
from controller.storage.issued_tables import IssuedReportRow
from controller.storage.retention_tables import CounterRow
from controller.storage.tables import ConflictRow, FleetRevisionRow, SegmentRow, StreamRow, table

_STREAM: Final = table(StreamRow)
_SEGMENT: Final = table(SegmentRow)
_LATEST: Final = (
    table(ConflictRow).c.received_us,
    table(FleetRevisionRow).c.applied_us,
    table(OutageEventRow).c.recorded_us,
    table(RemarkRow).c.at_us,
    table(CounterRow).c.at_us,
    table(ExclusionEntryRow).c.at_us,
    table(DeliveryRow).c.changed_us,
    table(IssuedReportRow).c.as_of_us,
)


class RecordedRows(Rows):
    """Reads it for a start, from everything that a report as of an instant hangs on."""

    def last_recorded_us(self) -> int:
        """The newest instant at which anything was recorded; 0: nothing was."""
        newest = (
            select(_SEGMENT.c.received_us)
            .where(_SEGMENT.c.stream_id == _STREAM.c.id)
            .order_by(_SEGMENT.c.first_seq.desc())
            .limit(1)
            .correlate(_STREAM)
            .scalar_subquery()
        )
        queries = [select(newest), *(select(func.max(column)) for column in _LATEST)]
        found = (at_us for query in queries for at_us in self._connection.execute(query).scalars())
        return max((at_us for at_us in found if at_us is not None), default=0)
