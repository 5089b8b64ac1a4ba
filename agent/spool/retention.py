"""Which segments may go: those that are acknowledged and sealed, and those that nobody fetched in time."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Final

from agent.ports import SEALS_SUFFIX
from agent.spool.positions import Positions
from agent.spool.segment import Segment

Key = tuple[str, str]

_LOOKED_AT_SECONDS: Final = 60.0
_log = logging.getLogger(__name__)


class Retention:
    """Decides what of a spool is deleted.

    `sealed` are the last numbers that are sealed; None where nothing seals, and lines wait for nothing but
    their acknowledgement.
    """

    def __init__(self, positions: Positions, age_seconds_max: float) -> None:
        self.sealed: Mapping[Key, int] | None = None
        self._positions = positions
        self._age_seconds_max = age_seconds_max
        self._looked_at = -math.inf

    def unacked(self, segment: Segment) -> int:
        """Lines of a segment that are not acknowledged."""
        return segment.lines_after(self._positions.acked_in(segment.epoch))

    def reclaimable(self, segments: Sequence[Segment], *, is_full: bool) -> list[Segment]:
        """Segments that nobody needs any more; the newest is spared unless room is needed."""
        spared = None if is_full or not segments else segments[-1]
        return [
            segment
            for segment in segments
            if segment is not spared
            and segment.is_acked(self._positions.acked_in(segment.epoch))
            and self.is_sealed(segment)
        ]

    def expired(self, segments: Sequence[Segment]) -> tuple[list[Segment], int]:
        """Segments of which every line is too old, looked for now and then; and the lines lost with them."""
        now = time.monotonic()
        if now - self._looked_at < _LOOKED_AT_SECONDS:
            return [], 0
        self._looked_at = now
        before = time.time() - self._age_seconds_max
        old = [segment for segment in segments[:-1] if segment.written_seconds() < before]
        lost = sum(map(self.unacked, old))
        if lost:
            fields = {"lines": lost, "age_seconds_max": self._age_seconds_max}
            _log.warning("spool.expired", extra=fields)
        return old, lost

    def is_sealed(self, segment: Segment) -> bool:
        """Every line in it is sealed, or nothing seals here."""
        sealed = self.sealed
        return sealed is None or all(
            held.last <= sealed.get((segment.epoch, stream), 0)
            for stream, held in segment.ranges.items()
            if not stream.endswith(SEALS_SUFFIX)
        )
