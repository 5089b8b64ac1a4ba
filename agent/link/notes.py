"""Seals that wait for their lines: a note is sent when every line that it covers is acknowledged.

The controller compares a seal with the lines that it holds; one that came before its lines could only be
refused.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.ports import SEALS_SUFFIX, Batch
from vedette.shared.note import BadNote, parsed_note
from vedette.shared.seal import BadSeal, parsed_seal

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class HeldNote:
    """The note of seal `number` of a stream, and the last line that it covers (0: none)."""

    epoch: str
    stream: str
    number: int
    last: int
    note: bytes


class Notes:
    """Notes in order of their streams. How many there are is bounded by the window that counts them."""

    def __init__(self, durable: Mapping[Key, int]) -> None:
        self._acked = dict(durable)
        self._waiting: dict[Key, deque[HeldNote]] = {}

    def hold(self, batch: Batch) -> None:
        """Take notes that were read from the spool."""
        key = (batch.epoch, batch.stream.removesuffix(SEALS_SUFFIX))
        for number, note in enumerate(batch.lines, batch.first_seq):
            held = HeldNote(*key, number, _last_line(note), note)
            self._waiting.setdefault(key, deque()).append(held)

    def acknowledge(self, key: Key, seq: int) -> None:
        """The controller holds the lines of (epoch, stream) up to `seq`."""
        self._acked[key] = max(seq, self._acked.get(key, 0))

    def due(self) -> Iterator[HeldNote]:
        """The notes that can be sent now; each is given once."""
        for key in list(self._waiting):
            waiting = self._waiting[key]
            while waiting and waiting[0].last <= self._acked.get(key, 0):
                yield waiting.popleft()
            if not waiting:
                del self._waiting[key]


def _last_line(note: bytes) -> int:
    """The last line that a note of ours covers. One that is damaged waits for nothing: it will be refused."""
    try:
        return parsed_seal(parsed_note(note).text.decode()).payload.last
    except (BadNote, BadSeal):
        return 0
