"""Counting what a spool holds without touching it: another process may be writing."""

from dataclasses import dataclass
from pathlib import Path

from agent.errors import Fatal
from agent.ports import SEALS_SUFFIX
from agent.spool.positions import stored_positions
from agent.spool.record import Scan, epoch_of_header
from agent.spool.segment import SUFFIX


@dataclass(frozen=True, slots=True)
class Held:
    """Lines of one stream that are not known to be acknowledged; `lost` are numbers missing among them."""

    epoch: str
    stream: str
    lines: int
    first: int
    last: int

    @property
    def lost(self) -> int:
        """Numbers between the first and the last that are not there."""
        return self.last - self.first + 1 - self.lines


@dataclass(frozen=True, slots=True)
class Census:
    """What a spool holds. `epoch` is empty where nothing was ever written."""

    epoch: str
    files: int
    bytes: int
    streams: tuple[Held, ...]

    @property
    def lines(self) -> int:
        """Lines in all streams."""
        return sum(held.lines for held in self.streams)


def census_of(directory: Path) -> Census:
    """What the spool in `directory` holds now. Fatal if it cannot be read.

    Acknowledgements of the last seconds may not be stored yet, so it may count a little too much.
    """
    try:
        stored = stored_positions(directory)
        sizes: list[int] = []
        seqs: dict[tuple[str, str], list[int]] = {}
        for path in sorted(directory.glob(f"*{SUFFIX}")):
            data = _content(path)
            epoch = epoch_of_header(data)
            if epoch is None:
                continue
            sizes.append(len(data))
            acked = stored.acked_in(epoch) if stored is not None else {}
            for record in Scan(data):
                if record.stream.endswith(SEALS_SUFFIX):
                    continue
                if record.seq > acked.get(record.stream, 0):
                    found = seqs.setdefault((epoch, record.stream), [0, record.seq, record.seq])
                    found[0], found[2] = found[0] + 1, record.seq
    except OSError as error:
        raise Fatal(
            f"The spool in {directory} cannot be read: {error.strerror or error}."
        ) from error
    streams = tuple(Held(*key, *numbers) for key, numbers in sorted(seqs.items()))
    return Census(stored.epoch if stored is not None else "", len(sizes), sum(sizes), streams)


def _content(path: Path) -> bytes:
    """The bytes of a segment; none if it was acknowledged and deleted a moment ago."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
