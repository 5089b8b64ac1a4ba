"""Outages as they are recorded: each under one handle, with the times at which the controller learnt of it."""

from dataclasses import replace

from controller.core.engine import Changes
from controller.core.outages import Outage
from controller.outcomes import StoredOutage
from controller.ports import Transaction
from controller.services.handles import Extent, carried_over
from controller.services.outage_body import body_of, decode_body, encode_body


class RecordedOutages:
    """What is stored of outages, by check and content id; a cache of storage that writes through."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, StoredOutage]] = {}

    def forget(self, check: str) -> None:
        """What was written of a check was undone."""
        self._known.pop(check, None)

    def of(self, tx: Transaction, check: str) -> dict[str, StoredOutage]:
        """Outages of a check by content id, as `tx` holds them."""
        known = self._known.get(check)
        if known is None:
            stored = tx.outages(check)
            known = self._known[check] = {decode_body(one.body).id: one for one in stored}
        return known

    def write(self, tx: Transaction, check: str, changes: Changes, now_us: int) -> None:
        """Record what changed. An outage that merely moved keeps its handle (S-19)."""
        known = self.of(tx, check)
        gone = {key: known.pop(key) for key in changes.gone if key in known}
        new = [outage for outage in changes.outages if outage.id not in known]
        heirs = carried_over(
            [_extent(stored) for stored in gone.values()],
            [Extent(o.id, o.span.started_us, o.span.until_us) for o in new],
        )
        for outage in changes.outages:
            old = known.get(outage.id)
            if old is None and outage.id in heirs:
                old = gone.pop(heirs[outage.id])
            known[outage.id] = _put(tx, outage, old, now_us)
        for stored in gone.values():
            tx.delete_outage(stored.number)


def _put(tx: Transaction, outage: Outage, old: StoredOutage | None, now_us: int) -> StoredOutage:
    """Store an outage under the number of `old`, or a new one. Ledger times are kept where they hold."""
    ended_us, closed_known_us = outage.span.ended_us, None
    if ended_us is not None:
        # An end that moved was not known before: the ledger time goes with the end that it is of.
        is_known_end = (
            old is not None and old.ended_us == ended_us and old.closed_known_us is not None
        )
        closed_known_us = old.closed_known_us if old and is_known_end else now_us
    made = StoredOutage(
        number=old.number if old else 0,
        check=outage.check,
        started_us=outage.span.started_us,
        ended_us=ended_us,
        detected_us=old.detected_us if old else now_us,
        closed_known_us=closed_known_us,
        body=encode_body(body_of(outage)),
    )
    return made if made == old else replace(made, number=tx.put_outage(made))


def _extent(stored: StoredOutage) -> Extent:
    body = decode_body(stored.body)
    return Extent(body.id, body.started_us, body.until_us)
