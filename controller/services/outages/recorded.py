"""Outages as they are recorded: each under one handle, with the times at which the controller learnt of it.

What is news of an outage is appended to the ledger of outages in the same transaction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from controller.core.changes import Changes
from controller.core.engine import CheckEngine
from controller.core.outages import Outage
from controller.ports.events import Cause, EventKind, OutageEvent
from controller.ports.outcomes import OutageScope, StoredOutage
from controller.ports.storage import Transaction
from controller.services.outages.handles import Extent, carried_over
from controller.services.outages.outage_body import OutageBody, body_of, decode_body, encode_body
from controller.services.outages.telling import is_past_changed, is_told, news
from controller.services.results.arrivals import Arrivals

_UNASKED = Arrivals(Cause.LINES)


class RecordedOutages:
    """What is stored of outages, by check and content id; a cache of storage that writes through.

    `arrivals` is what came in this transaction, which events name as their reasons.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, StoredOutage]] = {}
        self._unconfirmed: dict[str, set[str]] = {}
        self.arrivals = _UNASKED

    def forget(self, check: str) -> None:
        """What was written of a check was undone."""
        self._known.pop(check, None)
        self._unconfirmed.pop(check, None)

    def of(self, tx: Transaction, check: str) -> dict[str, StoredOutage]:
        """Outages of a check by content id, as `tx` holds them."""
        known = self._known.get(check)
        if known is None:
            stored = tx.outages(check, scope=OutageScope.ALL)
            known = self._known[check] = {decode_body(one.body).id: one for one in stored}
            for key, one in known.items():
                is_confirmed = EventKind.CONFIRMED in tx.event_kinds(one.number)
                self._note(check, key, is_waiting=one.ended_us is None and not is_confirmed)
        return known

    def write(self, tx: Transaction, check: str, changes: Changes, now_us: int) -> None:
        """Record what changed. An outage that merely moved keeps its handle (S-19).

        The verdicts that `changes` rest on are stored already.
        """
        known = self.of(tx, check)
        vanished = (*changes.gone, *changes.regional_gone)
        gone = {key: known.pop(key) for key in vanished if key in known}
        for key in gone:
            self._note(check, key, is_waiting=False)
        found = (*changes.outages, *changes.regional)
        heirs = _heirs(gone.values(), [one for one in found if one.id not in known])
        for outage in found:
            old = known.get(outage.id)
            if old is None and outage.id in heirs:
                old = gone.pop(heirs[outage.id])
            known[outage.id] = self._put(tx, outage, old, now_us)
        for stored in gone.values():
            tx.delete_outage(stored.number)
            self._retract(tx, stored, known, now_us)

    def confirm(self, tx: Transaction, check: str, engine: CheckEngine, now_us: int) -> None:
        """Tell of open outages that are certain by now, though all that they did was go on.

        That they do is no change to the engine, which is drained.
        """
        waiting = self._unconfirmed.get(check)
        if not waiting:
            return
        certain = [
            tuple(one for one in found if one.id in waiting and one.downtime_us_min > 0)
            for found in (engine.outages(now_us + 1), engine.regional_outages(now_us + 1))
        ]
        if any(certain):
            self.write(tx, check, Changes(outages=certain[0], regional=certain[1]), now_us)

    def _note(self, check: str, key: str, *, is_waiting: bool) -> None:
        if is_waiting:
            self._unconfirmed.setdefault(check, set()).add(key)
        elif check in self._unconfirmed:
            self._unconfirmed[check].discard(key)

    def _put(
        self, tx: Transaction, outage: Outage, old: StoredOutage | None, now_us: int
    ) -> StoredOutage:
        """Store an outage under the number of `old`, or a new one, and tell what is news of it."""
        made = _stored(outage, old, now_us)
        if made == old:
            return made
        made = replace(made, number=tx.put_outage(made))
        before = decode_body(old.body) if old else None
        after = body_of(outage)
        kinds = tx.event_kinds(made.number) if old else ()
        told = news(
            before,
            after,
            is_confirmed=EventKind.CONFIRMED in kinds,
            is_past_changed=before is not None
            and before.started_us == after.started_us
            and before.ended_us is None
            and after.ended_us is None
            and is_past_changed(tx, before, after),
        )
        if told == [EventKind.REVISED] and is_told(tx.newest_events([made.number])[0], after):
            told = []
        is_confirmed = EventKind.CONFIRMED in (*kinds, *told)
        self._note(made.check, after.id, is_waiting=made.ended_us is None and not is_confirmed)
        moved_from = before.id if before is not None and before.id != after.id else ""
        for revision, kind in enumerate(told, len(kinds) + 1):
            event = self._event(kind, revision, made, after, now_us)
            tx.put_event(replace(event, carried_from=moved_from))
            moved_from = ""
        return made

    def _retract(
        self, tx: Transaction, gone: StoredOutage, known: dict[str, StoredOutage], now_us: int
    ) -> None:
        """Tell that an outage is none any more, or became a part of another."""
        body = decode_body(gone.body)
        wider = [one for one in known.values() if one.region in ("", gone.region)]
        heirs = carried_over([_extent(gone)], [_extent(one) for one in wider])
        into = next((known[key].number for key in heirs), 0)
        revision = len(tx.event_kinds(gone.number)) + 1
        event = self._event(EventKind.RETRACTED, revision, gone, body, now_us)
        tx.put_event(replace(event, absorbed_by=into))

    def _event(
        self, kind: EventKind, revision: int, stored: StoredOutage, body: OutageBody, now_us: int
    ) -> OutageEvent:
        lines, count = self.arrivals.reasons(stored.check, body.started_us, body.until_us)
        return OutageEvent(
            number=stored.number,
            revision=revision,
            kind=kind,
            recorded_us=now_us,
            check=stored.check,
            body=stored.body,
            detected_us=stored.detected_us,
            closed_known_us=stored.closed_known_us,
            cause=self.arrivals.cause,
            lines=lines,
            line_count=count,
        )


def _stored(outage: Outage, old: StoredOutage | None, now_us: int) -> StoredOutage:
    """The row of an outage. Ledger times are kept where they hold."""
    ended_us, closed_known_us = outage.span.ended_us, None
    if ended_us is not None:
        # An end that moved was not known before: the ledger time goes with the end that it is of.
        is_known_end = (
            old is not None and old.ended_us == ended_us and old.closed_known_us is not None
        )
        closed_known_us = old.closed_known_us if old and is_known_end else now_us
    return StoredOutage(
        number=old.number if old else 0,
        check=outage.check,
        started_us=outage.span.started_us,
        ended_us=ended_us,
        detected_us=old.detected_us if old else now_us,
        closed_known_us=closed_known_us,
        body=encode_body(body_of(outage)),
        region=outage.region,
    )


def _heirs(gone: Iterable[StoredOutage], new: Sequence[Outage]) -> dict[str, str]:
    """Which new outage carries the handle of which that is gone: one of the same region, or both of all."""
    found: dict[str, str] = {}
    old = list(gone)
    for region in {one.region for one in old}:
        found |= carried_over(
            [_extent(one) for one in old if one.region == region],
            [
                Extent(one.id, one.span.started_us, one.span.until_us)
                for one in new
                if one.region == region
            ],
        )
    return found


def _extent(stored: StoredOutage) -> Extent:
    body = decode_body(stored.body)
    return Extent(body.id, body.started_us, body.until_us)
