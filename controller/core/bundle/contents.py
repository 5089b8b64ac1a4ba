"""Verifying what stands in a bundle: every file by the manifest, no other, and the lines of all streams as one file.

Half a million files and gigabytes of lines are no rarity: nothing here holds more of them than their names.
"""

import hashlib
from collections.abc import Iterator

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import MANIFEST, RESULTS, Bundle, belongs
from controller.core.bundle.manifest import BadManifest, listed_files
from controller.core.bundle.paper import BESIDE
from controller.core.bundle.statements import Broken, Statement, passed
from controller.core.bundle.streams import lines_of
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.note import BadNote, Verifier, opened_note


def files_statement(bundle: Bundle, log: Verifier) -> Statement:
    """Every file is the one that the manifest names, and there is no other."""
    try:
        text = opened_note(bundle.read(MANIFEST), [log], bytes_max=BUNDLE_NOTE_BYTES_MAX)
        count = _require_names(bundle, text)
    except KeyError as error:
        raise Broken(f"{MANIFEST} is missing") from error
    except (BadNote, BadManifest) as error:
        raise Broken(f"{MANIFEST}: {error}") from error
    for name, digest in listed_files(text):
        if not belongs(name):
            raise Broken(f"{name[:120]!r} is no file of a bundle")
        if _sha256_of(bundle, name) != digest:
            raise Broken(f"{name} is not the file that {MANIFEST} names")
    return passed(f"All {count} files are those of {MANIFEST}, which the log {log.name} signed.")


def _require_names(bundle: Bundle, text: str) -> int:
    """The files are those of the manifest; how many. Both are in the order of names."""
    there = (name for name in bundle.names() if name not in BESIDE)
    count = 0
    for name, _ in listed_files(text):
        found = next(there, None)
        if found is None or name < found:
            raise Broken(f"{name[:120]} stands in {MANIFEST} and is missing")
        if found < name:
            raise Broken(f"{found[:120]!r} does not stand in {MANIFEST}")
        count += 1
    if (found := next(there, None)) is not None:
        raise Broken(f"{found[:120]!r} does not stand in {MANIFEST}")
    return count


def _sha256_of(bundle: Bundle, name: str) -> str:
    found = hashlib.sha256()
    for chunk in bundle.chunks(name):
        found.update(chunk)
    return found.hexdigest()


def results_statement(bundle: Bundle, claim: ClaimNote) -> Statement:
    """The lines of all streams stand one after another in one file, and nothing else does."""
    try:
        results = _Reader(bundle.chunks(RESULTS))
        for part in lines_of(bundle, claim):
            if results.next(len(part)) != part:
                raise Broken(f"{RESULTS} does not hold the lines of the streams, one after another")
        if results.next(1):
            raise Broken(f"{RESULTS} holds more than the lines of the streams")
    except KeyError as error:
        raise Broken(f"{RESULTS} is missing") from error
    return passed(f"{RESULTS} holds the lines of all streams, and nothing else.")


class _Reader:
    """A file that is read on, so many bytes at a time."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""
        self._at = 0

    def next(self, count: int) -> bytes:
        """The next bytes; fewer where the file ends."""
        while len(self._held) - self._at < count:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._held, self._at = self._held[self._at :] + chunk, 0
        begun, self._at = self._at, min(self._at + count, len(self._held))
        return self._held[begun : self._at]
