"""Reminding of the last day to claim: of periods that are over, were breached, and were not claimed yet."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from controller.core.calendars import Period, PeriodKind
from controller.core.sla.claims.claim_notices import due_notice
from controller.core.sla.claims.deadlines import Deadline, reminder_due
from controller.core.sla.notices.notices import SlaNotice
from controller.core.sla.terms.contracts import Agreement
from controller.errors import ControllerError, Fatal, Rejected
from controller.ports.storage import Storage, Transaction, Worker
from controller.services.contracts.claim_basis import basis, deadline_for
from controller.services.contracts.claims import all_claims
from controller.services.contracts.sight import StoredSight
from controller.services.contracts.sla_watch import Loaded
from controller.services.contracts.terms import Agreed, Terms
from controller.services.notify.notify_sla import post
from controller.services.outages.grading import Grading
from controller.services.timeline.evaluate import Evaluator

_EVERY_SECONDS: Final = 3600.0
_RETRY_SECONDS: Final = 60.0
log = logging.getLogger(__name__)


class ClaimReminders:
    """Tells of deadlines once each. Synchronous: runs in the storage thread."""

    def __init__(
        self,
        storage: Storage,
        evaluator: Evaluator,
        fleets: Loaded,
        terms: Terms,
        now_us: Callable[[], int],
    ) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._fleets = fleets
        self._terms = terms
        self._grading = Grading()
        self._now_us = now_us

    def contracts(self) -> list[str]:
        """The contracts in force that name a deadline."""
        with self._storage.transaction() as tx:
            return [
                one.contract.first.id
                for one in self._terms.agreed(tx, None, self._now_us())
                if one.contract.period.kind is not PeriodKind.ROLLING
                and any(v.credits and v.credits.claim_deadline for v in one.contract.versions)
            ]

    def look(self, contract: str) -> int:
        """Tell what is due of one contract; gives how many reminders that were."""
        now_us, told = self._now_us(), 0
        with self._storage.transaction() as tx:
            in_force = self._fleets.loaded(tx)
            known = [
                one
                for one in self._terms.agreed(tx, None, now_us)
                if one.contract.first.id == contract
            ]
            if in_force is None or not known:
                return 0
            (agreed,) = known
            for period, deadline in _near(agreed.contract, now_us):
                notice = self._notice(tx, agreed, period, deadline, now_us)
                if notice is not None and post(tx, in_force.fleet, notice, now_us):
                    log.info("sla.told", extra={"event": notice.event, "subject": notice.subject})
                    told += 1
        return told

    def _notice(
        self, tx: Transaction, agreed: Agreed, period: Period, deadline: Deadline, now_us: int
    ) -> SlaNotice | None:
        name, tz = agreed.contract.first.id, agreed.contract.period.tz
        claims = [
            one
            for one in all_claims(tx)
            if (one.facts.contract, one.facts.label) == (name, period.label) and one.is_live
        ]
        notice = due_notice(name, period.label, tz, deadline, claims, now_us)
        if notice is None:
            return None
        if any(
            (one.subject, one.ordinal) == (notice.subject, notice.ordinal)
            for one in tx.newest_sla_events(name)
        ):
            return None
        sight = StoredSight(tx, self._evaluator, now_us, self._grading)
        try:
            basis(sight, agreed, period.label, None)
        except Rejected:
            return None  # there is nothing to claim
        return notice


def _near(contract: Agreement, now_us: int) -> Iterator[tuple[Period, Deadline]]:
    """The periods of which a reminder may be due: over, and their deadline not far and not over."""
    terms = contract.period
    period = terms.at(terms.at(now_us).from_us - 1)
    while period.to_us > contract.first.effective_us:
        deadline = deadline_for(contract, period)
        if deadline is not None and deadline.ends_us <= now_us:
            return
        if deadline is not None and reminder_due(deadline, terms.tz, now_us) is not None:
            yield period, deadline
        period = terms.at(period.from_us - 1)


async def reminding(worker: Worker, reminders: ClaimReminders) -> None:
    """Look every hour, one contract a turn, for ever. Fatal if storage is damaged."""
    while True:
        try:
            for name in await worker.run(reminders.contracts):
                await worker.run(partial(reminders.look, name))
        except Fatal:
            raise
        except ControllerError as error:
            log.error("claim.reminders.delayed", extra={"reason": str(error)})
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        await asyncio.sleep(_EVERY_SECONDS)
