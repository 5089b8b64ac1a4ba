"""Gathering what a paper is made from while the files of a bundle come by, in as much memory as the small ones take."""

import re
from collections.abc import Sequence
from typing import Final

from controller.core.bundle.layout import RESULTS, Bundle, Stream
from controller.core.paper.testimony import BadTestimony, Testimony

_SEAL: Final = re.compile(r"streams/([^/]+)/([^/]+)/([^/]+)/[0-9]{8}\.note")
# Proofs prove something to programs; people are told what.
_PASSED_OVER: Final = re.compile(
    r"streams/.*|.*\.tlog-proof|consistency/.*|report\..*|PAPER\.note|README\.txt|verify\.sh"
)


class BadPaper(ValueError):
    """Files of which no paper can be made. The message says which one, what was expected and what was found."""


class Gathered:
    """The small files of a bundle, and an account of each of its streams."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._streams: dict[Stream, Testimony] = {}

    @classmethod
    def of(cls, bundle: Bundle) -> "Gathered":
        """What a whole bundle comes to. BadPaper if a seal in it is none."""
        found = cls()
        for name in bundle.names():
            if _is_read(name):
                found.take(name, bundle.read(name))
        return found

    def take(self, name: str, content: bytes) -> None:
        """A file, or the next part of one. BadPaper for a seal that is none."""
        match = _SEAL.fullmatch(name)
        if match is not None:
            stream = Stream(match[1], match[2], match[3])
            try:
                self._streams.setdefault(stream, Testimony(stream)).add(content)
            except BadTestimony as error:
                raise BadPaper(f"{name}: {error}.") from error
        elif _is_read(name):
            self._files[name] = self._files.get(name, b"") + content

    def names(self) -> Sequence[str]:
        """The files that were kept, sorted."""
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        """The bytes of a file. BadPaper if it was not there."""
        found = self._files.get(name)
        if found is None:
            raise BadPaper(f"{name} is missing: this is no whole bundle.")
        return found

    def testimonies(self) -> Sequence[Testimony]:
        """The streams, by agent, service and epoch."""
        streams = self._streams.values()
        return sorted(
            streams, key=lambda one: (one.stream.agent, one.stream.stream, one.stream.epoch)
        )


def _is_read(name: str) -> bool:
    is_seal = _SEAL.fullmatch(name) is not None
    return is_seal or not (name == RESULTS or _PASSED_OVER.fullmatch(name))
