"""How this machine's clock stands to the controller's, from four-timestamp exchanges.

An exchange gives offset = ((sent - received there) + (received - sent there)) / 2, in error by at most
half of the round trip. The best of the last exchanges counts. Its offset is carried on by the monotonic
clock, so that a step of the wall clock moves it at once, and its error grows with the drift that a
quartz may have.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from agent.files import replace
from agent.ports import Clock
from vedette.shared.result import ClockReading

DRIFT_US_PER_SECOND: Final = 50
_SAMPLES: Final = 8
_SAVE_US: Final = 600 * 1_000_000


@dataclass(frozen=True, slots=True)
class _Sample:
    """Offset and error when both clocks of this machine showed these times."""

    offset_us: int
    error_us: int
    wall_us: int
    monotonic_us: int


class _Stored(msgspec.Struct):
    offset_us: int
    error_us: int
    wall_us: int


class MeasuredOffset:
    """A ClockOffset (agent.ports). With a `path`, the last one outlives the process."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock = clock
        self._path = path
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)
        self._best: _Sample | None = None
        self._saved_us: int | None = None
        self.is_measured = asyncio.Event()
        stored = _stored(path) if path is not None else None
        wall, monotonic = clock.wall_us(), clock.monotonic_us()
        # A wall clock that stands before the stored instant was set back: nothing is known then.
        if stored is not None and wall >= stored.wall_us:
            error = stored.error_us + _drift_us(wall - stored.wall_us)
            self._take(_Sample(stored.offset_us, error, wall, monotonic))

    def reading(self) -> ClockReading:
        """The present offset and the bound of its error; no offset if there was never one."""
        if self._best is None:
            return ClockReading(offset=None)
        sample = self._best
        wall, monotonic = self._clock.wall_us(), self._clock.monotonic_us()
        error = sample.error_us + _drift_us(monotonic - sample.monotonic_us)
        stepped = (wall - monotonic) - (sample.wall_us - sample.monotonic_us)
        return ClockReading(offset=sample.offset_us + stepped, error=error)

    def exchanged(self, sent_us: int, *, received_there_us: int, sent_there_us: int) -> None:
        """Take an exchange whose answer has just arrived; one that makes no sense is ignored.

        `sent_us` is the wall clock when the question left, as it came back in the answer.
        """
        wall, monotonic = self._clock.wall_us(), self._clock.monotonic_us()
        round_trip = (wall - sent_us) - (sent_there_us - received_there_us)
        if round_trip < 0 or sent_us > wall:
            return
        offset = ((sent_us - received_there_us) + (wall - sent_there_us)) // 2
        self._take(_Sample(offset, round_trip // 2 + 1, wall, monotonic))
        self.is_measured.set()

    def _take(self, sample: _Sample) -> None:
        """Keep `sample`. Errors grow alike, so which of the last ones is the best changes only here."""
        self._samples.append(sample)
        self._best = min(
            self._samples,
            key=lambda s: s.error_us + _drift_us(sample.monotonic_us - s.monotonic_us),
        )

    async def save(self, *, is_last: bool = False) -> None:
        """Keep the present offset on disk, if it is time. Without it a restart knows none: not a failure."""
        monotonic, reading = self._clock.monotonic_us(), self.reading()
        is_due = self._saved_us is None or monotonic - self._saved_us >= _SAVE_US
        if self._path is None or reading.offset is None or not (is_due or is_last):
            return
        self._saved_us = monotonic
        stored = _Stored(reading.offset, reading.error or 0, self._clock.wall_us())
        try:
            await asyncio.to_thread(replace, self._path, msgspec.json.encode(stored))
        except OSError:
            self._saved_us = None


def _drift_us(elapsed_us: int) -> int:
    return elapsed_us * DRIFT_US_PER_SECOND // 1_000_000


def _stored(path: Path) -> _Stored | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Stored)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
