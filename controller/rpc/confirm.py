"""Confirm now: gives the orders that controller.core.confirmation decides on."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from controller.core.confirmation import Confirmation
from controller.errors import ControllerError
from controller.ports.storage import Worker
from controller.rpc.sessions import Sessions
from controller.services.outages.situation import Situation
from controller.services.results.turns import News
from vedette.shared.result import Trigger

# How often it is looked whether the fleet, the agents or the outages changed without a result that turned.
_LOOK_SECONDS: Final = 1.0
# And how often at most, however many results turn.
_LOOKS_APART_SECONDS: Final = 0.05
# Orders of a moment go out together: in a storm there are hundreds a second.
_GATHER_SECONDS: Final = 0.005
_AGENTS_LOGGED_MAX: Final = 20
_LEARN_US: Final = 1_000_000
# In a storm there are orders all the time.
_LOGGED_US: Final = 1_000_000

log = logging.getLogger(__name__)


class Confirming:
    """Hears what was committed, and asks agents to look. `now_us` never steps, and began as the wall clock."""

    def __init__(
        self,
        worker: Worker,
        situation: Situation,
        sessions: Sessions,
        now_us: Callable[[], int],
        confirmation: Confirmation | None = None,
    ) -> None:
        self._worker = worker
        self._situation = situation
        self._sessions = sessions
        self._now_us = now_us
        self._confirmation = confirmation or Confirmation()
        self._news: list[News] = []
        self._wake = asyncio.Event()
        self._stale = asyncio.Event()
        self._is_informed = False
        self._learnt_us = -_LEARN_US
        self._logged_us = -_LOGGED_US
        self._looks = 0

    def hear(self, news: News) -> None:
        """This was just committed."""
        self._news.append(news)
        self._wake.set()
        if news.turns:
            self._stale.set()

    async def run(self) -> None:
        """Ask, for ever."""
        while True:
            next_us = self._confirmation.next_us(self._now_us()) if self._is_informed else None
            seconds = None if next_us is None else max((next_us - self._now_us()) / 1e6, 0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            self._wake.clear()
            if self._is_informed:
                await self._take_news()
                self._give_orders()
            await asyncio.sleep(_GATHER_SECONDS)

    async def keep_informed(self) -> None:
        """Look again and again how things are, and at once when results turn."""
        while True:
            self._stale.clear()
            try:
                await self._look()
            except ControllerError as error:
                # What was known goes on to hold; the next slots confirm as well.
                log.error("probe.uninformed", extra={"reason": str(error)})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._stale.wait()
            await asyncio.sleep(_LOOKS_APART_SECONDS)

    async def _look(self) -> None:
        now_us = self._now_us()
        connected = self._sessions.regions()
        seen = await self._worker.run(lambda: self._situation.look(connected, now_us))
        self._confirmation.adopt(seen.plans)
        self._confirmation.post(seen.posts, now_us)
        self._confirmation.opened(seen.out, seen.regional, now_us)
        self._is_informed = True
        self._wake.set()

    async def _take_news(self) -> None:
        heard, self._news = self._news, []
        if any(not self._confirmation.knows(turn.check) for news in heard for turn in news.turns):
            await self._learn_of_checks()
        before = self._confirmation.suspicion.held()
        for news in heard:
            self._confirmation.saw(news.turns, news.rounds, self._now_us())
        if not before and (held := self._confirmation.suspicion.held()):
            log.info("probe.awaiting_anchors", extra={"failures": held})

    async def _learn_of_checks(self) -> None:
        """A check may have come into force a moment ago. One that was retired stays unknown."""
        now_us = self._now_us()
        if now_us >= self._learnt_us + _LEARN_US:
            self._learnt_us = now_us
            with contextlib.suppress(ControllerError):
                await self._look()

    def _give_orders(self) -> None:
        orders = self._confirmation.orders(self._now_us())
        for agent, checks in orders.items():
            self._sessions.order(agent, checks, Trigger.CONFIRM)
            self._looks += len(checks)
        now_us = self._now_us()
        if orders and now_us >= self._logged_us + _LOGGED_US:
            agents = sorted(orders)
            extra = {
                "looks": self._looks,
                "check": orders[agents[0]][0],
                "agents": agents[:_AGENTS_LOGGED_MAX],
            }
            log.info("probe.confirming", extra=extra)
            self._logged_us, self._looks = now_us, 0
