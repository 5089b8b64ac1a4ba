"""The duty that issues reports by itself: those whose time has come, and revisions that late facts make.

Everything that it has still to do stands in storage, and each step is one transaction: killed at any point it
goes on where it was, and issues nothing twice.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from controller.core.calendars import Period
from controller.errors import ControllerError, Fatal
from controller.issued import Reopened
from controller.ports import Storage, Transaction, Worker
from controller.services.period_views import PeriodView, own_periods
from controller.services.periods import ITSELF, Periods
from controller.services.terms import Terms
from controller.services.touched import note_touched
from vedette.shared.documents import BadDocument

_IDLE_SECONDS: Final = 30.0
_BUSY_SECONDS: Final = 0.05
_AGAIN_US: Final = 600 * 1_000_000

log = logging.getLogger(__name__)


class Issuing:
    """Looks what is to be issued. Synchronous: runs in the storage thread."""

    def __init__(
        self, storage: Storage, periods: Periods, terms: Terms, now_us: Callable[[], int]
    ) -> None:
        self._storage = storage
        self._periods = periods
        self._terms = terms
        self._now_us = now_us
        # When the next report on each contract is due, by the last file that was applied.
        self._due_us: dict[str, int] = {}
        self._file = 0
        # What could not be done, and when it is tried again.
        self._again_us: dict[tuple[str, str], int] = {}

    def last_us(self) -> int:
        """The newest instant as of which anything was issued: what is recorded later must come after it."""
        with self._storage.transaction() as tx:
            return tx.last_issued_us()

    def look(self) -> bool:
        """Do one thing that is due; False if nothing is."""
        with self._storage.transaction() as tx:
            if note_touched(tx, self._terms):
                return True
            due = self._outdated(tx) or self._due(tx)
        if due is None:
            return False
        contract, when = due
        try:
            with self._storage.transaction() as tx:
                self._bring_up(tx, contract, when)
        except Fatal:
            raise
        except (ControllerError, BadDocument) as error:
            self._again_us[contract, when.label] = self._now_us() + _AGAIN_US
            fields = {"contract": contract, "period": when.label, "reason": str(error)}
            log.warning("report.waits", extra=fields)
        return True

    def _outdated(self, tx: Transaction) -> tuple[str, Period] | None:
        """A report that was touched and is to be looked at, or has waited long enough for more to come."""
        now_us = self._now_us()
        for one in tx.reopened():
            agreement = self._terms.agreement(tx, one.contract, now_us)
            when = agreement.period.named(one.label, None)
            wait_us = agreement.lateness_of(when).allowed_us
            is_waiting = one.since_us is not None and now_us < one.since_us + wait_us
            if not is_waiting and self._may(one.contract, when, now_us):
                return one.contract, when
        return None

    def _due(self, tx: Transaction) -> tuple[str, Period] | None:
        """A period on which the report is due."""
        now_us = self._now_us()
        newest = self._terms.newest(tx)
        if newest != self._file:
            self._file = newest
            self._due_us.clear()
        for name, tenure in self._terms.tenures(tx).items():
            if now_us < self._due_us.get(name, now_us):
                continue
            agreement = self._terms.agreement(tx, name, now_us)
            done = {one.label for one in tx.issued_heads(name)}
            for when in own_periods(agreement, tenure):
                if when.label in done:
                    continue
                due_us = when.to_us + agreement.lateness_of(when).seal_after_us
                if now_us < due_us:
                    self._due_us[name] = due_us
                    break
                if self._may(name, when, now_us):
                    return name, when
            else:
                self._due_us[name] = now_us + _AGAIN_US
        return None

    def _may(self, contract: str, when: Period, now_us: int) -> bool:
        """It was not tried just now, in vain."""
        return now_us >= self._again_us.get((contract, when.label), now_us)

    def _bring_up(self, tx: Transaction, contract: str, when: Period) -> None:
        """Issue the first report on a period, or see whether late facts make another one, and issue that."""
        now_us = self._now_us()
        view = self._periods.view(tx, contract, when, now_us)
        if not view.issued:
            made = self._periods.issue(tx, view, ITSELF, "", is_early=not view.life.is_final)
            _log("report.issued", view, made.revision)
        elif not self._periods.is_changed(tx, view):
            tx.forget_reopened(contract, when.label)
        elif view.reopened_us is None:
            tx.put_reopened(Reopened(contract, when.label, now_us))
            _log("report.outdated", view, len(view.issued))
        else:
            made = self._periods.issue(tx, view, ITSELF, "")
            _log("report.revised", view, made.revision)


def _log(event: str, view: PeriodView, revision: int) -> None:
    fields = {"contract": view.contract, "period": view.when.label, "revision": revision}
    log.info(event, extra=fields)


async def issuing(worker: Worker, duty: Issuing) -> None:
    """Do what is due, one thing a transaction, for ever. Fatal if storage is damaged."""
    while True:
        is_busy = False
        try:
            is_busy = await worker.run(duty.look)
        except Fatal:
            raise
        except ControllerError as error:
            log.warning("report.unissued", extra={"reason": str(error)})
        await asyncio.sleep(_BUSY_SECONDS if is_busy else _IDLE_SECONDS)
