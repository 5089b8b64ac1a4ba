"""The controller's log as an agent has seen it: a tree that may only grow (RFC 6962).

An agent remembers the last head of the tree, and takes another one only if that begins with all that it saw
before. So nobody can show one history to the agents and another to an auditor, or change it afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vedette.shared.checkpoint import BadCheckpoint, Checkpoint, parsed_checkpoint
from vedette.shared.merkle import EMPTY, BadProof, check_consistency
from vedette.shared.note import BadNote, Verifier, opened_note


class Refused(ValueError):
    """A head of the tree that is not taken. The text is for people: what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class LogView:
    """What is remembered: the log's name, the key that it signs with, and its last head, exact bytes."""

    origin: str
    key: bytes
    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class Offered:
    """A head of the tree as it is offered, and the hashes that lead to it from what was seen before."""

    note: bytes
    key: bytes
    from_size: int
    path: Sequence[bytes]


def grown(seen: LogView | None, offered: Offered, origin: str) -> LogView:
    """The view with the head that is offered. Refused if it does not go on from what was seen.

    The first head decides which key counts from then on: it came over a connection whose other end was verified.
    """
    if seen is not None and offered.key != seen.key:
        raise Refused(
            f"expected the log of {origin} to sign with the key {seen.key.hex()} as before, found"
            f" {offered.key.hex()}"
        )
    head = _opened(offered, origin)
    before = (0, EMPTY) if seen is None else (seen.size, seen.root)
    if seen is not None and offered.from_size != seen.size:
        raise Refused(
            f"expected a proof from the {seen.size} leaves that were seen, found one from {offered.from_size}"
        )
    try:
        check_consistency(before, head.head, offered.path)
    except BadProof as error:
        raise Refused(
            f"expected the log of {origin} to have grown from {before[0]} leaves to {head.size}, and to begin"
            f" with what it was: {error}"
        ) from error
    return LogView(origin, offered.key, head.size, head.root, offered.note)


def _opened(offered: Offered, origin: str) -> Checkpoint:
    try:
        text = opened_note(offered.note, [Verifier(origin, offered.key)])
        return parsed_checkpoint(text, origin)
    except (BadNote, BadCheckpoint) as error:
        raise Refused(f"expected a signed head of the log: {error}") from error
