"""The log: leaves entered where what they tell of is written, nodes over them, and checkpoints."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import func, insert, select

from controller.errors import Fatal
from controller.ports.leaves import Leaf, LeafKind, StoredCheckpoint, StoredTimestamp
from controller.ports.seals import StoredSeal, StreamId
from controller.storage.bulk import Rows
from controller.storage.log_tables import CheckpointRow, LeafRow, NodeRow, TimestampRow
from controller.storage.names import StreamKey
from controller.storage.packing import unpacked_note
from controller.storage.seal_tables import SealRow
from controller.storage.tables import table
from vedette.shared.merkle import leaf_hash

_LEAF = table(LeafRow)
_NODE = table(NodeRow)
_CHECKPOINT = table(CheckpointRow)
_TIMESTAMP = table(TimestampRow)
_SEAL = table(SealRow)
_AT_ONCE: Final = 4096
_LEVEL: Final = 5
_KINDS: Final = frozenset(one.value for one in LeafKind)
_COLUMNS: Final = (_LEAF.c.index, _LEAF.c.kind, _LEAF.c.subject, _LEAF.c.hash, _LEAF.c.recorded_us)


class LogRows(Rows):
    """controller.ports.leaves.LogStore over SQL. Rows of facts enter a leaf with `_enter` as they are written."""

    _size: int | None = None

    def log_size(self) -> int:
        """How many leaves there are."""
        if self._size is None:
            last = self._connection.execute(select(func.max(_LEAF.c.index))).scalar()
            self._size = 0 if last is None else last + 1
        return self._size

    def _enter(self, kind: LeafKind, subject: str, data: Mapping[str, Any]) -> None:
        """Enter what was just written as a leaf, signed; not where nobody is there to sign."""
        if self._notary is None:
            return
        recorded_us, note = self._notary.note(kind, subject, data)
        self._put_leaf(
            kind, subject, note, recorded_us, kept=zlib.compress(note, _LEVEL), seal=(None, None)
        )

    def enter_note(self, kind: LeafKind, subject: str, note: bytes, at_us: int) -> int:
        """Enter a note that was signed elsewhere as a leaf; its place."""
        index = self.log_size()
        kept = zlib.compress(note, _LEVEL)
        self._put_leaf(kind, subject, note, at_us, kept=kept, seal=(None, None))
        return index

    def _enter_seal(self, stream_id: int, seal: StoredSeal) -> None:
        """Enter a seal, whose note is kept already and signed by its agent."""
        if self._notary is not None:
            at_us, place = seal.received_us, (stream_id, seal.number)
            subject = " ".join((*seal.id, str(seal.number)))
            self._put_leaf(LeafKind.SEAL, subject, seal.note, at_us, kept=None, seal=place)

    def _put_leaf(
        self,
        kind: LeafKind,
        subject: str,
        note: bytes,
        recorded_us: int,
        *,
        kept: bytes | None,
        seal: tuple[int | None, int | None],
    ) -> None:
        index = self.log_size()
        row = (index, kind.value, subject, leaf_hash(note), recorded_us, kept, *seal)
        self._insert_many(_LEAF, [row])
        self._size = index + 1

    def leaf(self, index: int) -> Leaf | None:
        """The leaf of that place."""
        row = self._connection.execute(select(*_COLUMNS).where(_LEAF.c.index == index)).first()
        return None if row is None else _leaf(row)

    def leaf_hashes(self, from_index: int, to_index: int) -> Sequence[bytes]:
        """The hashes of leaves [from_index, to_index), as they were entered."""
        c = _LEAF.c
        query = select(c.hash).where((c.index >= from_index) & (c.index < to_index))
        return list(self._connection.execute(query.order_by(c.index)).scalars())

    def leaf_notes(self, from_index: int, to_index: int) -> Iterator[tuple[Leaf, bytes]]:
        """Leaves [from_index, to_index) with the bytes of their notes as they are stored, many at a time."""
        c = _LEAF.c
        its = (_SEAL.c.stream_id == c.stream_id) & (_SEAL.c.number == c.number)
        notes = select(*_COLUMNS, c.note, _SEAL.c.note).select_from(_LEAF.outerjoin(_SEAL, its))
        for start in range(from_index, to_index, _AT_ONCE):
            end = min(start + _AT_ONCE, to_index)
            some = notes.where((c.index >= start) & (c.index < end)).order_by(c.index)
            for *leaf, own, sealed in self._connection.execute(some).all():
                yield _leaf(leaf), _note(own, sealed)

    def leaves_about(self, kind: LeafKind, subject: str) -> Sequence[Leaf]:
        """Every leaf about something, the oldest first."""
        c = _LEAF.c
        query = select(*_COLUMNS).where((c.kind == kind.value) & (c.subject == subject))
        return [_leaf(row) for row in self._connection.execute(query.order_by(c.index)).all()]

    def has_leaf(self, kind: LeafKind, from_index: int, to_index: int | None = None) -> bool:
        """There is a leaf of that kind at or after that place, and before the other if there is one."""
        its = (_LEAF.c.index >= from_index) & (_LEAF.c.kind == kind.value)
        if to_index is not None:
            its &= _LEAF.c.index < to_index
        return (
            self._connection.execute(select(_LEAF.c.index).where(its).limit(1)).first() is not None
        )

    def seal_leaf(self, stream: StreamId, number: int) -> Leaf | None:
        """The leaf of a seal."""
        stream_id = self._names.find_stream(self._connection, StreamKey(*stream))
        its = (_LEAF.c.stream_id == stream_id) & (_LEAF.c.number == number)
        row = self._connection.execute(select(*_COLUMNS).where(its)).first()
        return None if row is None else _leaf(row)

    def nodes(self, level: int, from_index: int, to_index: int) -> Sequence[bytes]:
        """The roots of complete subtrees of that level, as they were kept."""
        c = _NODE.c
        its = (c.level == level) & (c.index >= from_index) & (c.index < to_index)
        return list(self._connection.execute(select(c.hash).where(its).order_by(c.index)).scalars())

    def put_nodes(self, level: int, from_index: int, hashes: Sequence[bytes]) -> None:
        """Keep roots of complete subtrees, one after another."""
        self._insert_many(_NODE, [(level, n, one) for n, one in enumerate(hashes, from_index)])

    def put_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a tree head. The caller has signed it, and nobody ever changes it."""
        self._connection.execute(insert(_CHECKPOINT).values(asdict(checkpoint)))

    def put_timestamp(self, timestamp: StoredTimestamp) -> None:
        """Keep a timestamp. The caller has verified it; one that is there already is left."""
        c = _TIMESTAMP.c
        its = (c.size == timestamp.size) & (c.authority == timestamp.authority)
        if self._connection.execute(select(c.size).where(its)).first() is None:
            self._connection.execute(insert(_TIMESTAMP).values(asdict(timestamp)))

    def timestamps(self) -> Sequence[StoredTimestamp]:
        """Every timestamp, the newest first."""
        query = select(_TIMESTAMP).order_by(_TIMESTAMP.c.at_us.desc())
        rows = self._connection.execute(query).mappings()
        return [StoredTimestamp(**row) for row in rows]

    def newest_checkpoint(self) -> StoredCheckpoint | None:
        """The last one; None before the first."""
        query = select(_CHECKPOINT).order_by(_CHECKPOINT.c.size.desc()).limit(1)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else StoredCheckpoint(**row)

    def checkpoint_covering(self, size: int) -> StoredCheckpoint | None:
        """The smallest one of at least that size."""
        c = _CHECKPOINT.c
        query = select(_CHECKPOINT).where(c.size >= size).order_by(c.size).limit(1)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else StoredCheckpoint(**row)

    def checkpoints(self, from_size: int, to_size: int) -> Sequence[StoredCheckpoint]:
        """Those of from_size <= size <= to_size, the smallest first."""
        c = _CHECKPOINT.c
        query = select(_CHECKPOINT).where((c.size >= from_size) & (c.size <= to_size))
        rows = self._connection.execute(query.order_by(c.size)).mappings()
        return [StoredCheckpoint(**row) for row in rows]


def _leaf(row: Sequence[Any]) -> Leaf:
    index, kind, subject, hash_of_it, recorded_us = row
    if kind not in _KINDS:
        raise Fatal(
            f"Leaf {index} of the log is of the kind {kind!r}, of which this version knows nothing: it was changed,"
            " or written by a newer version."
        )
    return Leaf(index, LeafKind(kind), subject, hash_of_it, recorded_us)


def _note(own: bytes | None, sealed: bytes | None) -> bytes:
    """The bytes of a note; what cannot be read is no note, and hashes to nothing that was signed."""
    try:
        if own is not None:
            return zlib.decompress(own)
        return b"" if sealed is None else unpacked_note(sealed)
    except zlib.error:
        return b""
