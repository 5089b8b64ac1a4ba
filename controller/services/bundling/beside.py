"""What lies beside the seals of a bundle: lines that counted under no seal, and lines that came too late to count."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from controller.core.admission import admitted_line
from controller.core.bundle.claim_note import Run, Sealed, Unsealed
from controller.core.bundle.layout import Stream
from controller.core.samples import Quarantined
from controller.ports.seals import StoredSeal, StreamId, StreamStanding
from controller.ports.storage import Transaction
from controller.services.bundling.subject import Subject
from vedette.shared.identity import ANCHORS
from vedette.shared.limits import SPOOL_AGE_SECONDS_MAX

# Lines are numbered as they were made: their event times follow, but for what runs at once.
_LOOKED_AT: Final = 256
# A line is no older, when it comes, than agents keep lines.
_SPOOLED_US: Final = int(SPOOL_AGE_SECONDS_MAX) * 1_000_000


class _Range(NamedTuple):
    """Numbers of lines, both ends included."""

    first: int
    last: int


def unsealed_runs(
    tx: Transaction,
    subject: Subject,
    streams: Sequence[Sealed],
    standings: Sequence[StreamStanding],
) -> list[Unsealed]:
    """Lines of the subject's time that no seal of `streams` covers: they counted, and nothing vouches for them.

    Those after the last seal of an agent, those whose seals never came, and those of an agent that never sealed. And
    lines of which another one under the same identity counts, or may: only one of them is under a seal (S-2).
    """
    services = {check.service for check in subject.checks}
    agents = {one.stream.agent for one in streams}
    runs = {key: list(own) for key, own in groupby(streams, key=lambda one: one.stream)}
    found: list[Unsealed] = []
    for one in standings:
        if one.id.stream in services or (one.id.stream == ANCHORS and one.id.agent in agents):
            own = runs.get(Stream(*one.id), [])
            bare = _bare(tx, one, own) if own else _left_out(tx, one, subject)
            for span in (*bare, *_disputed(tx, one.id, own)):
                found += _within(tx, one.id, span, subject.sealed_us)
    return found


def late_runs(tx: Transaction, streams: Sequence[Sealed], as_of_us: int) -> list[Run]:
    """Lines under the seals of `streams` that came after an instant."""
    found: list[Run] = []
    for sealed in streams:
        covered = _covered(tx, sealed)
        came = tx.received_after(*sealed.stream, covered.first, covered.last + 1, as_of_us)
        clipped = [(max(start, covered.first), min(end - 1, covered.last)) for start, end in came]
        found += [Run(sealed.stream, first, last) for first, last in clipped if first <= last]
    return found


def _bare(tx: Transaction, standing: StreamStanding, runs: Sequence[Sealed]) -> Iterator[_Range]:
    """Lines before the first seal, between runs, and after the last seal that there is."""
    stream = standing.id
    for one in runs:
        first = _seal(tx, stream, one.first)
        before = one.first - first.skipped - 1
        if first.skipped or not before:
            covered = _seal(tx, stream, before).covered_seq if before else 0
            yield _Range(covered + 1, _covered(tx, one).first - 1)
    if runs[-1].last == standing.last_number:
        yield _Range(_covered(tx, runs[-1]).last + 1, standing.seq)


def _left_out(tx: Transaction, standing: StreamStanding, subject: Subject) -> Iterator[_Range]:
    """Lines of a stream that never was sealed, that was sealed before the time, or only before there was a log."""
    stream = standing.id
    numbers = tx.seals_over(stream, *subject.sealed_us)
    if numbers:
        first, last = (_seal(tx, stream, one) for one in (numbers[0], numbers[-1]))
        yield _Range(first.first_seq or first.covered_seq + 1, last.covered_seq)
    if not numbers or numbers[-1] == standing.last_number:
        tip = tx.seal_tip(stream)
        yield _Range((tip.covered_seq if tip else 0) + 1, standing.seq)


def _covered(tx: Transaction, run: Sealed) -> _Range:
    """The numbers of the lines under a run of seals."""
    stream = StreamId(*run.stream)
    first = _seal(tx, stream, run.first)
    last = _seal(tx, stream, run.last)
    # A seal without lines covers what those before it did, lines before a gap among them.
    start = first.first_seq or first.covered_seq + 1
    return _Range(start, last.covered_seq)


def _disputed(tx: Transaction, stream: StreamId, runs: Sequence[Sealed]) -> Iterator[_Range]:
    for run in runs:
        covered = _covered(tx, run)
        for one in tx.conflicts_between(*stream, covered.first, covered.last + 1):
            yield _Range(one.id.seq, one.id.seq)


def _within(
    tx: Transaction, stream: StreamId, span: _Range, when: tuple[int, int]
) -> Iterator[Unsealed]:
    """That range with its event times, if there are lines in it and they touch that time."""
    if span.first > span.last or not tx.line_count(stream, *span):
        return
    ends = (
        _Range(span.first, min(span.last, span.first + _LOOKED_AT - 1)),
        _Range(max(span.first, span.last - _LOOKED_AT + 1), span.last),
    )
    instants = [at_us for end in ends for at_us in _event_times(tx, stream, end)]
    if instants and min(instants) < when[1] and max(instants) >= when[0]:
        yield Unsealed(Stream(*stream), *span, max(0, min(instants)), max(0, *instants))


def _event_times(tx: Transaction, stream: StreamId, span: _Range) -> Iterator[int]:
    """When the lines of a range were made; of those that were pruned, when they may have been."""
    if tx.pruned_between(stream, *span):
        for segment in tx.segments(*stream, span.first, span.last + 1):
            if segment.is_pruned:
                yield from (segment.received_us - _SPOOLED_US, segment.received_us)
    for line in b"".join(tx.lines(stream, *span)).splitlines():
        try:
            item = admitted_line(line)
        except ValueError:
            continue
        if not isinstance(item, Quarantined):
            yield item.at_us


def _seal(tx: Transaction, stream: StreamId, number: int) -> StoredSeal:
    seal = tx.seal(stream, number)
    assert seal is not None, "seals that were listed are never removed"
    return seal
