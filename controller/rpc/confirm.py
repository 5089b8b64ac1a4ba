"""Confirm now: when a region sees a failure first, all regions of that check are asked to look at once."""

import asyncio
import logging
from collections.abc import Sequence

from controller.errors import ControllerError
from controller.ports import Worker
from controller.rpc.sessions import Sessions
from controller.services.apply import Fleets
from vedette.shared.result import Trigger

log = logging.getLogger(__name__)


class Confirmation:
    """Collects the checks to ask about, and asks. A check that waits already is not asked for twice."""

    def __init__(self, worker: Worker, fleets: Fleets, sessions: Sessions) -> None:
        self._worker = worker
        self._fleets = fleets
        self._sessions = sessions
        self._wanted: dict[str, None] = {}
        self._arrived = asyncio.Event()

    def ask(self, checks: Sequence[str]) -> None:
        """These checks failed in a region just now."""
        self._wanted.update(dict.fromkeys(checks))
        self._arrived.set()

    async def run(self) -> None:
        """Ask, for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            wanted, self._wanted = list(self._wanted), {}
            try:
                await self._ask(wanted)
            except ControllerError as error:
                # The next slot confirms as well; it only takes longer.
                log.error("probe.unconfirmed", extra={"reason": str(error)})

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
