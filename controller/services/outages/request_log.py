"""The exact lines of the results around an outage: what a claim shows of what the probes saw."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from controller.core.samples import Sample
from controller.ports.storage import Transaction
from vedette.shared.identity import ResultId

# Of one outage: its beginning and its end, half each.
LINES_SHOWN_MAX: Final = 4_000


class RequestLog(NamedTuple):
    """Lines by event time, each ending in a newline; how many of the middle are left out, or not kept any more."""

    lines: bytes
    shown: int
    left_out: int
    gone: int


def request_log(tx: Transaction, check: str, from_us: int, to_us: int) -> RequestLog:
    """The lines of a check's results with from_us <= t < to_us, as they came."""
    samples = sorted(tx.samples(check, from_us, to_us), key=lambda one: (one.at_us, one.id))
    chosen = samples
    if len(samples) > LINES_SHOWN_MAX:
        half = LINES_SHOWN_MAX // 2
        chosen = [*samples[:half], *samples[-half:]]
    kept = _lines(tx, chosen)
    found = [kept[one.id] for one in chosen if one.id in kept]
    left_out = len(samples) - len(chosen)
    return RequestLog(b"".join(found), len(found), left_out, len(chosen) - len(found))


def _lines(tx: Transaction, samples: Sequence[Sample]) -> Mapping[ResultId, bytes]:
    """Every line that is kept of these results: those that came later under the same identity too (S-2)."""
    wanted: dict[tuple[str, str, str], list[int]] = {}
    for one in samples:
        wanted.setdefault((one.agent, one.epoch, one.stream), []).append(one.seq)
    found: dict[ResultId, bytes] = {}
    for key, seqs in wanted.items():
        numbers, bounds = set(seqs), (min(seqs), max(seqs) + 1)
        for segment in tx.segments(*key, *bounds):
            for seq, line in enumerate(segment.lines.split(b"\n")[:-1], segment.first_seq):
                if seq in numbers:
                    found[ResultId(*key, seq)] = line + b"\n"
        for other in tx.conflicts_between(*key, *bounds):
            if other.id.seq in numbers:
                found[other.id] = found.get(other.id, b"") + other.line.rstrip(b"\n") + b"\n"
    return found
