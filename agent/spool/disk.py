"""Files that are only ever appended to: the seam at which tests fill the disk or break it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from agent.files import PRIVATE_FILE, sync_directory


class AppendFile(Protocol):
    """A new file that grows at its end. Every method may raise OSError."""

    def write(self, data: bytes) -> None:
        """Append all of `data`."""
        ...

    def sync(self) -> None:
        """Make what was written durable."""
        ...

    def cut(self, size: int) -> None:
        """Shorten the file to `size` and go on from there."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: OSError) -> bool:
    """There is no room: the disk is well, and may take more when something was deleted."""
    return error.errno in _FULL


OpenFile = Callable[[Path], AppendFile]


class DiskFile:
    """An AppendFile on a real disk. Creating it makes its name durable."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, PRIVATE_FILE
        )
        sync_directory(path.parent)

    def write(self, data: bytes) -> None:
        """Append all of `data`; after an OSError part of it may be in the file."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def sync(self) -> None:
        """Make what was written durable."""
        os.fsync(self._descriptor)

    def cut(self, size: int) -> None:
        """Shorten the file to `size`."""
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)
