"""What must be known of the seals that were made: the tip of each chain, and where slot accounting stands.

The file is written before a note is handed to the spool. A note is therefore signed once: after a crash
the same bytes are handed over again, and never others under their number.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from agent.core.accounts import Standing
from agent.errors import Fatal
from agent.files import replace

FILE: Final = "seals.json"
_VERSION: Final = 1
_log = logging.getLogger(__name__)


class Tip(msgspec.Struct, frozen=True):
    """The last seal of a stream: its number, the last line that any seal covers, the clocks then, and its notes.

    `notes` are those of the last round, numbered up to `number`: they may not have reached the spool.
    """

    number: int
    last: int
    wall_us: int
    mono_ns: int
    notes: list[str]

    @property
    def sha256(self) -> str:
        """Hash of the last note."""
        return hashlib.sha256(self.notes[-1].encode()).hexdigest()

    def numbered(self) -> list[tuple[int, bytes]]:
        """The notes of the last round with their numbers."""
        first = self.number - len(self.notes) + 1
        return [(number, note.encode()) for number, note in enumerate(self.notes, first)]


class _Stored(msgspec.Struct):
    version: int
    tips: dict[str, dict[str, Tip]]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Chains:
    """Tips by epoch and stream, and the account of slots at the last round."""

    tips: Mapping[tuple[str, str], Tip]
    standing: Standing


def stored_chains(directory: Path) -> Chains | None:
    """What is stored in `directory`, or None if nothing usable is. Fatal if it is of a newer program."""
    path = directory / FILE
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _log.warning("seals.unreadable", extra={"file": str(path), "reason": str(error)})
        return None
    except OSError as error:
        raise Fatal(f"{path} cannot be read: {error.strerror or error}.") from error
    if stored.version > _VERSION:
        raise Fatal(
            f"{path} has version {stored.version} and this vedette-agent knows version {_VERSION}: "
            "install the newer vedette-agent that wrote it."
        )
    tips = {
        (epoch, stream): tip
        for epoch, streams in stored.tips.items()
        for stream, tip in streams.items()
        if tip.notes
    }
    return Chains(tips, stored.standing)


def store_chains(directory: Path, chains: Chains) -> None:
    """Put them in place, durably. OSError if the disk does not take them."""
    tips: dict[str, dict[str, Tip]] = {}
    for (epoch, stream), tip in sorted(chains.tips.items()):
        tips.setdefault(epoch, {})[stream] = tip
    replace(directory / FILE, msgspec.json.encode(_Stored(_VERSION, tips, chains.standing)) + b"\n")
