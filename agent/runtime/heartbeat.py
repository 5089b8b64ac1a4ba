"""How long the event loop kept everything waiting: one shared timer, and who was there when it was late.

While anything is watched, a timer comes due every few milliseconds. When it runs late, so did whatever else was
ready at the time: a probe that was under way counted the agent's own delay as the target's. One timer for all
probes, and none while nothing runs, so that the measurement costs next to nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from agent.runtime.deadlines import Deadlines
from vedette.shared.limits import HEARTBEAT_US, LATE_BEATS_KEPT_MAX

# Loops round timers to milliseconds: less than this is no lateness.
_NOISE_US: Final = 2_000


class Heartbeat:
    """The lag of the running loop. `monotonic_us` is the clock that it is measured with.

    `deadlines` are looked at with every beat, as long as anything is watched.
    """

    def __init__(self, monotonic_us: Callable[[], int]) -> None:
        self.deadlines = Deadlines()
        self._now_us = monotonic_us
        self._late: deque[tuple[int, int]] = deque(maxlen=LATE_BEATS_KEPT_MAX)
        self._due_us = 0
        self._watched = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_beating(self) -> bool:
        """The timer runs."""
        return self._timer is not None

    def begin(self) -> int:
        """Watch from now on; gives what `end` wants back."""
        now_us = self._now_us()
        self._watched += 1
        if self._timer is None:
            self._arm(now_us)
        return now_us

    def end(self, begun_us: int) -> int:
        """Stop watching; gives the longest that the loop was late since then, in microseconds.

        A beat that is due and has not come yet counts as late by now: what blocked the loop may have been the
        last thing before this call.
        """
        now_us = self._now_us()
        worst_us = min(self._overdue_us(now_us), now_us - begun_us)
        for at_us, late_us in reversed(self._late):
            if at_us < begun_us:
                break
            worst_us = max(worst_us, min(late_us, at_us - begun_us))
        self._watched -= 1
        return worst_us

    def _overdue_us(self, now_us: int) -> int:
        late_us = now_us - self._due_us
        return late_us if late_us > _NOISE_US else 0

    def _arm(self, now_us: int) -> None:
        self._due_us = now_us + HEARTBEAT_US
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(HEARTBEAT_US / 1e6, self._beat)

    def _beat(self) -> None:
        now_us = self._now_us()
        late_us = self._overdue_us(now_us)
        if late_us:
            self._late.append((now_us, late_us))
        self._timer = None
        self.deadlines.look(asyncio.get_running_loop().time())
        if self._watched:
            self._arm(now_us)
