"""The lines that are kept, as a file: what counts, for replay, or what was set aside."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from controller.core.admission import admitted_line
from controller.core.samples import Quarantined
from controller.ports.evidence import Conflict, Position, Segment
from controller.ports.storage import Transaction

_SEGMENTS_AT_ONCE = 8

Opens = Callable[[], AbstractContextManager[Transaction]]


def exported(opens: Opens, *, set_aside: bool = False) -> Iterator[bytes]:
    """Exact bytes of lines, stream by stream in the order of their numbers, each ending in a newline.

    Lines that came under a number that other bytes had stand behind the first (S-2): a replay must see all of
    them to come to what the controller says. Lines that were set aside when they came (S-3) are not among
    them, because only the controller knows when that was; with `set_aside` there are only these.

    A transaction for every few segments: a controller that runs meanwhile is not kept waiting.
    """
    with opens() as tx:
        positions = tx.positions()
    for position in positions:
        seq = 1
        while True:
            with opens() as tx:
                stored = tx.next_segments(*_key(position), seq, _SEGMENTS_AT_ONCE)
                parts = [_part(tx, position, segment, set_aside=set_aside) for segment in stored]
            yield from (part for part in parts if part)
            if not stored:
                break
            seq = stored[-1].first_seq + stored[-1].count


def _key(position: Position) -> tuple[str, str, str]:
    return position.agent, position.epoch, position.stream


def _part(tx: Transaction, position: Position, segment: Segment, *, set_aside: bool) -> bytes:
    """What of a segment, and of the lines that conflict with it, is asked for."""
    where = (*_key(position), segment.first_seq, segment.first_seq + segment.count)
    aside = tx.quarantined_between(*where)
    conflicts: dict[int, list[bytes]] = {}
    for one in tx.conflicts_between(*where):
        if _is_set_aside(one) == set_aside:
            conflicts.setdefault(one.id.seq, []).append(one.line)
    if not (aside or conflicts):
        return b"" if set_aside else segment.lines
    return _chosen(segment, aside, conflicts, set_aside=set_aside)


def _chosen(
    segment: Segment,
    aside: Mapping[int, str],
    conflicts: Mapping[int, list[bytes]],
    *,
    set_aside: bool,
) -> bytes:
    found: list[bytes] = []
    for seq, line in enumerate(segment.lines.split(b"\n")[:-1], segment.first_seq):
        if (seq in aside) == set_aside:
            found.append(line + b"\n")
        found += conflicts.get(seq, ())
    return b"".join(found)


def _is_set_aside(conflict: Conflict) -> bool:
    """It was kept, and is not evaluated because of when it came, or because it cannot be read."""
    try:
        read = admitted_line(conflict.line.rstrip(b"\n"), conflict.received_us)
    except ValueError:
        return True
    return isinstance(read, Quarantined)
