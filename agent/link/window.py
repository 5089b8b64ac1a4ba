"""What was sent and not yet acknowledged on one stream: how far, how much, and what to send again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.ports import Batch
from vedette.shared.limits import SEND_WINDOW_LINES_MAX

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Flying:
    """A frame that is on its way: its first and last line, and how many it carries."""

    first: int
    last: int
    count: int


class Window:
    """Turns batches of the spool into frames, and keeps them within the bound.

    The controller takes each stream in sequence. What it refuses is sent again from where it says; a
    frame that it will never take is sent again line by line, so that only the line at fault is given
    up, and counted as lost by the next frame.
    """

    def __init__(self, durable: Mapping[Key, int], lines_max: int = SEND_WINDOW_LINES_MAX) -> None:
        self.sent: dict[Key, int] = dict(durable)
        self.rewinds = 0
        self._lines_max = lines_max
        self._flying: dict[Key, list[_Flying]] = {}
        self._lines = 0
        self._singly: dict[Key, int] = {}
        self._given_up: dict[Key, set[int]] = {}
        self._lost: dict[Key, int] = {}

    @property
    def is_full(self) -> bool:
        """No more may be sent before something is acknowledged."""
        return self._lines >= self._lines_max

    def lines_outside(self, epoch: str) -> int:
        """Lines of other epochs that were sent and are not acknowledged."""
        return sum(
            flying.count
            for (other, _), flown in self._flying.items()
            if other != epoch
            for flying in flown
        )

    @property
    def is_empty(self) -> bool:
        """Everything that was sent is acknowledged."""
        return self._lines == 0

    def frames(self, batches: Sequence[Batch]) -> Iterator[Batch]:
        """Frames to send, in order, each noted as sent when it is given. Ends early after a rewind."""
        rewinds = self.rewinds
        for batch in batches:
            for frame in self._frames_of(batch):
                yield frame
                if self.rewinds != rewinds:
                    return

    def _frames_of(self, batch: Batch) -> Iterator[Batch]:
        key = (batch.epoch, batch.stream)
        self._lost[key] = self._lost.get(key, 0) + batch.lost
        at = 0
        while at < len(batch.lines):
            first = batch.first_seq + at
            if first in self._given_up.get(key, ()):
                self._lost[key] += 1
                self.sent[key] = first
                at += 1
                continue
            count = 1 if first <= self._singly.get(key, 0) else len(batch.lines) - at
            last = first + count - 1
            self.sent[key] = last
            self._flying.setdefault(key, []).append(_Flying(first, last, count))
            self._lines += count
            lines = batch.lines[at : at + count]
            yield Batch(batch.epoch, batch.stream, first, lines, self._lost.pop(key, 0))
            self._lost[key] = 0
            at += count

    def acknowledge(self, key: Key, seq: int) -> None:
        """The controller holds everything of the stream up to `seq`."""
        flying = self._flying.get(key, [])
        while flying and flying[0].last <= seq:
            self._lines -= flying.pop(0).count
        if key in self._given_up:
            self._given_up[key] = {given for given in self._given_up[key] if given > seq}

    def refuse(self, key: Key, first_seq: int, resend_from: int) -> bool:
        """The frame that began with `first_seq` was not taken. True if a line is given up for it.

        With `resend_from` everything from there on is sent again; without it (0) the frame itself is,
        one line at a time, and a line that is refused so is given up.
        """
        refused = next((f for f in self._flying.get(key, ()) if f.first == first_seq), None)
        if refused is None:
            # An earlier refusal has already sent the stream back beyond this frame.
            return False
        is_given_up = False
        if not resend_from and refused.count == 1:
            self._given_up.setdefault(key, set()).add(first_seq)
            is_given_up = True
        elif not resend_from:
            self._singly[key] = max(self._singly.get(key, 0), refused.last)
        self._rewind(key, resend_from or first_seq)
        return is_given_up

    def _rewind(self, key: Key, seq: int) -> None:
        self.rewinds += 1
        self.sent[key] = seq - 1
        self._lost[key] = 0
        flying = self._flying.get(key, [])
        self._lines -= sum(f.count for f in flying if f.last >= seq)
        self._flying[key] = [f for f in flying if f.last < seq]
