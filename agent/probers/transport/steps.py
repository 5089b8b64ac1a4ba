"""The phases of one hop, in order, under one timer.

One timer that is moved when a phase has a bound of its own costs a fraction of a timer a phase.
"""

import asyncio
from collections.abc import Mapping
from types import TracebackType

from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Stopwatch
from vedette.shared.failure import Failure


class Steps:
    """Times the phases of a hop and stops the one that is late, with a fault that is its own.

    `async with` around the whole hop; `begin` and `end` around each phase. Times are differences of one
    clock, each phase beginning where the one before it ended, so they sum to the total. A phase that fails
    counts the time until it failed.
    """

    def __init__(self, watch: Stopwatch, limits_us: Mapping[str, int] | None = None) -> None:
        self.phases_us: dict[str, int] = {}
        self.clock = watch.clock
        self._watch = watch
        self._limits_us = limits_us or {}
        self._last_us = watch.clock()
        self._begun_us = self._last_us
        self._ends_us = watch.ends_us
        self._name: str | None = None
        self._late = Failure.AGENT_FAULT
        self._what = ""
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> "Steps":
        self._timeout = asyncio.timeout(max(self._ends_us - self._last_us, 0) / 1e6)
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._name is not None:
            self.end()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            within = (self._ends_us - self._begun_us) / 1000
            raise Fault(self._late, f"{self._what} within {max(within, 0):.0f} ms") from late

    @property
    def left_us(self) -> int:
        """Time that the phase which was begun may still take."""
        return max(self._ends_us - self.clock(), 0)

    def begin(self, name: str, late: Failure, what: str) -> None:
        """What follows is the phase `name`. `late` is the kind of its timeout; `what` says who did not do what."""
        self._name = name
        self._begun_us = self._last_us
        limit_us = self._limits_us.get(name)
        ends_us = self._watch.ends_us
        if limit_us is not None:
            ends_us = min(ends_us, self._last_us + limit_us)
        if ends_us != self._ends_us:
            self._ends_us = ends_us
            seconds = (ends_us - self.clock()) / 1e6
            self._timeout.reschedule(asyncio.get_running_loop().time() + seconds)
        self.now(late, what)

    def now(self, late: Failure, what: str) -> None:
        """Within the same phase, this is what would be late."""
        self._late, self._what = late, what

    def end(self) -> None:
        """The phase that was begun is over, and the next one begins."""
        now_us = self.clock()
        if self._name is not None:
            taken_us = self.phases_us.get(self._name, 0)
            self.phases_us[self._name] = taken_us + now_us - self._last_us
        self._name = None
        self._last_us = now_us
