"""A bundle on disk: a folder or a zip, read without unpacking it."""

import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Final

from controller.core.bundle.layout import Bundle
from controller.core.bundle.statements import Broken
from controller.errors import BadInput
from vedette.shared.limits import BUNDLE_FILE_BYTES_MAX, BUNDLE_NOTE_BYTES_MAX

# Folders in folders: a bundle has four.
_DEPTH_MAX: Final = 8
_CHUNK_BYTES: Final = 1024 * 1024
# What reading a damaged zip raises, or one that was made to harm.
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, RuntimeError, EOFError,
    ValueError, OverflowError, OSError,
)  # fmt: skip


class FolderBundle:
    """controller.core.bundle.layout.Bundle of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _names(self) -> dict[str, None]:
        return dict.fromkeys(sorted(_below(str(self._folder), "", _DEPTH_MAX)))

    def names(self) -> list[str]:
        """Every file, with '/' between folders, sorted."""
        return list(self._names)

    def has(self, name: str) -> bool:
        """That file is there."""
        return name in self._names

    def read(self, name: str) -> bytes:
        """The bytes of a file. KeyError if it is not there."""
        with self._opened(name, BUNDLE_NOTE_BYTES_MAX) as file:
            return file.read()

    def chunks(self, name: str) -> Iterator[bytes]:
        """The same in pieces, as it is read. KeyError if it is not there."""
        with self._opened(name) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    def _opened(self, name: str, bytes_max: int = BUNDLE_FILE_BYTES_MAX) -> FileIO:
        if name not in self._names:
            raise KeyError(name)
        # There may be hundreds of thousands: paths as objects would take longer than their bytes.
        file = open(f"{self._folder}/{name}", "rb", buffering=0, opener=_as_it_is)  # noqa: SIM115
        found = os.fstat(file.fileno())
        if stat.S_ISREG(found.st_mode) and found.st_size <= bytes_max:
            return file
        file.close()
        if not stat.S_ISREG(found.st_mode):
            raise _odd(name)
        raise _large(name, bytes_max)


def _as_it_is(path: str, flags: int) -> int:
    """Open what stands there, and neither follow a link to somewhere else nor wait for somebody to write."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _large(name: str, bytes_max: int) -> Broken:
    return Broken(f"{name}: expected at most {bytes_max} bytes")


def _odd(name: str) -> Broken:
    return Broken(f"{name!r} is neither a file nor a folder, and a bundle has nothing else")


def _below(folder: str, prefix: str, depth: int) -> Iterator[str]:
    """The names of all files below a folder. Broken for what is neither, and for folders without end."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                yield f"{prefix}{entry.name}"
            elif entry.is_dir(follow_symlinks=False) and depth:
                yield from _below(entry.path, f"{prefix}{entry.name}/", depth - 1)
            else:
                raise _odd(f"{prefix}{entry.name}")


class ZipBundle:
    """controller.core.bundle.layout.Bundle of a zip. Folders in it are none of its files."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        files = [one for one in archive.infolist() if not one.is_dir()]
        self._members = {one.filename: one for one in files}
        if len(self._members) != len(files):
            raise BadInput(f"{archive.filename} has two files of one name: no bundle has.")

    def names(self) -> list[str]:
        """Every file, with '/' between folders, sorted."""
        return sorted(self._members)

    def has(self, name: str) -> bool:
        """That file is there."""
        return name in self._members

    def read(self, name: str) -> bytes:
        """The bytes of a file. KeyError if it is not there."""
        if self._members[name].file_size > BUNDLE_NOTE_BYTES_MAX:
            raise _large(name, BUNDLE_NOTE_BYTES_MAX)
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The same in pieces, as it is read. KeyError if it is not there."""
        member = self._members[name]
        if member.file_size > BUNDLE_FILE_BYTES_MAX:
            raise _large(name, BUNDLE_FILE_BYTES_MAX)
        found = 0
        try:
            with self._zip.open(member) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    found += len(chunk)
                    yield chunk
        except _DAMAGED as error:
            raise Broken(f"{name} cannot be read from the zip: {error}") from error
        if found != member.file_size:
            raise Broken(f"{name}: expected {member.file_size} bytes in the zip, found {found}")


@contextmanager
def opened_bundle(path: Path) -> Iterator[Bundle]:
    """The bundle in a folder or a zip. BadInput if it is neither, or damaged as such."""
    try:
        if path.is_dir():
            yield FolderBundle(path)
        else:
            with _opened_zip(path) as archive:
                yield ZipBundle(archive)
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror or error}.") from error


def _opened_zip(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise
    except _DAMAGED as error:
        raise BadInput(
            f"Expected a folder or a zip in {path}, found another file: {error}."
        ) from error
