"""Time inside a probe: the monotonic clock, a deadline, and the phases that were reached."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure

Microseconds = Callable[[], int]


def monotonic_us() -> int:
    """The monotonic clock; never steps."""
    return time.monotonic_ns() // 1000


class Stopwatch:
    """One deadline for a whole probe, and within it phases with deadlines of their own."""

    def __init__(self, timeout_us: int, clock: Microseconds = monotonic_us) -> None:
        self.clock = clock
        self.started_us = clock()
        self.ends_us = self.started_us + timeout_us

    @property
    def took_us(self) -> int:
        """Time since the probe began."""
        return self.clock() - self.started_us

    def begin_later(self, since_us: int) -> None:
        """What went on since `since_us` was this agent's own affair: the target has the whole of its time from now on."""
        passed_us = self.clock() - since_us
        self.started_us += passed_us
        self.ends_us += passed_us

    @property
    def left_us(self) -> int:
        """Time that is left; 0 when there is none."""
        return max(self.ends_us - self.clock(), 0)


class Laps:
    """The phases of one hop, in order. Their times are differences of one clock, so they sum to the total."""

    def __init__(self, watch: Stopwatch, limits_us: Mapping[str, int | None] | None = None) -> None:
        self.clock = watch.clock
        self._watch = watch
        self._limits_us = limits_us or {}
        self._last_us = watch.clock()
        self.phases_us: dict[str, int] = {}

    @asynccontextmanager
    async def phase(self, name: str, late: Failure, what: str) -> AsyncIterator[None]:
        """Time what is inside as `name`; stop it with a fault of kind `late` at its deadline.

        A phase that fails counts the time until it failed. `what` says who did not do what.
        """
        left_us = self.left_us(name)
        try:
            async with asyncio.timeout(left_us / 1e6):
                yield
        except TimeoutError as error:
            raise Fault(late, f"{what} within {left_us / 1000:.0f} ms") from error
        finally:
            self.end(name, self._watch.clock())

    def left_us(self, name: str) -> int:
        """Time that the phase `name` may take from now on."""
        limit_us = self._limits_us.get(name)
        return self._watch.left_us if limit_us is None else min(self._watch.left_us, limit_us)

    def end(self, name: str, now_us: int) -> None:
        """The phase `name` ended at `now_us`, and the next one begins."""
        self.phases_us[name] = self.phases_us.get(name, 0) + now_us - self._last_us
        self._last_us = now_us

    @property
    def total_us(self) -> int:
        """Time of all phases together."""
        return sum(self.phases_us.values())
