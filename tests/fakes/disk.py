"""A disk with an end: files on it refuse to grow past what is left, or fail to sync."""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from agent.spool.disk import DiskFile


@dataclass
class SmallDisk:
    """`open` makes AppendFiles that share `room` bytes; `is_broken` makes every sync fail."""

    room: int
    is_broken: bool = False

    def open(self, path: Path) -> "SmallFile":
        return SmallFile(path, self)


class SmallFile(DiskFile):
    """Writes what fits, then says that the disk is full: half a record may stay, as on a real one."""

    def __init__(self, path: Path, disk: SmallDisk) -> None:
        super().__init__(path)
        self._disk = disk
        self._size = 0

    def write(self, data: bytes) -> None:
        fits = data[: self._disk.room]
        super().write(fits)
        self._size += len(fits)
        self._disk.room -= len(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def cut(self, size: int) -> None:
        super().cut(size)
        self._disk.room += self._size - size
        self._size = size

    def sync(self) -> None:
        if self._disk.is_broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync()
