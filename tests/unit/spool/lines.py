"""Lines to fill a spool with, and what it gives back, in a form that is easy to compare."""

from pathlib import Path

from agent.ports import Batch
from agent.spool.queue import DiskSpool

Key = tuple[str, str]


def line_of(stream: str, seq: int, pad: int = 0) -> bytes:
    return f"{stream}:{seq}:{'x' * pad}\n".encode()


def fill(spool: DiskSpool, stream: str, count: int, pad: int = 0) -> None:
    for _ in range(count):
        seq = spool.next_seq(stream)
        spool.append(stream, seq, line_of(stream, seq, pad))


def numbers(batches: list[Batch]) -> dict[Key, list[int]]:
    """Sequence numbers by (epoch, stream), checked against the lines that carry them."""
    found: dict[Key, list[int]] = {}
    for batch in batches:
        for at, line in enumerate(batch.lines):
            stream, seq, _ = line.decode().split(":")
            assert (stream, int(seq)) == (batch.stream, batch.first_seq + at)
            found.setdefault((batch.epoch, batch.stream), []).append(int(seq))
    return found


def drained(
    spool: DiskSpool, after: dict[Key, int] | None = None, limit: int = 1 << 20
) -> list[Batch]:
    """Everything that the spool gives, read as a sender does: on and on from where it was."""
    at = dict(after or {})
    batches: list[Batch] = []
    while got := spool.read(at, limit):
        batches.extend(got)
        for batch in got:
            at[batch.epoch, batch.stream] = batch.first_seq + len(batch.lines) - 1
    return batches


def segment_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.seg"))


def index_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.idx"))


def bytes_held(directory: Path) -> int:
    return sum(path.stat().st_size for path in segment_files(directory))
