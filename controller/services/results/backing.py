"""The lines behind samples: what they say for people, and the lines that were overruled by them (S-2)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from controller.core.admission import admitted_line, precedence
from controller.core.samples import Sample
from controller.ports.storage import Transaction
from controller.services.results.captures import Capture, capture_in, target_in
from vedette.shared.identity import ResultId
from vedette.shared.result import decode_line

# Numbers of a stream that lie further apart than this are read by themselves.
_READ_THROUGH_MAX: Final = 4096
_PRUNED: Final = "the line is not kept any more: its retention was over"
_Stream = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Backed:
    """A sample with what its line says.

    `trigger` is why it was taken (schedule, confirm, manual). `is_overruled`: another line of the same
    identity counts instead of this one. `received_us` is when it came; None: no line is there.
    """

    sample: Sample
    detail: str
    trigger: str
    is_overruled: bool = False
    received_us: int | None = None
    addr: str = ""
    attempts: int = 1
    capture: Capture | None = None


class _Line(NamedTuple):
    data: bytes
    received_us: int


def backed(tx: Transaction, samples: Iterable[Sample]) -> list[Backed]:
    """The samples with their lines, and after each those that it overruled."""
    kept = list(samples)
    gone: set[ResultId] = set()
    lines = dict(_lines(tx, kept, gone))
    found: list[Backed] = []
    for sample in kept:
        kept_lines = lines.get(sample.id, ())
        read = [one for line in kept_lines if (one := _read(line)) is not None]
        read.sort(key=lambda one: precedence(one.sample))
        if not read:
            found.append(Backed(sample, _PRUNED if sample.id in gone else "", ""))
            continue
        first, *others = read
        found.append(replace(first, sample=sample))
        found += [replace(one, is_overruled=True) for one in others]
    return found


def _read(line: _Line) -> Backed | None:
    """What a line says; None if it is no result of a check, or was taken by a program that asked less."""
    try:
        sample, said = admitted_line(line.data), decode_line(line.data)
    except ValueError:
        return None
    if not isinstance(sample, Sample):
        return None
    addr, attempts = target_in(line.data)
    return Backed(
        sample,
        said.detail or "",
        said.trigger.value,
        received_us=line.received_us,
        addr=addr,
        attempts=attempts,
        capture=capture_in(line.data),
    )


def _lines(
    tx: Transaction, samples: Sequence[Sample], gone: set[ResultId]
) -> Iterator[tuple[ResultId, list[_Line]]]:
    """Every line of each identity, the one that came first standing first; those that were pruned go to `gone`."""
    numbers: dict[_Stream, list[int]] = {}
    for sample in samples:
        numbers.setdefault(sample[:3], []).append(sample.seq)
    for stream, seqs in numbers.items():
        for part in _parts(sorted(set(seqs))):
            yield from _lines_of(tx, stream, part, gone).items()


def _lines_of(
    tx: Transaction, stream: _Stream, seqs: Sequence[int], gone: set[ResultId]
) -> Mapping[ResultId, list[_Line]]:
    found: dict[ResultId, list[_Line]] = {ResultId(*stream, seq): [] for seq in seqs}
    where = (*stream, seqs[0], seqs[-1] + 1)
    for segment in tx.segments(*where):
        if segment.is_pruned:
            numbers = range(segment.first_seq, segment.first_seq + segment.count)
            gone.update(ResultId(*stream, seq) for seq in seqs if seq in numbers)
        for seq, line in enumerate(segment.lines.split(b"\n")[:-1], segment.first_seq):
            if (identity := ResultId(*stream, seq)) in found:
                found[identity].append(_Line(line, segment.received_us_of(seq)))
    for conflict in tx.conflicts_between(*where):
        if conflict.id in found:
            found[conflict.id].append(_Line(conflict.line.rstrip(b"\n"), conflict.received_us))
    return found


def _parts(seqs: Sequence[int]) -> Iterator[Sequence[int]]:
    """Numbers in order, split where they lie far apart."""
    start = 0
    for index in range(1, len(seqs)):
        if seqs[index] - seqs[index - 1] > _READ_THROUGH_MAX:
            yield seqs[start:index]
            start = index
    yield seqs[start:]
