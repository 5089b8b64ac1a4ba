"""Looking back: stored lines read again to compare what comes a second time, and how much of it is allowed.

An agent that sends old numbers makes the controller read and unpack what is stored, and a line that conflicts
makes it judge checks anew. Both are bounded for each agent and hour, so that one of them cannot keep the
others waiting.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from controller.ports.storage import Transaction
from vedette.shared.limits import LOOKBACK_KEPT_BYTES_MAX, LOOKBACK_POINTS_PER_HOUR

StreamKey = tuple[str, str, str]

HOUR_US: Final = 3600 * 1_000_000
_BYTES_PER_POINT: Final = 64 * 1024
_KEPT_MAX: Final = 128
# Live lines make small segments, of which many are read at once.
_SMALL_LINES: Final = 64
_SMALL_AT_ONCE: Final = 64


@dataclass(slots=True)
class LookBackCounters:
    """What was done since start."""

    reads: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    """The lines of one stored segment."""

    first_seq: int
    lines: list[bytes]
    size: int

    @property
    def end_seq(self) -> int:
        return self.first_seq + len(self.lines)


@dataclass(slots=True)
class _Spent:
    hour: int
    points: int = 0


@dataclass(slots=True)
class LookBack:
    """Reads stored lines, keeps the ones that were read last, and keeps account of what each agent caused."""

    points_per_hour: int = LOOKBACK_POINTS_PER_HOUR
    kept_bytes_max: int = LOOKBACK_KEPT_BYTES_MAX
    counters: LookBackCounters = field(default_factory=LookBackCounters)
    _kept: "OrderedDict[tuple[StreamKey, int], _Kept]" = field(default_factory=OrderedDict)
    _kept_bytes: int = 0
    _spent: dict[str, _Spent] = field(default_factory=dict)

    def may(self, agent: str, now_us: int) -> bool:
        """The agent has not used up its hour. What it does then may go beyond, by no more than a frame."""
        return self._of(agent, now_us).points < self.points_per_hour

    def charge(self, agent: str, now_us: int, points: int) -> None:
        """Note what the agent caused."""
        self._of(agent, now_us).points += points

    def _of(self, agent: str, now_us: int) -> _Spent:
        hour = now_us // HOUR_US
        spent = self._spent.get(agent)
        if spent is None or spent.hour != hour:
            spent = self._spent[agent] = _Spent(hour)
        return spent

    def lines(
        self, tx: Transaction, key: StreamKey, from_seq: int, to_seq: int, now_us: int
    ) -> dict[int, bytes]:
        """Stored lines of a stream with from_seq <= seq < to_seq, by number, without their newlines."""
        found: dict[int, bytes] = {}
        at_once = 1
        while from_seq < to_seq:
            part = self._covering(key, from_seq)
            if part is None:
                part = self._read(tx, key, from_seq, at_once, now_us)
            if part is None or part.first_seq >= to_seq:
                break
            at_once = _SMALL_AT_ONCE if len(part.lines) <= _SMALL_LINES else 1
            start = max(from_seq, part.first_seq)
            end = min(to_seq, part.end_seq)
            found |= enumerate(part.lines[start - part.first_seq : end - part.first_seq], start)
            from_seq = end
        return found

    def _covering(self, key: StreamKey, seq: int) -> _Kept | None:
        for name, part in self._kept.items():
            if name[0] == key and part.first_seq <= seq < part.end_seq:
                self._kept.move_to_end(name)
                return part
        return None

    def _read(
        self, tx: Transaction, key: StreamKey, seq: int, limit: int, now_us: int
    ) -> _Kept | None:
        """The next segment, and those after it up to `limit`, which are kept for when they are asked for."""
        segments = tx.next_segments(*key, seq, limit)
        self.counters.reads += 1
        size = sum(len(segment.lines) for segment in segments)
        self.charge(key[0], now_us, 1 + size // _BYTES_PER_POINT)
        parts = [
            _Kept(segment.first_seq, segment.lines.split(b"\n")[:-1], len(segment.lines))
            for segment in segments
        ]
        for part in reversed(parts):
            self._keep((key, part.first_seq), part)
        return parts[0] if parts else None

    def _keep(self, name: tuple[StreamKey, int], part: _Kept) -> None:
        # A segment is only ever packed together with its neighbours: its lines stay what they are.
        if (old := self._kept.pop(name, None)) is not None:
            self._kept_bytes -= old.size
        self._kept[name] = part
        self._kept_bytes += part.size
        while self._kept_bytes > self.kept_bytes_max or len(self._kept) > _KEPT_MAX:
            _, gone = self._kept.popitem(last=False)
            self._kept_bytes -= gone.size
