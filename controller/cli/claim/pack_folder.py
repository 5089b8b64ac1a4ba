"""Writing a folder of files as a whole: all of them, or nothing."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from controller.errors import BadInput, Unreachable


def refuse_folder(folder: Path) -> None:
    """BadInput if something is there already, or there is no place for it."""
    if folder.exists() or folder.is_symlink():
        raise BadInput(f"{folder} exists already; nothing is overwritten. Name another folder.")
    parent = folder.absolute().parent
    if not parent.is_dir():
        raise BadInput(f"There is no folder {parent} to make {folder.name} in: make it first.")


def write_folder(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files (name below the folder, content) and give them their place in one step.

    Unreachable if they cannot be written; nothing is left of them then.
    """
    refuse_folder(folder)
    target = folder.absolute()
    try:
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise Unreachable(f"Cannot write into {target.parent}: {error.strerror}.") from error
    try:
        for name, content in files:
            path = made / _inside(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        made.chmod(0o755)
        made.rename(target)
    except OSError as error:
        raise Unreachable(f"Cannot write {folder}: {error.strerror}.") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _inside(name: str) -> Path:
    """A path that stays below its folder, whatever a controller says."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise Unreachable(f"The controller names the file {name!r}, which is no name in a folder.")
    return path
