"""What the system says of its own clock: whether anything keeps it (adjtimex(2), Linux only)."""

import ctypes
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

# adjtimex returns it while nothing keeps the clock.
_TIME_ERROR: Final = 5
_STA_UNSYNC: Final = 0x0040


class _Timex(ctypes.Structure):
    """The beginning of struct timex; the rest is room for what the kernel writes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


@dataclass(frozen=True, slots=True)
class KernelClock:
    """`is_synced` is None where it cannot be known, and `error_us` then as well."""

    is_synced: bool | None = None
    error_us: int | None = None


UNKNOWN: Final = KernelClock()


def kernel_clock() -> KernelClock:
    """The state of this system's clock now. One system call; changes nothing."""
    adjtimex = _adjtimex()
    if adjtimex is None:
        return UNKNOWN
    timex = _Timex()
    state = int(adjtimex(ctypes.byref(timex)))
    if state < 0:
        return UNKNOWN
    is_synced = state != _TIME_ERROR and not timex.status & _STA_UNSYNC
    return KernelClock(is_synced, int(timex.maxerror))


@lru_cache(maxsize=1)
def _adjtimex() -> Any:
    """The C library's function; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL(None, use_errno=True).adjtimex
    except (AttributeError, OSError):
        return None
