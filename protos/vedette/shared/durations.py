"""Durations as people write them (`250ms 60s 5m 24h 7d`), held as integer microseconds."""

import re
from typing import Final

_UNITS_US: Final = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
PATTERN: Final = r"^([0-9]{1,15})(us|ms|s|m|h|d)$"
_PATTERN: Final = re.compile(PATTERN)
EXPECTED: Final = "a duration such as 250ms, 60s, 5m, 24h or 7d"


class Duration(int):
    """A length of time in microseconds that reads and writes itself as `60s`.

    An int, so that arithmetic needs no conversion; a class of its own, so that definitions can tell a
    duration from a count.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> "Duration":
        """The duration that `text` says. ValueError if it says none."""
        match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"expected {EXPECTED}, found {text!r}")
        return cls(int(match[1]) * _UNITS_US[match[2]])

    def __str__(self) -> str:
        """The shortest exact text in one unit: the largest unit that divides it."""
        if self == 0:
            return "0s"
        unit = next(u for u in ("d", "h", "m", "s", "ms", "us") if self % _UNITS_US[u] == 0)
        return f"{self // _UNITS_US[unit]}{unit}"

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"
