"""Confirm now: when a region sees a failure first, all regions of that check are asked to look at once."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Final

from controller.errors import ControllerError
from controller.ports import Worker
from controller.rpc.sessions import Sessions
from controller.services.apply import Fleets
from vedette.shared.result import Trigger

CONFIRM_SPACING_SECONDS: Final = 2.0

log = logging.getLogger(__name__)


class Confirmation:
    """Collects the checks to ask about, and asks: each at once, but not again within a while.

    Two looks within a moment would see the same moment: what they confirm is no more than a blip.
    """

    def __init__(
        self,
        worker: Worker,
        fleets: Fleets,
        sessions: Sessions,
        *,
        spacing_seconds: float = CONFIRM_SPACING_SECONDS,
    ) -> None:
        self._worker = worker
        self._fleets = fleets
        self._sessions = sessions
        self._spacing_seconds = spacing_seconds
        self._wanted: dict[str, None] = {}
        self._asked: dict[str, float] = {}
        self._arrived = asyncio.Event()

    def ask(self, checks: Sequence[str]) -> None:
        """These checks failed in a region just now."""
        self._wanted.update(dict.fromkeys(checks))
        self._arrived.set()

    async def run(self) -> None:
        """Ask, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await self._next(loop.time())
            now = loop.time()
            self._asked = {
                c: at for c, at in self._asked.items() if at + self._spacing_seconds > now
            }
            due = [check for check in self._wanted if check not in self._asked]
            if not due:
                continue
            for check in due:
                del self._wanted[check]
                self._asked[check] = now
            try:
                await self._ask(due)
            except ControllerError as error:
                # The next slot confirms as well; it only takes longer.
                log.error("probe.unconfirmed", extra={"reason": str(error)})

    async def _next(self, now: float) -> None:
        """Return when a check is wanted anew, or one that waits may be asked again."""
        waiting = [self._asked[check] for check in self._wanted if check in self._asked]
        seconds = min(waiting) + self._spacing_seconds - now if waiting else None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._arrived.wait(), seconds)
        self._arrived.clear()

    async def _ask(self, wanted: Sequence[str]) -> None:
        fleet = await self._worker.run(self._fleets.fleet)
        by_regions: dict[tuple[str, ...], list[str]] = {}
        for name in wanted:
            check = fleet.checks.get(name) if fleet else None
            if check is not None and isinstance(check.regions, list):
                by_regions.setdefault(tuple(check.regions), []).append(name)
        for regions, checks in by_regions.items():
            asked = self._sessions.probe(checks, regions, Trigger.CONFIRM)
            log.info("probe.confirming", extra={"checks": checks[:20], "agents": asked[:20]})
