"""The manifest: the SHA-256 of every file of a bundle, as the text of a signed note that `sha256sum -c` reads.

The paper for people is made from what the manifest names, so it cannot stand in it: a note of the same form binds the
two together.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

KIND: Final = "vedette.manifest/v1"
PAPER_KIND: Final = "vedette.paper/v1"
# Behind a hash in hexadecimal and two spaces.
_NAME_AT: Final = 66
_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")


class BadManifest(ValueError):
    """A text that is no manifest."""


def manifest_text(files: Mapping[str, str], kind: str = KIND) -> str:
    """The text to sign, of file names and their SHA-256 in hexadecimal."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return f"{kind}\n{lines}"


class Hashes:
    """The hashes of files, in any order, as lines of the manifest: some hundred bytes a file, and nothing besides."""

    def __init__(self) -> None:
        self._folders: dict[str, bytearray] = {}

    def add(self, name: str, digest: str) -> None:
        """A file and its SHA-256 in hexadecimal."""
        folder, slash, _ = name.rpartition("/")
        # A folder's files follow one another in the order of names; what lies in none stands for itself.
        key = f"{folder}/" if slash else name
        self._folders.setdefault(key, bytearray()).extend(f"{digest}  {name}\n".encode())

    def text(self) -> str:
        """The text to sign. To be asked for once: it takes the hashes with it."""
        parts = [f"{KIND}\n".encode()]
        for key in sorted(self._folders):
            lines = self._folders.pop(key).splitlines(keepends=True)
            lines.sort(key=_name_in)
            parts.append(b"".join(lines))
        return b"".join(parts).decode()


def _name_in(line: bytearray) -> bytes:
    return bytes(line[_NAME_AT:])


def listed_files(text: str, kind: str = KIND) -> Iterator[tuple[str, str]]:
    """Each file and its hash, in order of names. BadManifest where the text is not as `manifest_text` writes it.

    Line by line: there may be half a million of them.
    """
    at, before = text.find("\n") + 1, ""
    if text[:at] != f"{kind}\n":
        raise BadManifest(f"expected {kind}, found {text[:80]!r}")
    while at < len(text):
        end = text.find("\n", at)
        match = _LINE.fullmatch(text, at, end if end >= 0 else len(text))
        if match is None or end < 0:
            raise BadManifest(f"expected a hash and a name, found {text[at : at + 120]!r}")
        if match[2] <= before:
            raise BadManifest(f"expected each file once, in order, found {match[2][:120]!r}")
        before, at = match[2], end + 1
        yield match[2], match[1]


def parsed_manifest(text: str, kind: str = KIND) -> dict[str, str]:
    """The hash of each file. BadManifest if the text is not exactly as `manifest_text` writes it."""
    return dict(listed_files(text, kind))


def sha256_hex(data: bytes) -> str:
    """The hash that stands for a file."""
    return hashlib.sha256(data).hexdigest()
