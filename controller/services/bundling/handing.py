"""Handing a bundle over file by file: read some seals at a time, hashed as it goes by, and never held as a whole."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from controller.core.bundle.claim_note import Sealed
from controller.core.bundle.layout import RESULTS
from controller.core.bundle.manifest import Hashes, sha256_hex
from controller.services.bundling.streams import Opens, pieces, seal_count


class Part(NamedTuple):
    """A part of a file; the parts of one follow one another. `done` of `total` steps are behind it.

    One that `is_joined` is all files of lines so far, one after another, in place of its content.
    """

    name: str
    content: bytes
    done: int
    total: int
    is_joined: bool = False


class Handing:
    """One bundle on its way. Steps are its seals. `pruning` is the last act of pruning that it tells of."""

    def __init__(self, opens: Opens, streams: Sequence[Sealed], pruning: int) -> None:
        self._opens = opens
        self._streams = streams
        self._pruning = pruning
        self._hashes = Hashes()
        self._lines = hashlib.sha256()
        self._done = 0
        self._total = seal_count(streams)

    def file(self, name: str, content: bytes) -> Part:
        """A file, whole."""
        self._hashes.add(name, sha256_hex(content))
        return Part(name, content, self._done, self._total)

    def streams(self) -> Iterator[Part]:
        """The seals of every stream, and the lines under each."""
        for sealed in self._streams:
            stream = sealed.stream
            for seal, lines in pieces(self._opens, sealed, self._pruning):
                self._done += 1
                yield self.file(stream.note(seal.number), seal.note)
                if lines:
                    self._lines.update(lines)
                    yield self.file(stream.lines(seal.number), lines)

    def results(self) -> Part:
        """The same lines once more, as one file: whoever writes the bundle has them already, and puts them together."""
        self._hashes.add(RESULTS, self._lines.hexdigest())
        return Part(RESULTS, b"", self._done, self._total, is_joined=True)

    def manifest(self) -> str:
        """The text of the manifest, once everything else was handed over."""
        return self._hashes.text()
