"""The manifest: the SHA-256 of every file of a bundle, as the text of a signed note that `sha256sum -c` reads.

The paper for people is made from what the manifest names, so it cannot stand in it: a note of the same form binds the
two together.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

KIND: Final = "vedette.manifest/v1"
PAPER_KIND: Final = "vedette.paper/v1"
_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")


class BadManifest(ValueError):
    """A text that is no manifest."""


def manifest_text(files: Mapping[str, str], kind: str = KIND) -> str:
    """The text to sign, of file names and their SHA-256 in hexadecimal."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return f"{kind}\n{lines}"


def parsed_manifest(text: str, kind: str = KIND) -> dict[str, str]:
    """The hash of each file. BadManifest if the text is not exactly as `manifest_text` writes it."""
    head, *lines = text.split("\n")
    found: dict[str, str] = {}
    for line in lines[:-1]:
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadManifest(f"expected a hash and a name, found {line[:120]!r}")
        found[match[2]] = match[1]
    if head != kind or manifest_text(found, kind) != text:
        raise BadManifest(f"expected {kind} and each file once, in order, found another text")
    return found


def sha256_hex(data: bytes) -> str:
    """The hash that stands for a file."""
    return hashlib.sha256(data).hexdigest()
