"""How this machine's clock stands to the controller's, from four-timestamp exchanges.

An exchange gives offset = ((sent - received there) + (received - sent there)) / 2, in error by at most
half of the round trip. The best of the last exchanges counts, and its error grows with the drift that a
quartz may have. A wall clock that was set (it moved against the steady one) makes all of them worthless:
the offset is unknown until the next exchange, which is asked for at once.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from agent.files import replace
from agent.ports import Clock
from vedette.shared.limits import CLOCK_STEP_US_MIN
from vedette.shared.result import ClockReading

DRIFT_US_PER_SECOND: Final = 50
_SAMPLES: Final = 8
# Beyond the year 30000 a clock is a fault, and its offset would not fit the wire.
_INSTANT_US_MAX: Final = 1 << 60
_SAVE_US: Final = 600 * 1_000_000
_SYNC_LOOK_US: Final = 10 * 1_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Offset and error when the steady clock showed this time, and the wall clock was so far ahead of it."""

    offset_us: int
    error_us: int
    monotonic_us: int
    lead_us: int


class _Stored(msgspec.Struct):
    offset_us: int
    error_us: int
    wall_us: int


class MeasuredOffset:
    """A ClockOffset (agent.ports). With a `path`, the last one outlives the process.

    `is_synced` is what the system says of its clock (None: unknown); it is asked now and then.
    """

    def __init__(
        self,
        clock: Clock,
        path: Path | None = None,
        *,
        is_synced: Callable[[], bool | None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._path = path
        self._ask_system = is_synced
        self._samples: deque[_Sample] = deque(maxlen=_SAMPLES)
        self._best: _Sample | None = None
        self._saved_us: int | None = None
        self._synced: bool | None = None
        self._synced_us: int | None = None
        self._lead_us = self.mark()
        self._set_us = -(1 << 62)
        self.steps = 0
        self.step_us = 0
        self.is_measured = asyncio.Event()
        self.is_wanted = asyncio.Event()
        stored = _stored(path) if path is not None else None
        wall = clock.wall_us()
        # A wall clock that stands before the stored instant was set back: nothing is known then.
        if stored is not None and wall >= stored.wall_us:
            error = stored.error_us + _drift_us(wall - stored.wall_us)
            sample = _Sample(stored.offset_us, error, clock.monotonic_us(), self._lead_us)
            self._take(sample)

    def mark(self) -> int:
        """How far the wall clock is ahead of the steady one: it changes only when the clock is set."""
        return self._clock.wall_us() - self._clock.monotonic_us()

    @property
    def is_synced(self) -> bool | None:
        """Something keeps this system's clock; None where that cannot be known."""
        now = self._clock.monotonic_us()
        if self._synced_us is None or now - self._synced_us >= _SYNC_LOOK_US:
            self._synced, self._synced_us = self._ask_system(), now
        return self._synced

    def reading(self, since: int | None = None) -> ClockReading:
        """The present offset and the bound of its error; no offset if it is not known.

        Nor if the clock was set since the mark `since`: what was timed then was timed by another clock.
        """
        lead = self._look()
        synced = self.is_synced is not False
        sample = self._best
        if sample is None or (since is not None and abs(lead - since) > CLOCK_STEP_US_MIN):
            return ClockReading(offset=None, synced=synced)
        drift = _drift_us(self._clock.monotonic_us() - sample.monotonic_us)
        offset = sample.offset_us + lead - sample.lead_us
        return ClockReading(offset=offset, error=sample.error_us + drift, synced=synced)

    def exchanged(self, sent_us: int, *, received_there_us: int, sent_there_us: int) -> None:
        """Take an exchange whose answer has just arrived; one that makes no sense is ignored.

        `sent_us` is the wall clock when the question left, as it came back in the answer.
        """
        self._look()
        wall, monotonic = self._clock.wall_us(), self._clock.monotonic_us()
        round_trip = (wall - sent_us) - (sent_there_us - received_there_us)
        is_time = 0 <= received_there_us <= sent_there_us < _INSTANT_US_MAX
        if round_trip < 0 or not is_time or not self._set_us <= sent_us <= wall:
            return
        offset = ((sent_us - received_there_us) + (wall - sent_there_us)) // 2
        self._take(_Sample(offset, round_trip // 2 + 1, monotonic, wall - monotonic))
        self.is_measured.set()

    def look(self) -> bool:
        """See whether the clock was set, and whether an exchange is wanted now because of it.

        Whoever makes that exchange clears `is_wanted` when it begins.
        """
        self._look()
        return self.is_wanted.is_set()

    def _look(self) -> int:
        """The clock's lead now; everything that was measured is dropped if it was set since the last look.

        What moves it by less is slewing, and moves the offset with it.
        """
        lead = self.mark()
        moved = lead - self._lead_us
        if abs(moved) > CLOCK_STEP_US_MIN:
            self.steps += 1
            self.step_us = moved
            self._lead_us = lead
            # A question that is under way was sent by the clock as it was.
            self._set_us = self._clock.wall_us()
            self._samples.clear()
            self._best = None
            self._saved_us = None
            self.is_measured.clear()
            self.is_wanted.set()
            _log.warning("clock.stepped", extra={"step_us": moved, "steps": self.steps})
        return lead

    def _take(self, sample: _Sample) -> None:
        """Keep `sample`. Errors grow alike, so which of the last ones is the best changes only here."""
        self._samples.append(sample)
        # What was slewed until now is part of this exchange.
        self._lead_us = sample.lead_us
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
