"""Outages as people see them: under their handle, graded, with what was said of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from controller.core.flapping import Flapping, looks_back_us
from controller.core.severity import Graded, Severity
from controller.ports.counters import Counter
from controller.ports.events import EventKind, OutageEvent
from controller.ports.fleet import CheckRevision
from controller.ports.outcomes import StoredOutage
from controller.ports.remarks import Remark, RemarkKind
from controller.ports.storage import Transaction
from controller.services.outages.flapping import flapping_now
from controller.services.outages.grading import Grading, service_of
from controller.services.outages.outage_body import OutageBody, body_of, decode_body
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.definitions import decode_check


@dataclass(frozen=True, slots=True)
class Retraction:
    """When late evidence made an outage vanish, and which other one took its place (empty: none)."""

    at_us: int
    absorbed_by: str


@dataclass(frozen=True, slots=True)
class OutageView:
    """An outage under its handle, with its ledger times (when the controller learnt of it).

    `revision` counts what was learnt of it, the last at `told_us`. `severities` are those of its time, one
    after another; the first is its severity. `is_flapping`: its check flaps now, and this outage is a part
    of that. `counters` is what was said against it. `notified_us` is when the first message about it had arrived, `held_us` when the first
    one was held back because something else explained it.
    """

    handle: str
    service: str
    detected_us: int
    closed_known_us: int | None
    body: OutageBody
    severities: Sequence[Graded]
    revision: int
    told_us: int
    is_flapping: bool = False
    remarks: Sequence[Remark] = ()
    retraction: Retraction | None = None
    notified_us: int | None = None
    held_us: int | None = None
    counters: Sequence[Counter] = ()

    @property
    def severity(self) -> Severity:
        """What it was when the outage started."""
        return self.severities[0].severity

    @property
    def ack(self) -> Remark | None:
        """The first acknowledgement of a person: who took it on, and when."""
        acks = (one for one in self.remarks if one.kind is RemarkKind.ACK)
        return next((one for one in acks if one.is_of_a_person), None)


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of an outage at some instant: the last event of it, and its state."""

    number: int
    check: str
    detected_us: int
    closed_known_us: int | None
    body: OutageBody
    last: OutageEvent | None

    @classmethod
    def of_event(cls, event: OutageEvent) -> "Known":
        """As it was told."""
        body = decode_body(event.body)
        return cls(event.number, event.check, event.detected_us, event.closed_known_us, body, event)

    @classmethod
    def of_row(cls, row: StoredOutage, last: OutageEvent | None) -> "Known":
        """As it is stored."""
        body = decode_body(row.body)
        return cls(row.number, row.check, row.detected_us, row.closed_known_us, body, last)

    @property
    def ended_us(self) -> int | None:
        """When it ended; None: it had not."""
        return self.body.ended_us


class Views:
    """Makes views inside one transaction; reads what they share once."""

    def __init__(
        self, tx: Transaction, evaluator: Evaluator, grading: Grading, now_us: int
    ) -> None:
        self._tx = tx
        self._evaluator = evaluator
        self._grading = grading
        self._now_us = now_us
        self._flapping: dict[str, Flapping] = {}
        self._revisions: dict[str, list[CheckRevision]] = {}
        for one in tx.check_revisions():
            self._revisions.setdefault(one.check, []).append(one)

    def now(self, known: Sequence[Known]) -> list[OutageView]:
        """Outages as they are now: an open one has gone on since it was stored."""
        remarks = self._remarks([one.number for one in known])
        views = [
            self._view(one, self._gone_on(one), remarks.get(one.number, ()), is_now=True)
            for one in known
        ]
        return self._told(views, self._now_us)

    def then(self, known: Sequence[Known], as_of_us: int) -> list[OutageView]:
        """Outages as they were known at an instant."""
        remarks = self._remarks([one.number for one in known])
        views = [
            self._view(
                one,
                one.body,
                [said for said in remarks.get(one.number, ()) if said.at_us <= as_of_us],
                is_now=False,
            )
            for one in known
        ]
        return self._told(views, as_of_us)

    def _told(self, views: Sequence[OutageView], as_of_us: int) -> list[OutageView]:
        """With when the first message about each had arrived by then, and when the first was held back."""
        handles = [one.handle for one in views]
        told, held = self._tx.first_delivered_us(handles), self._tx.first_held_us(handles)
        counters = self._tx.counters_against(handles)

        def by_then(at_us: int | None) -> int | None:
            return at_us if at_us is not None and at_us <= as_of_us else None

        return [
            replace(
                one,
                notified_us=by_then(told.get(one.handle)),
                held_us=by_then(held.get(one.handle)),
                counters=[said for said in counters.get(one.handle, ()) if said.at_us <= as_of_us],
            )
            for one in views
        ]

    def _view(
        self, known: Known, body: OutageBody, remarks: Sequence[Remark], *, is_now: bool
    ) -> OutageView:
        revisions = self._revisions.get(known.check, [])
        last = known.last
        is_retracted = last is not None and last.kind is EventKind.RETRACTED
        return OutageView(
            handle=f"OUT-{known.number}",
            service=_service(revisions),
            detected_us=known.detected_us,
            closed_known_us=known.closed_known_us,
            body=body,
            severities=self._grading.of(self._tx, body, revisions).parts,
            revision=last.revision if last else 0,
            told_us=last.recorded_us if last else known.detected_us,
            is_flapping=is_now and not is_retracted and self._flaps(known),
            remarks=remarks,
            retraction=_retraction(last) if last is not None and is_retracted else None,
        )

    def _gone_on(self, known: Known) -> OutageBody:
        body = known.body
        is_gone = known.last is not None and known.last.kind is EventKind.RETRACTED
        if body.ended_us is None and not is_gone:
            for outage in self._evaluator.outages(self._tx, known.check, self._now_us):
                if outage.id == body.id:
                    return body_of(outage)
        return body

    def _flaps(self, known: Known) -> bool:
        """The check flaps now, and the outage lies in the time that this is seen by."""
        defined = [one for one in self._revisions.get(known.check, ()) if one.definition]
        if not defined:
            return False
        every_us = decode_check(defined[-1].definition).interval_us
        recent_us = self._now_us - looks_back_us(every_us)
        ended_us = known.body.ended_us
        if ended_us is not None and ended_us <= recent_us:
            return False
        found = self._flapping.get(known.check)
        if found is None:
            found = flapping_now(self._tx, known.check, every_us, self._now_us)
            self._flapping[known.check] = found
        return found.is_flapping

    def _remarks(self, numbers: Iterable[int]) -> Mapping[int, Sequence[Remark]]:
        found: dict[int, list[Remark]] = {}
        for one in self._tx.remarks_of(list(numbers)):
            found.setdefault(one.number, []).append(one)
        return found


def _service(revisions: Sequence[CheckRevision]) -> str:
    """The service that a check belongs to, as last defined."""
    defined = [one.definition for one in revisions if one.definition]
    return service_of(defined[-1]) if defined else ""


def _retraction(event: OutageEvent) -> Retraction:
    into = f"OUT-{event.absorbed_by}" if event.absorbed_by else ""
    return Retraction(event.recorded_us, into)
