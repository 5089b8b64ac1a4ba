"""Launches what is due, when it is due: the schedule of agent.core, driven by a clock."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from agent.core.schedule import Due, Schedule
from agent.ports import Clock
from vedette.shared.limits import LAUNCH_LAG_US_MAX
from vedette.shared.slots import Cadence

_IDLE_US: Final = 60 * 1_000_000
# From one round to the next. To wake up for a slot costs about as much as to run it, so that the slots of a round
# share it. Only an agent with more slots than rounds launches any later for it, and one with very many (from some
# 700 a second on) by a little more: the pause grows with what the round before took.
_ROUND_US: Final = 5_000
_ROUND_US_PER_SLOT: Final = 1_500
_ROUND_US_MAX: Final = 15_000
# A clock that is nudged must not run a slot twice.
_SET_BACK_US: Final = 500_000


class Scheduler:
    """Calls `launch` once for every slot of every check; `launch` must not block."""

    def __init__(self, clock: Clock, launch: Callable[[Due], None]) -> None:
        self._clock = clock
        self._launch = launch
        self._schedule = Schedule(LAUNCH_LAG_US_MAX)
        self._runner: asyncio.Task[object] | None = None
        self._is_woken = False
        self._last_us = clock.wall_us()

    @property
    def missed(self) -> int:
        """Slots that passed without being taken."""
        return self._schedule.missed

    def replace(self, cadences: Mapping[str, Cadence]) -> None:
        """Run these checks from now on."""
        self._schedule.replace(cadences, self._clock.wall_us())
        # Wakes the sleeper, as asyncio.timeout does: a cancellation that it takes back.
        if self._runner is not None and not self._is_woken:
            self._is_woken = True
            self._runner.cancel()

    async def run(self) -> None:
        """Launch due slots until cancelled."""
        self._runner = asyncio.current_task()
        try:
            while True:
                now = self._clock.wall_us()
                if now < self._last_us - _SET_BACK_US:
                    self._schedule.stepped(now)
                self._last_us = now
                taken = self._schedule.take(now)
                for due in taken:
                    self._launch(due)
                next_us = self._schedule.next_due_us() or now + _IDLE_US
                await self._until(max(next_us, now + _pause_us(len(taken))))
        finally:
            self._runner = None

    async def _until(self, wall_us: int) -> None:
        """Wait until then, or until the checks change.

        No task of its own, and no event beside it: this runs once for every round.
        """
        assert self._runner is not None
        try:
            await self._clock.sleep_until_us(wall_us)
        except asyncio.CancelledError:
            if not self._is_woken or self._runner.uncancel() > 0:
                raise
        self._is_woken = False


def _pause_us(taken: int) -> int:
    """How long after a round that launched so many slots the next one may begin."""
    if not taken:
        return 0
    return min(max(_ROUND_US, taken * _ROUND_US_PER_SLOT), _ROUND_US_MAX)
