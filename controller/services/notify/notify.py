"""Routing: what was learnt becomes messages to channels, in the transaction that notes that it did.

It is read from the ledger of outages, the notices about agents, the verdicts of flapping checks and the heads of the
log, each as far as it was not read before. So a controller that ends at any point tells everything once.
"""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from controller.ports.storage import Storage, Transaction
from controller.services.notify.notify_agents import tell_of_agents
from controller.services.notify.notify_heads import tell_of_heads
from controller.services.notify.notify_insight import Insight
from controller.services.notify.notify_outages import OutageTelling
from controller.services.notify.notify_progress import Progress, read_progress, write_progress
from vedette.shared.limits import NOTIFY_EVENTS_AT_ONCE_MAX

# How often it is looked whether a check flaps no more, or what something waits for is over.
_LOOK_US: Final = 5 * 1_000_000

log = logging.getLogger(__name__)


class InsightSource(Protocol):
    """Gives what is known in a transaction."""

    def of(self, tx: Transaction, now_us: int) -> Insight:
        """What is known in `tx` at `now_us`."""
        ...


class Router:
    """Writes deliveries. Synchronous: runs in the storage thread."""

    def __init__(
        self,
        storage: Storage,
        insights: InsightSource,
        now_us: Callable[[], int],
        recorded_us: Callable[[], int] | None = None,
    ) -> None:
        self._storage = storage
        self._insights = insights
        self._now_us = now_us
        # When a message was held back stands in reports, and so is recorded later than what was before (S-21).
        self._recorded_us = recorded_us or now_us
        self._looked_us = 0
        self._released = 0
        self._steadied = ""

    def begin(self) -> None:
        """Where nothing was ever told, begin with what comes from now on: the past is not news."""
        with self._storage.transaction() as tx:
            if read_progress(tx) is None:
                lasting = tx.notices(include_ended=False, limit=1_000_000)
                silent = sorted(one.number for one in lasting)
                write_progress(tx, Progress(tx.last_event(), silent))

    def route(self) -> bool:
        """Tell of what was learnt since the last time; True if there may be more at once."""
        now_us = self._now_us()
        with self._storage.transaction() as tx:
            progress = read_progress(tx) or Progress()
            insight = self._insights.of(tx, now_us)
            telling = OutageTelling(tx, insight, progress, now_us, self._recorded_us())
            events = tx.events_after(progress.sequence, NOTIFY_EVENTS_AT_ONCE_MAX)
            for event in events:
                try:
                    telling.tell(event)
                except ValueError as error:
                    # It was told by nobody's mouth; what comes after it is.
                    fields = {"event": event.sequence, "reason": str(error)}
                    log.error("notify.unreadable", extra=fields)
                progress.sequence = event.sequence
            if not 0 <= now_us - self._looked_us < _LOOK_US:
                self._steadied = telling.end_flapping(self._steadied)
                self._released = telling.release(self._released)
                self._looked_us = now_us
            tell_of_agents(tx, insight, progress, now_us)
            tell_of_heads(tx, insight, progress, now_us)
            write_progress(tx, progress)
        return len(events) == NOTIFY_EVENTS_AT_ONCE_MAX
