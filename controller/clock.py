"""The machine's clocks, as a seam: who needs the time is given one of these, or a test's."""

import datetime as dt
import threading
import time
from collections.abc import Callable


def wall_us() -> int:
    """Now, microseconds since the Unix epoch."""
    return time.time_ns() // 1000


def utc_now() -> dt.datetime:
    """Now, as certificates write it."""
    return dt.datetime.now(dt.UTC)


def monotonic_us() -> int:
    """A clock that never steps, microseconds since some instant."""
    return time.monotonic_ns() // 1000


def steady_wall(now_us: int) -> Callable[[], int]:
    """A clock that says `now_us` now, and never steps whatever is done to the machine's."""
    ahead_us = now_us - monotonic_us()
    return lambda: monotonic_us() + ahead_us


class LedgerClock:
    """Wall time that never stands and never goes back, for what is recorded.

    A report as of an instant says what was recorded until then (S-21). So what is recorded later must have a
    later instant, also where somebody sets the machine's clock back.
    """

    def __init__(self, wall: Callable[[], int] = wall_us) -> None:
        self._wall = wall
        self._last_us = 0
        # It is read in the storage thread and in the event loop.
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Now, microseconds since the Unix epoch; later than ever before."""
        with self._lock:
            self._last_us = max(self._wall(), self._last_us + 1)
            return self._last_us

    def go_on_after(self, at_us: int) -> None:
        """Say nothing any more that is not later than that."""
        with self._lock:
            self._last_us = max(self._last_us, at_us)
