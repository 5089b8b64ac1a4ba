"""The machine's clocks, as a seam: who needs the time is given one of these, or a test's."""

import datetime as dt
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
