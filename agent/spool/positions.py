"""What must outlive the lines themselves: the epoch, how far numbering went, and what is acknowledged."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from agent.errors import Fatal
from agent.files import replace
from vedette.shared.identity import is_epoch

FILE: Final = "positions.json"
_VERSION: Final = 1


class _Stored(msgspec.Struct):
    version: int
    epoch: str
    used: dict[str, int]
    acked: dict[str, dict[str, int]]


@dataclass(slots=True)
class Positions:
    """`used` is the last number given out in each stream of `epoch`; `acked` goes by epoch and stream."""

    epoch: str
    used: dict[str, int] = field(default_factory=dict)
    acked: dict[str, dict[str, int]] = field(default_factory=dict)

    def acked_in(self, epoch: str) -> dict[str, int]:
        """Acknowledged numbers of that epoch's streams."""
        return self.acked.get(epoch, {})

    def acknowledge(self, epoch: str, stream: str, seq: int) -> bool:
        """Move forward, never back; True if it moved."""
        of_epoch = self.acked.setdefault(epoch, {})
        if seq <= of_epoch.get(stream, 0):
            return False
        of_epoch[stream] = seq
        return True

    def forget_epochs(self, held: Iterable[str]) -> None:
        """Drop epochs of which no line is held any more."""
        kept = {self.epoch, *held}
        self.acked = {epoch: streams for epoch, streams in self.acked.items() if epoch in kept}

    def encoded(self) -> bytes:
        """The bytes to store."""
        return msgspec.json.encode(_Stored(_VERSION, self.epoch, self.used, self.acked)) + b"\n"


def stored_positions(directory: Path) -> Positions | None:
    """What is stored in `directory`, or None if nothing usable is. Fatal if it is of a newer program."""
    try:
        stored = msgspec.json.decode((directory / FILE).read_bytes(), type=_Stored)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if stored.version > _VERSION:
        raise Fatal(
            f"{directory / FILE} has version {stored.version} and this vedette-agent knows "
            f"version {_VERSION}: install the newer vedette-agent that wrote it."
        )
    if not is_epoch(stored.epoch):
        return None
    return Positions(stored.epoch, stored.used, stored.acked)


def store_positions(directory: Path, content: bytes) -> None:
    """Put encoded positions in place, durably."""
    replace(directory / FILE, content)
