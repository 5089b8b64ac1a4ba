"""Packing: the notes of seals, thousands a day and each much like the last; and the lines of segments."""

import zlib
from typing import Final

# What every note holds; compressing against it halves what is stored of a short stream. Never changed: notes
# that are stored could not be read any more.
_WORDS: Final = (
    b"0123456789abcdef\nvedette.seal/v1\nstream /agent/ epoch \nseal \nprev \nlines - - 0\npayload "
    b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0\nslots \nchecks \ntime 17 mono "
    b"\nclock synced=1 offset_us= error_us= step_us=0\n\n\xe2\x80\x94 /agent/ "
)


def packed_note(note: bytes) -> bytes:
    """The note, as it is kept."""
    packing = zlib.compressobj(9, zdict=_WORDS)
    return packing.compress(note) + packing.flush()


def unpacked_note(data: bytes) -> bytes:
    """The note that is kept so. zlib.error if it is not."""
    return zlib.decompressobj(zdict=_WORDS).decompress(data)


def readable_note(data: bytes) -> bytes:
    """The note that is kept so; no note, which nobody has signed, if it is damaged."""
    try:
        return unpacked_note(data)
    except zlib.error:
        return b""


def unpacked_lines(body: bytes) -> bytes:
    """The lines of a segment that are kept so; none where they were pruned. zlib.error if it is neither."""
    return zlib.decompress(body) if body else b""
