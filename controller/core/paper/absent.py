"""What of the evidence is not in a bundle, as the bundle itself says: seals that never came, lines that were dropped."""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import Stream
from controller.core.paper.ledger import Entry

_PRUNE: Final = "prune"
_RUN: Final = re.compile(r"stream (\S+) (\S+) (\S+) seals ([0-9]{1,9}) ([0-9]{1,9}) lines \S.*")


class Why(StrEnum):
    """Why something is not there, or counts in another way than it stands there."""

    GAP = "gap"
    PRUNED = "pruned"
    UNSEALED = "unsealed"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Absent:
    """A run of a stream by its numbers, both ends included: seals of a gap and of what was pruned, else lines.

    `leaf` is the entry that says so; where there is none the claim does.
    """

    why: Why
    stream: Stream
    first: int
    last: int
    leaf: int | None = None


def absent_of(claim: ClaimNote, entries: Sequence[Entry]) -> list[Absent]:
    """Everything that is not there, reason by reason."""
    gaps = [
        Absent(Why.GAP, before.stream, before.last + 1, after.first - 1)
        for before, after in itertools.pairwise(claim.streams)
        if before.stream == after.stream
    ]
    unsealed = [Absent(Why.UNSEALED, one.stream, one.first, one.last) for one in claim.unsealed]
    late = [Absent(Why.LATE, one.stream, one.first, one.last) for one in claim.late]
    return [*gaps, *_pruned(claim, entries), *unsealed, *late]


def _pruned(claim: ClaimNote, entries: Sequence[Entry]) -> Iterator[Absent]:
    """What acts of pruning dropped under the seals of the claim."""
    for entry in entries:
        runs = entry.data.get("runs") if entry.kind == _PRUNE else None
        for match in map(_RUN.fullmatch, map(str, runs if isinstance(runs, list) else ())):
            if match is None:
                continue
            stream, first, last = Stream(*match.group(1, 2, 3)), int(match[4]), int(match[5])
            for one in claim.streams:
                if one.stream == stream and first <= one.last and one.first <= last:
                    dropped = max(first, one.first), min(last, one.last)
                    yield Absent(Why.PRUNED, stream, *dropped, leaf=entry.leaf)
