"""Gathering what a paper is made from while the files of a bundle come by, in as much memory as the small ones take."""

import re
from collections.abc import Sequence
from typing import Final

from controller.core.bundle.layout import RESULTS, Bundle, Stream
from controller.core.paper.testimony import BadTestimony, Testimony

_STREAMS: Final = "streams/"
_NOTE: Final = ".note"
# Below streams/: agent, epoch, stream.
_PARTS: Final = 3
# Proofs prove something to programs; people are told what.
_PASSED_OVER: Final = re.compile(
    r".*\.tlog-proof|consistency/.*|report\..*|PAPER\.note|README\.txt|verify\.sh"
)


class BadPaper(ValueError):
    """Files of which no paper can be made. The message says which one, what was expected and what was found."""


class Gathered:
    """The small files of a bundle, and an account of each of its streams."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._streams: dict[str, Testimony] = {}

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
        if name.startswith(_STREAMS):
            if name.endswith(_NOTE):
                self._add(name, content)
        elif _is_read(name):
            self._files[name] = self._files.get(name, b"") + content

    def _add(self, name: str, note: bytes) -> None:
        """A seal. There are hundreds of thousands: the folder says which stream it is of."""
        folder = name.rpartition("/")[0]
        account = self._streams.get(folder)
        if account is None:
            _, *parts = folder.split("/")
            if len(parts) != _PARTS:
                raise BadPaper(f"{name} is no file of a bundle.")
            account = self._streams[folder] = Testimony(Stream(*parts))
        try:
            account.add(note)
        except BadTestimony as error:
            raise BadPaper(f"{name}: {error}.") from error

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
    if name.startswith(_STREAMS):
        return name.endswith(_NOTE)
    return not (name == RESULTS or _PASSED_OVER.fullmatch(name))
