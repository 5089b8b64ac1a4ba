"""What a seal covers: lines of one stream, hashed as they are read back from the spool."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from vedette.shared.limits import SEAL_BYTES_MAX, SEAL_LINES_MAX
from vedette.shared.seal import Payload
from vedette.shared.slot_line import is_of_slot


@dataclass(frozen=True, slots=True)
class Sealable:
    """Lines to seal together, and how many of them are of a slot."""

    payload: Payload
    done: int


@dataclass(slots=True)
class _Open:
    first: int = 0
    last: int = 0
    count: int = 0
    bytes: int = 0
    done: int = 0
    hash: Any = field(default_factory=hashlib.sha256)

    def closed(self) -> Sealable:
        digest = self.hash.hexdigest()
        return Sealable(Payload(self.first, self.last, self.count, digest, self.bytes), self.done)


EMPTY: Final = _Open().closed()


class Gathering:
    """Collects the lines of one stream up to a number; more than one seal may hold is cut into several."""

    def __init__(self) -> None:
        self._closed: list[Sealable] = []
        self._open = _Open()

    def take(self, seq: int, line: bytes) -> None:
        """The next line."""
        one = self._open
        if one.count >= SEAL_LINES_MAX or one.bytes + len(line) > SEAL_BYTES_MAX:
            self._closed.append(one.closed())
            one = self._open = _Open()
        one.first = one.first or seq
        one.last = seq
        one.count += 1
        one.bytes += len(line)
        one.done += is_of_slot(line)
        one.hash.update(line)

    def drawn(self) -> list[Sealable]:
        """What was collected, in order; at least one, which may hold nothing."""
        drawn = [*self._closed, self._open.closed()]
        self._closed, self._open = [], _Open()
        return drawn
