"""Files that a command is given, and files that it writes for others."""

import sys
from pathlib import Path
from typing import Final

from controller.errors import BadInput
from vedette.shared.limits import FLEET_BYTES_MAX

STDIN: Final = "-"


def read_file(path: Path) -> bytes:
    """The bytes of `path` (- is standard input). BadInput if they cannot be read, or are too many."""
    try:
        if str(path) == STDIN:
            data = sys.stdin.buffer.read(FLEET_BYTES_MAX + 1)
        else:
            with path.open("rb") as file:
                data = file.read(FLEET_BYTES_MAX + 1)
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror}.") from error
    if len(data) > FLEET_BYTES_MAX:
        raise BadInput(f"Expected at most {FLEET_BYTES_MAX} bytes in {path}; it is larger.")
    return data


def refuse_existing(path: Path) -> None:
    """BadInput if there is something at `path` already."""
    if path.exists() or path.is_symlink():
        raise BadInput(f"{path} is already there; name another file.")
