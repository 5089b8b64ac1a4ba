"""What must outlive the lines themselves: the epoch, how far numbering went, and what is acknowledged."""

import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from agent.errors import Fatal
from agent.files import replace
from agent.spool.segment import Found
from vedette.shared.identity import is_epoch

FILE: Final = "positions.json"
_VERSION: Final = 1
_log = logging.getLogger(__name__)


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


def continued(directory: Path, stored: Positions | None, found: Found) -> Positions:
    """Where numbering goes on; under a new epoch if the old one's numbers cannot be known for sure."""
    reason = None
    if stored is None:
        reason = "no positions are stored" if found.segments else "first start"
    elif found.damaged:
        reason = "lines on the disk are damaged"
    if stored is None or reason is not None:
        acked = stored.acked if stored is not None else {}
        fresh = Positions(secrets.token_hex(4), {}, acked)
        _log.info(
            "spool.opened",
            extra={"directory": str(directory), "epoch": fresh.epoch, "reason": reason},
        )
        return fresh
    for seqs in (stored.acked_in(stored.epoch), *_last_numbers(stored.epoch, found)):
        for stream, seq in seqs.items():
            stored.used[stream] = max(stored.used.get(stream, 0), seq)
    return stored


def _last_numbers(epoch: str, found: Found) -> list[dict[str, int]]:
    return [
        {stream: held.last for stream, held in segment.ranges.items()}
        for segment in found.segments
        if segment.epoch == epoch
    ]
