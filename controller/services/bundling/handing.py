"""Handing a bundle over file by file: read some seals at a time, hashed as it goes by, and never held as a whole."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from controller.core.bundle.claim_note import Sealed
from controller.core.bundle.layout import RESULTS, Stream
from controller.core.bundle.manifest import Hashes, sha256_hex
from controller.errors import Fatal
from controller.services.bundling.streams import Opens, lines_between, pieces, seal_count


class Part(NamedTuple):
    """A part of a file; the parts of one follow one another. `done` of `total` steps are behind it."""

    name: str
    content: bytes
    done: int
    total: int


class _Range(NamedTuple):
    """Lines of a stream that follow one another, and the seals over them."""

    stream: Stream
    first_seq: int
    last_seq: int
    seals: int


class Handing:
    """One bundle on its way. Steps are its seals, and the same again while their lines go by as one file."""

    def __init__(self, opens: Opens, streams: Sequence[Sealed]) -> None:
        self._opens = opens
        self._streams = streams
        self._hashes = Hashes()
        self._ranges: list[_Range] = []
        self._lines = hashlib.sha256()
        self._done = 0
        self._total = 2 * seal_count(streams)

    def file(self, name: str, content: bytes) -> Part:
        """A file, whole."""
        self._hashes.add(name, sha256_hex(content))
        return Part(name, content, self._done, self._total)

    def streams(self) -> Iterator[Part]:
        """The seals of every stream, and the lines under each."""
        for sealed in self._streams:
            stream, covered = sealed.stream, (0, 0)
            for seal, lines in pieces(self._opens, sealed):
                self._done += 1
                yield self.file(stream.note(seal.number), seal.note)
                if lines:
                    covered = covered[0] or seal.first_seq, seal.last_seq
                    self._lines.update(lines)
                    yield self.file(stream.lines(seal.number), lines)
            self._ranges.append(_Range(stream, *covered, seal_count([sealed])))

    def results(self) -> Iterator[Part]:
        """The same lines once more, as one file. Fatal if they are not the same."""
        again = hashlib.sha256()
        yield Part(RESULTS, b"", self._done, self._total)
        for one in self._ranges:
            begun = self._done
            count = one.last_seq - one.first_seq + 1
            if one.first_seq:
                for last, lines in lines_between(self._opens, *one[:3]):
                    self._done = begun + one.seals * (last - one.first_seq + 1) // count
                    again.update(lines)
                    yield Part(RESULTS, lines, self._done, self._total)
            self._done = begun + one.seals
        if again.digest() != self._lines.digest():
            raise Fatal(
                "Lines changed while they were handed over, which nothing does to lines that are sealed: `vedette db"
                " check` says more."
            )
        self._hashes.add(RESULTS, again.hexdigest())

    def manifest(self) -> str:
        """The text of the manifest, once everything else was handed over."""
        return self._hashes.text()
