"""What of a bundle's lines was pruned: only what a leaf of the log in config/ names may be missing.

Read as the script beside it reads them: the strings in the data of a leaf that say `stream ... seals ... lines ...`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import Bundle, Stream
from controller.core.bundle.statements import Statement, incomplete, not_checked

IMPOSSIBLE: Final = "integrity proved, recomputation impossible"
_KIND: Final = b"vedette.prune/v1\n"
_NAME: Final = re.compile(r"config/[0-9]+\.note")
_NUMBER: Final = "([1-9][0-9]{0,8})"
_RUN: Final = re.compile(
    rf"stream ([^ ]*) ([^ ]*) ([^ ]*) seals {_NUMBER} {_NUMBER} lines .*", re.ASCII
)
_NO_LINES: Final = b"\nlines - - 0\n"

Pruned = Mapping[Stream, Sequence[tuple[int, int]]]
"""Of each stream the first and the last number of seals whose lines were dropped."""


def pruned_seals(bundle: Bundle) -> Pruned:
    """What the leaves in config/ say was pruned. That the log signed them and holds them is checked with the rest."""
    found: dict[Stream, list[tuple[int, int]]] = {}
    for name in bundle.names():
        if not _NAME.fullmatch(name):
            continue
        note = bundle.read(name)
        if not note.startswith(_KIND):
            continue
        text = note.partition(b"\n\n")[0].decode(errors="replace")
        said = [line[5:] for line in text.split("\n") if line.startswith("data ")]
        for part in '"'.join(said).split('"'):
            if (match := _RUN.fullmatch(part)) is not None:
                run = (int(match[4]), int(match[5]))
                found.setdefault(Stream(*match.group(1, 2, 3)), []).append(run)
    return found


def is_pruned(pruned: Pruned, stream: Stream, number: int) -> bool:
    """A leaf says that the lines under that seal were dropped."""
    return any(first <= number <= last for first, last in pruned.get(stream, ()))


def pruned_statement(stream: Stream, seals: Sequence[int], lines: int) -> Statement:
    """What of a stream is not there any more."""
    return incomplete(
        f"Stream {stream.stream} of agent {stream.agent}, epoch {stream.epoch}: {lines} lines under {len(seals)} seals"
        f" ({seals[0]} to {seals[-1]}) were pruned, as leaves in config/ say: {IMPOSSIBLE}."
    )


def unrecomputable(bundle: Bundle, claim: ClaimNote, what: str) -> Statement | None:
    """That the verdicts cannot be computed anew, where lines of the claim were pruned."""
    pruned = pruned_seals(bundle)
    for one in claim.streams:
        for first, last in pruned.get(one.stream, ()):
            for number in range(max(first, one.first), min(last, one.last) + 1):
                note = one.stream.note(number)
                if not bundle.has(one.stream.lines(number)) and _NO_LINES not in bundle.read(note):
                    return not_checked(
                        f"Whether {what} follows from the lines: some of them were pruned: {IMPOSSIBLE}."
                    )
    return None
