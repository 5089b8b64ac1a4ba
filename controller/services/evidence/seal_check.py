"""Comparing seals with their rows, with the chain that they are in, and with the lines under them."""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.core.sealing import Link, Unverified, opened_seal, require_payload, sha256_of
from controller.ports.leaves import Leaf
from controller.ports.seals import ForkedSeal, StoredSeal, StreamId
from controller.ports.storage import Transaction
from controller.services.evidence.prune_check import PruneCheck
from vedette.shared.note import BadNote, parsed_note
from vedette.shared.seal import BadSeal, Seal, StreamName, parsed_seal


@dataclass(frozen=True, slots=True)
class _Tip:
    """The last seal of a chain that was heard, and whose name it signs under."""

    link: Link
    origin: str


class SealCheck:
    """Seals are heard in the order of the log, of which the first leaf is of `begun_us`; `rest` comes after the last."""

    def __init__(self, begun_us: int) -> None:
        self._begun_us = begun_us
        self._tips: dict[StreamId, _Tip] = {}
        self._prunes = PruneCheck()

    def heard(
        self, tx: Transaction, leaf: Leaf, note: bytes, row: StoredSeal | None
    ) -> Iterator[str]:
        """What is wrong with a seal whose note is the one that was entered.

        Who signed it was checked when it came, and the log says since that it is that note.
        """
        what = f"Leaf {leaf.index} of the log (seal {leaf.subject})"
        try:
            seal = parsed_seal(parsed_note(note).text.decode())
        except (BadNote, BadSeal) as error:
            yield f"{what} is no seal: {error}."
            return
        stream = StreamId(seal.name.agent, seal.name.epoch, seal.name.stream)
        if leaf.subject != " ".join((*stream, str(seal.number))):
            yield f"{what} is under the wrong name: its note is seal {seal.number} of {' '.join(stream)}."
        yield from self._chain_faults(what, stream, seal, note)
        if row is not None:
            before = self._tips.get(stream)
            link = None if before is None else before.link
            yield from _row_faults(what, leaf, _told(seal, stream, link), row)
        covered_seq = seal.payload.last or (row.covered_seq if row is not None else 0)
        link = Link(seal.number, sha256_of(note), covered_seq)
        self._tips[stream] = _Tip(link, seal.name.origin)
        if seal.payload.count:
            try:
                require_payload(seal, tx.lines(stream, seal.payload.first, seal.payload.last))
            except Unverified as error:
                if self._prunes.is_pruned(tx, stream, seal):
                    return
                yield f"{what} does not fit the lines that are stored: {error}."

    def _chain_faults(self, what: str, stream: StreamId, seal: Seal, note: bytes) -> Iterator[str]:
        before = self._tips.get(stream)
        if before is None:
            return
        link = before.link
        if seal.number <= link.number:
            yield f"{what} comes after seal {link.number} of its stream."
        elif seal.number == link.number + 1 and seal.prev != link.sha256:
            yield f"{what} does not follow on the seal before it."

    def rest(self, tx: Transaction) -> Iterator[str]:
        """Seals that are in no leaf, and second notes of a number. After the last leaf was heard."""
        for stream, number in tx.seals_beside_log(self._begun_us):
            yield (
                f"Seal {number} of {' '.join(stream)} is in no leaf of the log, although it came since there is"
                " one: it was slipped in."
            )
        keys = {one.id: one.evidence_key for one in tx.agents()}
        for agent in sorted({*keys, *(one.agent for one in tx.positions())}):
            for fork in tx.forked_seals(agent):
                yield from self._fork_faults(fork, keys.get(agent))

    def _fork_faults(self, fork: ForkedSeal, key: bytes | None) -> Iterator[str]:
        what = f"The second seal {fork.number} of {' '.join(fork.id)}, which is kept as proof,"
        tip = self._tips.get(fork.id)
        if tip is None or key is None:
            yield f"{what} is of a stream that has no seal, or of no agent."
            return
        name = StreamName(tip.origin, fork.id.agent, fork.id.stream, fork.id.epoch)
        try:
            opened_seal(fork.note, name, fork.number, key)
        except Unverified as error:
            yield f"{what} is not what was signed: {error}."


def _told(seal: Seal, stream: StreamId, link: Link | None) -> dict[str, object]:
    """What the columns of a seal's row must say; where the seal before it is not known, that much is left out."""
    payload, slots = seal.payload, seal.slots
    told: dict[str, object] = {
        "id": stream,
        "number": seal.number,
        "first_seq": payload.first,
        "last_seq": payload.last,
        "count": payload.count,
        "scheduled": slots.scheduled,
        "done": slots.done,
        "missed": slots.missed,
        "end_us": seal.span.end_us,
    }
    if link is not None:
        told["skipped"] = seal.number - link.number - 1
        told["covered_seq"] = payload.last or link.covered_seq
    elif payload.last:
        told["covered_seq"] = payload.last
    if link is None and seal.number == 1:
        told["skipped"] = 0
    return told


def _row_faults(what: str, leaf: Leaf, told: dict[str, object], row: StoredSeal) -> Iterator[str]:
    other = [name for name, value in told.items() if getattr(row, name) != value]
    if row.received_us != leaf.recorded_us:
        other.append("received_us")
    if other:
        yield f"The row of {what[0].lower()}{what[1:]} says another {', '.join(other)} than the note in it."
