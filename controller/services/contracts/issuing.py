"""The duty that issues reports by itself: those whose time has come, and revisions that late facts make.

Everything that it has still to do stands in storage, and each step is one transaction: killed at any point it
goes on where it was, and issues nothing twice.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from controller.core.calendars import Period
from controller.core.intervals import FOREVER_US
from controller.core.sla.terms.contracts import Agreement
from controller.errors import ControllerError, Fatal, NotFound
from controller.ports.issued import Reopened
from controller.ports.storage import Storage, Transaction, Worker
from controller.services.contracts.period_views import PeriodView, own_periods
from controller.services.contracts.periods import ITSELF, Periods
from controller.services.contracts.terms import Tenure, Terms
from controller.services.contracts.touched import note_touched
from vedette.shared.documents import BadDocument

_IDLE_SECONDS: Final = 30.0
_BUSY_SECONDS: Final = 0.05
_AGAIN_US: Final = 600 * 1_000_000
# A clock that was set back is followed no sooner than it has come to where it was; not if that takes years.
_AHEAD_US_MAX: Final = 86_400 * 1_000_000

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
        """After which instant whatever is recorded from now on must come, whatever the clock says.

        That is after all that was recorded, as a report as of any instant since then may have been given. If
        the clock is much earlier, it is that one which was wrong before: then it is after what was issued.
        """
        with self._storage.transaction() as tx:
            recorded_us, issued_us = tx.last_recorded_us(), tx.last_issued_us()
        ahead_us = recorded_us - self._now_us()
        if ahead_us <= _AHEAD_US_MAX:
            return recorded_us
        log.error("clock.behind", extra={"behind_seconds": ahead_us // 1_000_000})
        return issued_us

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
            self._put_off(contract, when.label, str(error))
        except Exception:
            log.exception("report.defect", extra={"contract": contract, "period": when.label})
            self._put_off(contract, when.label, "a fault of the controller")
        return True

    def _put_off(self, contract: str, label: str, reason: str) -> None:
        """It is tried again later, and keeps no other report waiting until then."""
        self._again_us[contract, label] = self._now_us() + _AGAIN_US
        fields = {"contract": contract, "period": label, "reason": reason}
        log.warning("report.waits", extra=fields)

    def _outdated(self, tx: Transaction) -> tuple[str, Period] | None:
        """A report that was touched and is to be looked at, or has waited long enough for more to come."""
        now_us = self._now_us()
        for one in tx.reopened():
            if now_us < self._again_us.get((one.contract, one.label), now_us):
                continue
            try:
                agreement = self._terms.agreement(tx, one.contract, now_us)
                when = agreement.period.named(one.label, None)
            except (NotFound, BadDocument, ValueError) as error:
                self._put_off(one.contract, one.label, str(error))
                continue
            wait_us = agreement.lateness_of(when).allowed_us
            if one.since_us is None or now_us >= one.since_us + wait_us:
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
            try:
                agreement = self._terms.agreement(tx, name, now_us)
            except BadDocument as error:
                self._put_off(name, "", str(error))
                self._due_us[name] = self._again_us[name, ""]
                continue
            when = self._due_of(tx, agreement, tenure, now_us)
            if when is not None:
                return name, when
        return None

    def _due_of(
        self, tx: Transaction, agreement: Agreement, tenure: Tenure, now_us: int
    ) -> Period | None:
        """A period of a contract on which the report is due; None: it is noted when the next one will be."""
        name = agreement.first.id
        done = {one.label for one in tx.issued_heads(name)}
        next_us = FOREVER_US
        for when in own_periods(agreement, tenure):
            if when.label in done:
                continue
            due_us = when.to_us + agreement.lateness_of(when).seal_after_us
            # One that could not be issued just now is due before those that come after it.
            again_us = max(due_us, self._again_us.get((name, when.label), due_us))
            if again_us <= now_us:
                return when
            next_us = min(next_us, again_us)
            if now_us < due_us:
                break
        # What ends without another period may be agreed on again by then.
        self._due_us[name] = next_us if next_us < FOREVER_US else now_us + _AGAIN_US
        return None

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
        except Exception:
            # A fault of ours in what stands for reports must not end everything else.
            log.exception("report.defect")
        await asyncio.sleep(_BUSY_SECONDS if is_busy else _IDLE_SECONDS)
