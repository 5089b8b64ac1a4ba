"""Files that survive a crash: written whole, synced, and readable by this user only."""

import os
import secrets
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


def sync_directory(path: Path) -> None:
    """Make the names in directory `path` durable: a file is only there once its directory says so."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, content: bytes) -> None:
    """Create `path` with `content`, on disk when this returns; FileExistsError if it is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Put `content` in place of whatever `path` held: after a crash it is the old or the new, whole."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        write_synced(part, content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
