"""The streams of a bundle: which ones, from which seal to which, and their notes and lines piece by piece."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Final

from controller.core.bundle.claim_note import Sealed
from controller.core.bundle.layout import Stream
from controller.core.sealing import sha256_of
from controller.errors import Fatal, Rejected
from controller.ports.pruned import Pruned
from controller.ports.seals import StoredSeal, StreamId, StreamStanding
from controller.ports.storage import Transaction
from controller.services.bundling.subject import Subject
from vedette.shared.identity import ANCHORS

Opens = Callable[[], AbstractContextManager[Transaction]]

_SEALS_AT_ONCE: Final = 256


def sealed_streams(
    tx: Transaction, subject: Subject, standings: Sequence[StreamStanding]
) -> list[Sealed]:
    """The streams that a subject rests on, by agent, stream and epoch.

    Those of the services of its checks; of the agents of these also what they saw of the anchors. A stream in which
    seals never came has several runs. Rejected if there are none.
    """
    services = {check.service for check in subject.checks}
    span = subject.sealed_us
    ids = [one.id for one in standings if one.seals]
    sealed = [run for one in ids if one.stream in services for run in _runs(tx, one, *span)]
    agents = {one.stream.agent for one in sealed}
    anchors = [one for one in ids if one.stream == ANCHORS and one.agent in agents]
    sealed += [run for one in anchors for run in _runs(tx, one, *span)]
    if not sealed:
        raise Rejected(
            f"No agent has sealed anything of {subject.title}: there is no evidence to hand over. Agents seal once a"
            " minute, and what they sealed before there was a log counts for nobody else."
        )
    return sorted(sealed, key=_place)


def _place(one: Sealed) -> tuple[str, str, str, int]:
    return one.stream.agent, one.stream.stream, one.stream.epoch, one.first


def _runs(tx: Transaction, stream: StreamId, from_us: int, to_us: int) -> list[Sealed]:
    """The seals of a stream that say something of a time, as runs without a gap.

    A run whose last seal is older than the log is left out: nothing says that it stood before it was asked for.
    """
    runs: list[tuple[int, int]] = []
    for number in tx.seals_over(stream, from_us, to_us):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return [
        Sealed(Stream(*stream), *run, *(sha256_of(_seal(tx, stream, n).note) for n in run))
        for run in runs
        if tx.seal_leaf(stream, run[1]) is not None
    ]


def pieces(opens: Opens, sealed: Sealed, pruning: int) -> Iterator[tuple[StoredSeal, bytes]]:
    """Each seal of a stream with the exact bytes of the lines under it, some at a time a transaction.

    `pruning` is the last act of pruning that the bundle tells of. Rejected if another one took lines of it meanwhile.
    """
    stream = StreamId(*sealed.stream)
    for start in range(sealed.first, sealed.last + 1, _SEALS_AT_ONCE):
        with opens() as tx:
            some = _some(tx, stream, start, min(start + _SEALS_AT_ONCE - 1, sealed.last), pruning)
        yield from some


def _some(
    tx: Transaction, stream: StreamId, first: int, last: int, pruning: int
) -> list[tuple[StoredSeal, bytes]]:
    """Seals that follow one another; every line from the first of theirs to the last is under one of them.

    There are none under seals whose lines were pruned.
    """
    seals = tx.seals(stream, first, last)
    full = [one for one in seals if one.count]
    if not full:
        return [(one, b"") for one in seals]
    gone = _gone(tx, stream, full[0].first_seq, full[-1].last_seq, pruning)
    counts = {
        one.number: 0
        if any(run.first_seal <= one.number <= run.last_seal for run in gone)
        else one.count
        for one in seals
    }
    lines = b"".join(tx.lines(stream, full[0].first_seq, full[-1].last_seq)).split(b"\n")[:-1]
    if len(lines) != sum(counts.values()):
        where = f"stream {stream.stream} of agent {stream.agent}, seals {first} to {last}"
        raise Fatal(f"Lines of {where} are not as they were sealed: `vedette db check` says more.")
    found, at = [], 0
    for one in seals:
        own = lines[at : at + counts[one.number]]
        found.append((one, b"".join(each + b"\n" for each in own)))
        at += counts[one.number]
    return found


def _gone(
    tx: Transaction, stream: StreamId, first_seq: int, last_seq: int, pruning: int
) -> list[Pruned]:
    """What was pruned of these lines. Rejected if some of it went later than the act of that number."""
    gone = tx.pruned_between(stream, first_seq, last_seq)
    if any(number > pruning for number, _ in gone):
        raise Rejected(
            f"Lines of stream {stream.stream} of agent {stream.agent} were pruned while they were handed over, because"
            " their retention was over: export again, and the bundle says which are gone."
        )
    return [run for _, run in gone]


def _seal(tx: Transaction, stream: StreamId, number: int) -> StoredSeal:
    seal = tx.seal(stream, number)
    assert seal is not None, "seals that were listed are never removed"
    return seal


def seal_count(streams: Sequence[Sealed]) -> int:
    """How many seals they have together."""
    return sum(one.last - one.first + 1 for one in streams)
