"""The heads of the log that a bundle shows, with what others said of them: timestamps, and signatures of witnesses."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from controller.core.bundle.layout import stamp_file
from controller.core.stamps import NotStamped, stamped_at
from controller.ports.leaves import StoredCheckpoint, StoredTimestamp
from controller.ports.storage import Transaction
from controller.ports.witnesses import StoredCosignature
from controller.services.notify.notify_heads import told_sizes
from vedette.shared.limits import NOTE_SIGNATURES_MAX

_WITNESSES_MAX: Final = NOTE_SIGNATURES_MAX - 1


@dataclass(frozen=True, slots=True)
class ShownHeads:
    """Heads, the smallest first, as they stand in a bundle; the timestamps of them; the witnesses that signed."""

    heads: Sequence[StoredCheckpoint]
    stamps: Sequence[StoredTimestamp]
    witnesses: Sequence[str]

    @property
    def last(self) -> StoredCheckpoint:
        """The head that every proof of the bundle leads to."""
        return self.heads[-1]


def shown_heads(
    tx: Transaction,
    leaves: tuple[int, int],
    head: StoredCheckpoint,
    held: Iterable[StoredCheckpoint],
) -> ShownHeads:
    """The first head over the first of these leaves, those that others vouched for since, those `held`, and `head`.

    Of each witness the first head that it signed over the last of the leaves, and the newest; and those that channels
    were told of, from the last one before on. A head that was stamped stands there as it was stamped, without the signatures of witnesses.
    """
    begun, ended = leaves
    first = tx.checkpoint_covering(begun + 1) or head
    stamps = [one for one in tx.timestamps() if first.size <= one.size <= head.size]
    signed = tx.cosignatures(first.size, head.size)
    stamped = {one.size for one in stamps}
    sizes = stamped | _chosen([one for one in signed if one.size not in stamped], ended)
    sizes |= _told(told_sizes(tx), first.size, head.size)
    also = [one for size in sizes for one in tx.checkpoints(size, size)]
    found = {one.size: one for one in [*held, first, *also, head]}
    lines = _lines([one for one in signed if one.size in found.keys() - stamped])
    tx.keep_cosignatures(lines)
    stamps.sort(key=lambda one: (one.size, one.authority))
    return ShownHeads(
        [_with(found[size], lines.get(size, [])) for size in sorted(found)],
        stamps,
        sorted({one.witness for some in lines.values() for one in some}),
    )


def stamp_files(
    stamps: Iterable[StoredTimestamp],
    heads: Iterable[StoredCheckpoint],
    roots: Mapping[str, Sequence[x509.Certificate]],
) -> Iterator[tuple[str, bytes]]:
    """What authorities were asked and said, and the root that it led to, where that was kept or is still pinned."""
    notes = {one.size: one.note for one in heads}
    for stamp in stamps:
        size, authority = stamp.size, stamp.authority
        yield stamp_file(size, authority, "tsq"), stamp.query
        yield stamp_file(size, authority, "tsr"), stamp.response
        try:
            known = _kept(stamp) or roots.get(authority, ())
            _, root = stamped_at(known, notes[size], stamp.response)
        except NotStamped:
            continue
        yield stamp_file(size, authority, "pem"), root.public_bytes(Encoding.PEM)


def _kept(stamp: StoredTimestamp) -> list[x509.Certificate]:
    return [] if stamp.root is None else [x509.load_der_x509_certificate(stamp.root)]


def _chosen(signed: Iterable[StoredCosignature], ended: int) -> set[int]:
    """The sizes of the heads that are shown for the sake of who signed them; `signed` goes up."""
    first: dict[str, int] = {}
    newest: dict[str, int] = {}
    for one in signed:
        newest[one.witness] = one.size
        if one.size > ended:
            first.setdefault(one.witness, one.size)
    return {*first.values(), *newest.values()}


def _told(sizes: Iterable[int], first: int, last: int) -> set[int]:
    """Those that channels were told of meanwhile, and the one before, which somebody may hold as their newest."""
    told = [size for size in sizes if size <= last]
    return {size for size in told if size >= first} | set(
        sorted(one for one in told if one < first)[-1:]
    )


def _lines(signed: Iterable[StoredCosignature]) -> dict[int, list[StoredCosignature]]:
    """What stands under each head, as many as a note may have."""
    found: dict[int, list[StoredCosignature]] = {}
    for one in signed:
        some = found.setdefault(one.size, [])
        if len(some) < _WITNESSES_MAX:
            some.append(one)
    return found


def _with(head: StoredCheckpoint, signed: Sequence[StoredCosignature]) -> StoredCheckpoint:
    return replace(head, note=head.note + b"".join(one.line for one in signed))
