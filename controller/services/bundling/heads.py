"""Which heads of the log a bundle shows, and what authorities outside said of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from controller.core.bundle.layout import stamp_file
from controller.core.stamps import NotStamped, stamped_at
from controller.ports.leaves import StoredCheckpoint, StoredTimestamp
from controller.ports.storage import Transaction


def shown_heads(
    tx: Transaction, begun: int, head: StoredCheckpoint
) -> tuple[Sequence[StoredCheckpoint], Sequence[StoredTimestamp]]:
    """The first head over the first seal, those that were timestamped since, and the newest; and the timestamps."""
    first = tx.checkpoint_covering(begun + 1) or head
    stamps = [one for one in tx.timestamps() if first.size <= one.size <= head.size]
    sizes = {one.size for one in stamps}
    stamped = [one for size in sizes for one in tx.checkpoints(size, size)]
    found = {one.size: one for one in [first, *stamped, head]}
    stamps.sort(key=lambda one: (one.size, one.authority))
    return [found[size] for size in sorted(found)], stamps


def stamp_files(
    stamps: Iterable[StoredTimestamp],
    heads: Iterable[StoredCheckpoint],
    roots: Mapping[str, Sequence[x509.Certificate]],
) -> Iterator[tuple[str, bytes]]:
    """What authorities were asked and said, and the root that it leads to, where that is still pinned."""
    notes = {one.size: one.note for one in heads}
    for stamp in stamps:
        size, authority = stamp.size, stamp.authority
        yield stamp_file(size, authority, "tsq"), stamp.query
        yield stamp_file(size, authority, "tsr"), stamp.response
        try:
            _, root = stamped_at(roots.get(authority, ()), notes[size], stamp.response)
        except NotStamped:
            continue
        yield stamp_file(size, authority, "pem"), root.public_bytes(Encoding.PEM)
