"""What people are measured by in outages (S-46, S-47): when each was known, told, taken on, and paused."""

from collections.abc import Sequence

from controller.core.sla.figures.reliability import OutageTimes
from controller.ports.events import EventKind
from controller.ports.outcomes import OutageScope
from controller.ports.remarks import Remark, acked_us, pauses_of
from controller.ports.storage import Transaction
from controller.services.outages.grading import Grading
from controller.services.outages.outage_views import Known


class OutageClocks:
    """Reads them in one transaction. Nothing later than `horizon_us` is told.

    `is_past`: the outages are those that were known at the horizon, as they were known (S-21).
    """

    def __init__(
        self, tx: Transaction, grading: Grading, horizon_us: int, *, is_past: bool
    ) -> None:
        self._tx = tx
        self._grading = grading
        self._horizon_us = horizon_us
        self._is_past = is_past

    def of(self, check: str, from_us: int, to_us: int) -> Sequence[OutageTimes]:
        """The outages of a check and of its regions that touch [from_us, to_us), by when they began."""
        alive = self._then(check) if self._is_past else self._now(check, from_us, to_us)
        known = [one for one in alive if _touches(one, from_us, to_us)]
        numbers = [one.number for one in known]
        said: dict[int, list[Remark]] = {number: [] for number in numbers}
        for remark in self._tx.remarks_of(numbers):
            if remark.at_us <= self._horizon_us:
                said[remark.number].append(remark)
        handles = [f"OUT-{number}" for number in numbers]
        told, held = self._tx.first_delivered_us(handles), self._tx.first_held_us(handles)
        found = [
            self._times(one, said[one.number], alive)._replace(
                notified_us=self._known(told.get(f"OUT-{one.number}")),
                held_us=self._known(held.get(f"OUT-{one.number}")),
            )
            for one in known
        ]
        return sorted(found, key=lambda one: (one.started_us, one.region))

    def _times(self, one: Known, said: Sequence[Remark], alive: Sequence[Known]) -> OutageTimes:
        body = one.body
        beside: list[str] | None = None
        if self._is_past:
            span = body.started_us, body.until_us + 1
            near = (other.body for other in alive if _touches(other, *span))
            beside = [other.region for other in near if other.region]
        grades = self._grading.of(
            self._tx, body, self._grading.revisions(self._tx, one.check), beside
        )
        return OutageTimes(
            started_us=body.started_us,
            ended_us=self._known(body.ended_us),
            detected_us=self._known(one.detected_us),
            acked_us=acked_us(said),
            confirmed_us=self._known(body.confirmed_us),
            handle=f"OUT-{one.number}",
            check=one.check,
            region=body.region,
            severity=grades.severity,
            pauses=pauses_of(said),
        )

    def _now(self, check: str, from_us: int, to_us: int) -> list[Known]:
        rows = self._tx.outages(check, from_us, to_us, scope=OutageScope.ALL)
        return [Known.of_row(row, None) for row in rows]

    def _then(self, check: str) -> list[Known]:
        """All that were known, whatever time they touch."""
        events = self._tx.events_as_of(self._horizon_us, check)
        return [Known.of_event(one) for one in events if one.kind is not EventKind.RETRACTED]

    def _known(self, at_us: int | None) -> int | None:
        return at_us if at_us is not None and at_us <= self._horizon_us else None


def _touches(one: Known, from_us: int, to_us: int) -> bool:
    return one.body.started_us < to_us and (one.ended_us is None or one.ended_us > from_us)
