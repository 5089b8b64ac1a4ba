"""Watching contracts: each is judged once a minute, and at once when an outage of its checks changes.

Many contracts that take long to judge wait for longer than a minute: watching has a bounded share of the time.

One contract a transaction, which notes what was told and writes the messages: results that come meanwhile do
not wait for many.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple, Protocol

from controller.core.sla.notices.burn_notices import abandoned
from controller.core.sla.notices.notices import SlaNotice
from controller.core.sla.terms.contracts import Agreement
from controller.errors import ControllerError, Fatal
from controller.ports.storage import Storage, Transaction, Worker
from controller.services.contracts.remembered import Remembered
from controller.services.contracts.sight import StoredSight
from controller.services.contracts.sla_standing import RememberingSight, notices_of, told_of
from controller.services.contracts.terms import Terms
from controller.services.fleet.apply import InForce
from controller.services.notify.notify_sla import post
from controller.services.outages.grading import Grading
from controller.services.timeline.evaluate import Evaluator

EVERY_US: Final = 60 * 1_000_000
AGAIN_US: Final = 5 * 1_000_000
"""How soon a contract may be judged again to whose checks something happens all the time."""
AWAY_US: Final = 120 * 1_000_000
"""How old the newest evidence is at a start if the controller was away."""
BACKLOG_US: Final = 180 * 1_000_000
"""How long is waited then."""
_EVENTS_AT_ONCE: Final = 200
_IDLE_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 10.0
# Judging takes one part in so many of the time: a thirtieth of a core, or a quarter where something happened.
_SHARE: Final = 30
_URGENT_SHARE: Final = 4
log = logging.getLogger(__name__)


class Loaded(Protocol):
    """The fleet file in force."""

    def loaded(self, tx: Transaction) -> InForce | None:
        """It, inside a transaction; None if nothing was applied yet."""
        ...


class Look(NamedTuple):
    """How long judging a contract took, and whether something had happened to it."""

    took_us: int
    is_urgent: bool

    @property
    def pause_seconds(self) -> float:
        """How long to leave the storage thread to others, so that watching takes no more than its share of it."""
        share = _URGENT_SHARE if self.is_urgent else _SHARE
        return self.took_us * (share - 1) / 1_000_000


class SlaWatch:
    """Judges contracts that are due and tells what is news of them. Synchronous: runs in the storage thread.

    When which was judged last is not kept: after a start all are due, and what was told before is in storage.
    """

    def __init__(
        self,
        storage: Storage,
        evaluator: Evaluator,
        fleets: Loaded,
        terms: Terms,
        now_us: Callable[[], int],
        elapsed_us: Callable[[], int],
    ) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._fleets = fleets
        self._now_us = now_us
        self._elapsed_us = elapsed_us
        self._terms = terms
        self._remembered = Remembered()
        self._severities = Grading()
        self._looked: dict[str, int] = {}
        self._touched: set[str] = set()
        self._sequence: int | None = None
        self._revision = 0
        self._begins_us: int | None = None

    def look(self) -> Look | None:
        """Judge one contract. None if none is due."""
        now_us, begun_us = self._now_us(), self._elapsed_us()
        name: str | None = None
        try:
            with self._storage.transaction() as tx:
                in_force = self._fleets.loaded(tx)
                if in_force is None:
                    return None
                contracts = in_force.fleet.contracts
                if self._waits_for_backlog(tx, in_force, now_us):
                    return None
                self._follow(tx, contracts)
                notices = self._abandoned(tx, in_force)
                name = self._due(contracts, now_us)
                if name is not None:
                    notices += self._news(tx, name, now_us)
                told = [one for one in notices if post(tx, in_force.fleet, one, now_us)]
            self._revision = in_force.revision.number
            _log(told)
        except ControllerError:
            raise  # it stays due
        except Exception:
            # A fault of ours in judging one contract must not keep the others from being judged.
            log.exception("sla.defect", extra={"contract": name})
        if name is None:
            return None
        is_urgent = name in self._touched
        self._looked[name] = now_us
        self._touched.discard(name)
        return Look(self._elapsed_us() - begun_us, is_urgent)

    def _waits_for_backlog(self, tx: Transaction, in_force: InForce, now_us: int) -> bool:
        """After the controller was away, what agents kept of that time is to come before anybody is told."""
        if self._begins_us is None:
            newest = [tx.newest_sample_us(check, now_us) for check in in_force.fleet.checks]
            newest_us = max((one for one in newest if one is not None), default=now_us)
            was_away = now_us - newest_us > AWAY_US
            self._begins_us = now_us + (BACKLOG_US if was_away else 0)
        return 0 < self._begins_us - now_us <= BACKLOG_US

    def _news(self, tx: Transaction, name: str, now_us: int) -> list[SlaNotice]:
        """What is to be told of a contract: nothing is by counts that are only remembered."""
        (agreed,) = self._terms.agreed(tx, name, now_us)
        where = (tx, self._evaluator, now_us, self._severities)
        if not notices_of(tx, RememberingSight(*where, self._remembered), agreed, now_us):
            return []
        self._remembered.forget(agreed.contract.scope.members)
        return notices_of(tx, StoredSight(*where), agreed, now_us)

    def _follow(self, tx: Transaction, contracts: Mapping[str, Agreement]) -> None:
        """Note the contracts whose checks something happened to."""
        if self._sequence is None:
            self._sequence = tx.last_event()
        events = tx.events_after(self._sequence, _EVENTS_AT_ONCE)
        if events:
            self._sequence = events[-1].sequence
            checks = {event.check for event in events}
            self._touched.update(
                name for name, one in contracts.items() if not checks.isdisjoint(one.scope.members)
            )

    def _abandoned(self, tx: Transaction, in_force: InForce) -> list[SlaNotice]:
        """When another file is in force: that of contracts that are not any more nothing burns."""
        if self._revision == in_force.revision.number:
            return []
        gone = [one for one in tx.sla_contracts() if one not in in_force.fleet.contracts]
        return [one for name in gone for one in abandoned(name, told_of(tx, name), ())]

    def _due(self, contracts: Collection[str], now_us: int) -> str | None:
        """One that something happened to, or that was judged longest ago, if that is a minute."""
        waits = {name: now_us - self._looked.get(name, 0) for name in contracts}

        def due(least_us: int, names: Iterable[str]) -> list[str]:
            # A clock that was set back keeps nobody waiting.
            return [name for name in names if not 0 <= waits[name] < least_us]

        touched = [name for name in waits if name in self._touched]
        found = due(AGAIN_US, touched) or due(EVERY_US, waits)
        return max(found, key=waits.__getitem__, default=None)


def _log(told: Iterable[SlaNotice]) -> None:
    """Note what was told, once that is committed."""
    for one in told:
        fields = {"event": one.event, "contract": one.contract, "subject": one.subject}
        log.info("sla.told", extra=fields)


async def watching(worker: Worker, watch: SlaWatch) -> None:
    """Judge contracts as they are due, for ever. Fatal if storage is damaged."""
    while True:
        try:
            look = await worker.run(watch.look)
        except Fatal:
            raise
        except ControllerError as error:
            log.error("sla.delayed", extra={"reason": str(error)})
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        await asyncio.sleep(_IDLE_SECONDS if look is None else look.pause_seconds)
