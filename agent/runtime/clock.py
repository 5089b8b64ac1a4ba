"""The machine's clocks, as a Clock (agent.ports)."""

import asyncio
import time
from typing import Final

_LOOK_US: Final = 1_000_000
_SET_BACK_US: Final = 500_000
# Loops round delays to milliseconds: a shorter one ends at once, and waiting for the rest of it would spin.
_TICK_US: Final = 1000


class SystemClock:
    """Wall and monotonic time of this machine."""

    def wall_us(self) -> int:
        """The wall clock, microseconds since the Unix epoch."""
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        """A clock that never steps."""
        return time.monotonic_ns() // 1000

    async def sleep_until_us(self, wall_us: int) -> None:
        """Return when the wall clock has reached `wall_us`, or was set back: then look at it again.

        It looks every second, so that a clock that is set forward is noticed too.
        """
        now = self.wall_us()
        while now < wall_us:
            ticks = -(-min(wall_us - now, _LOOK_US) // _TICK_US)
            await asyncio.sleep(ticks * _TICK_US / 1e6)
            before, now = now, self.wall_us()
            if now < before - _SET_BACK_US:
                return
