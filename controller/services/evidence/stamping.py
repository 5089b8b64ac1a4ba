"""Having the log's newest checkpoint stamped by authorities outside, now and then, and keeping what they said."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from controller.errors import ControllerError
from controller.ports.leaves import StoredCheckpoint, StoredTimestamp
from controller.ports.storage import Storage, Worker
from controller.services.evidence.exposure import Exposure, exposure_of

_EVERY_US: Final = 3600 * 1_000_000
_LOOK_SECONDS: Final = 30.0
log = logging.getLogger(__name__)


class Stamp(Protocol):
    """A verified timestamp: query and response, exact bytes, the instant that it vouches for, and the root it leads to."""

    @property
    def query(self) -> bytes:
        """What was asked."""
        ...

    @property
    def response(self) -> bytes:
        """What was answered."""
        ...

    @property
    def at_us(self) -> int:
        """When it was so."""
        ...

    @property
    def root(self) -> bytes:
        """The certificate (DER) that it was verified by."""
        ...


class Timestamper(Protocol):
    """Asks one authority."""

    @property
    def name(self) -> str:
        """Which one."""
        ...

    async def stamp(self, data: bytes) -> Stamp | str:
        """A verified timestamp of these bytes; or why there is none, in words."""
        ...


class Stamping:
    """Asks every authority once an hour, and again soon where it failed."""

    def __init__(
        self,
        worker: Worker,
        storage: Storage,
        authorities: Callable[[], Sequence[Timestamper]],
        now_us: Callable[[], int],
    ) -> None:
        self._worker = worker
        self._storage = storage
        self._authorities = authorities
        self._now_us = now_us
        self._failing: dict[str, str] = {}

    async def run(self) -> None:
        """Ask, for ever."""
        while True:
            try:
                await self.look()
            except ControllerError as error:
                log.error("log.unstamped", extra={"reason": str(error)})
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> int:
        """Ask whoever is due; how many stamped."""
        count = 0
        for authority in await self._worker.run(self._authorities):
            count += await self._ask(authority)
        return count

    async def _ask(self, authority: Timestamper) -> bool:
        checkpoint = await self._worker.run(lambda: self._due(authority.name))
        if checkpoint is None:
            return False
        stamp = await authority.stamp(checkpoint.note)
        if isinstance(stamp, str):
            if self._failing.get(authority.name) != stamp:
                log.warning("log.unstamped", extra={"authority": authority.name, "reason": stamp})
            self._failing[authority.name] = stamp
            return False
        self._failing.pop(authority.name, None)
        kept = StoredTimestamp(
            checkpoint.size, authority.name, stamp.query, stamp.response, stamp.at_us, stamp.root
        )
        await self._worker.run(lambda: self._keep(kept))
        return True

    def timestamps(self) -> Sequence[StoredTimestamp]:
        """Every timestamp, the newest first. In the storage thread."""
        with self._storage.transaction() as tx:
            return tx.timestamps()

    def exposure(self) -> Exposure:
        """How far the log is fixed from outside. In the storage thread."""
        with self._storage.transaction() as tx:
            return exposure_of(tx)

    def _due(self, authority: str) -> StoredCheckpoint | None:
        """The checkpoint to have stamped; None if nothing is new, or the last time is not an hour ago."""
        with self._storage.transaction() as tx:
            newest = tx.newest_checkpoint()
            last = max(
                (one for one in tx.timestamps() if one.authority == authority),
                key=_at,
                default=None,
            )
        if newest is None or last is None:
            return newest
        is_due = last.size < newest.size and self._now_us() >= last.at_us + _EVERY_US
        return newest if is_due else None

    def _keep(self, stamp: StoredTimestamp) -> None:
        with self._storage.transaction() as tx:
            tx.put_timestamp(stamp)


def _at(stamp: StoredTimestamp) -> int:
    return stamp.at_us
