"""What people are measured by in outages (S-46, S-47): when each was known, told, taken on, and paused."""

from collections.abc import Sequence

from controller.core.sla.reliability import OutageTimes
from controller.events import EventKind
from controller.outcomes import OutageScope
from controller.ports import CheckRevision, Transaction
from controller.remarks import acked_us, pauses_of
from controller.services.grading import Grading
from controller.services.outage_views import Known


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
        self._revisions: dict[str, list[CheckRevision]] | None = None

    def of(self, check: str, from_us: int, to_us: int) -> Sequence[OutageTimes]:
        """The outages of a check and of its regions that touch [from_us, to_us), by when they began."""
        known = (
            self._then(check, from_us, to_us) if self._is_past else self._now(check, from_us, to_us)
        )
        numbers = [one.number for one in known]
        remarks = [one for one in self._tx.remarks_of(numbers) if one.at_us <= self._horizon_us]
        told = self._tx.first_delivered_us([f"OUT-{number}" for number in numbers])
        found: list[OutageTimes] = []
        for one in known:
            own = [remark for remark in remarks if remark.number == one.number]
            body, handle = one.body, f"OUT-{one.number}"
            times = OutageTimes(
                started_us=body.started_us,
                ended_us=self._known(body.ended_us),
                detected_us=self._known(one.detected_us),
                notified_us=self._known(told.get(handle)),
                acked_us=acked_us(own),
                confirmed_us=self._known(body.confirmed_us),
                handle=handle,
                check=check,
                region=body.region,
                severity=self._grading.of(self._tx, body, self._revisions_of(check)).severity,
                pauses=pauses_of(own),
            )
            found.append(times)
        return sorted(found, key=lambda one: (one.started_us, one.region))

    def _now(self, check: str, from_us: int, to_us: int) -> list[Known]:
        rows = self._tx.outages(check, from_us, to_us, scope=OutageScope.ALL)
        return [Known.of_row(row, None) for row in rows]

    def _then(self, check: str, from_us: int, to_us: int) -> list[Known]:
        events = self._tx.events_as_of(self._horizon_us, check)
        alive = [Known.of_event(one) for one in events if one.kind is not EventKind.RETRACTED]
        return [
            one
            for one in alive
            if one.body.started_us < to_us and (one.ended_us is None or one.ended_us > from_us)
        ]

    def _known(self, at_us: int | None) -> int | None:
        return at_us if at_us is not None and at_us <= self._horizon_us else None

    def _revisions_of(self, check: str) -> Sequence[CheckRevision]:
        if self._revisions is None:
            self._revisions = {}
            for one in self._tx.check_revisions():
                self._revisions.setdefault(one.check, []).append(one)
        return self._revisions.get(check, ())
