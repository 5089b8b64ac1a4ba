"""What the seals of a stream come to: how much the agent said, what it missed, and how its clock stood meanwhile."""

import re
from dataclasses import dataclass, field
from typing import Final

from controller.core.bundle.layout import Stream

_NUMBER: Final = rb"(\d{1,18})"
_SIGNED: Final = rb"(-?\d{1,18}|-)"
_SEAL: Final = re.compile(
    rb"vedette\.seal/v1\nstream [^\n]*\nseal " + _NUMBER + rb"\nprev [^\n]*\nlines \S+ \S+ " + _NUMBER
    + rb"\npayload [^\n]*\nslots " + _NUMBER + rb" \d{1,18} " + _NUMBER + rb"\nchecks [^\n]*\ntime "
    + _NUMBER + rb" " + _NUMBER + rb" [^\n]*\nclock synced=([01-]) offset_us=" + _SIGNED + rb" error_us="
    + _SIGNED + rb" step_us=" + _SIGNED + rb"\n"
)  # fmt: skip


class BadTestimony(ValueError):
    """Bytes that are no seal."""


@dataclass(slots=True)
class ClockAccount:
    """How an agent's clock stood to the controller's at its seals, in microseconds.

    `known` seals say how it stood, `unsynced` say that nothing kept it; `steps` tell that it was set, and
    `step_us` by how much at most.
    """

    known: int = 0
    unsynced: int = 0
    offset_us_min: int = 0
    offset_us_max: int = 0
    error_us_max: int | None = None
    steps: int = 0
    step_us: int = 0

    def add(self, synced: bytes, offset: bytes, error: bytes, step: bytes) -> None:
        """What the `clock` line of one more seal says."""
        self.unsynced += synced == b"0"
        if offset != b"-":
            offset_us = int(offset)
            is_first = not self.known
            self.offset_us_min = offset_us if is_first else min(self.offset_us_min, offset_us)
            self.offset_us_max = offset_us if is_first else max(self.offset_us_max, offset_us)
            self.known += 1
        if error != b"-":
            self.error_us_max = max(self.error_us_max or 0, int(error))
        if step not in (b"-", b"0"):
            self.steps += 1
            self.step_us = max(self.step_us, abs(int(step)))


@dataclass(slots=True)
class Testimony:
    """A stream of a bundle, seal by seal in any order: in as much memory as one of them takes."""

    stream: Stream
    first: int = 0
    last: int = 0
    seals: int = 0
    lines: int = 0
    scheduled: int = 0
    missed: int = 0
    from_us: int = 0
    to_us: int = 0
    clock: ClockAccount = field(default_factory=ClockAccount)

    def add(self, note: bytes) -> None:
        """One more seal. Only read, not verified. BadTestimony if it is none."""
        match = _SEAL.match(note)
        if match is None:
            raise BadTestimony("expected a seal, found another text")
        number, lines, scheduled, missed, from_us, to_us = map(int, match.groups()[:6])
        is_first = not self.seals
        self.first = number if is_first else min(self.first, number)
        self.last = max(self.last, number)
        self.from_us = from_us if is_first else min(self.from_us, from_us)
        self.to_us = max(self.to_us, to_us)
        self.seals += 1
        self.lines += lines
        self.scheduled += scheduled
        self.missed += missed
        self.clock.add(*match.groups()[6:])
