"""Writing a bundle to disk, a folder or a zip: as a whole or not at all."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from controller.core.bundle.layout import belongs, is_of_lines
from controller.errors import BadInput, Unreachable

_ZIP: Final = ".zip"
# The same bundle is the same zip, whenever it is written.
_DATE: Final = (1980, 1, 1, 0, 0, 0)


class _Target(Protocol):
    """Where files are put, one after another."""

    def begin(self, name: str) -> BinaryIO:
        """A new file to write into; the one before is closed by its writer."""
        ...


class _Folder:
    """Files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[str] = set()

    def begin(self, name: str) -> BinaryIO:
        """A new file to write into."""
        below = name.rpartition("/")[0]
        if below not in self._made:
            (self._folder / below).mkdir(parents=True, exist_ok=True)
            self._made.add(below)
        # There may be hundreds of thousands: paths as objects would take longer than their bytes.
        return open(f"{self._folder}/{name}", "xb")  # noqa: PTH123 - its writer closes it


class _Zip:
    """Files of a zip."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def begin(self, name: str) -> BinaryIO:
        """A new file to write into."""
        member = zipfile.ZipInfo(name, _DATE)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = 0o644 << 16
        return self._archive.open(member, "w", force_zip64=True)  # type: ignore[return-value]  # writable


def refuse_output(path: Path) -> None:
    """BadInput if something is there already, or there is no place for it."""
    if path.exists() or path.is_symlink():
        raise BadInput(f"{path} exists already; nothing is overwritten. Name another.")
    if not path.absolute().parent.is_dir():
        raise BadInput(f"There is no folder {path.absolute().parent}: make it first.")


def write_bundle(path: Path, parts: Iterable[tuple[str, bytes | None]]) -> int:
    """Write files, given part by part, into a new folder, or a zip if the name ends so; how many there are.

    A part that is None is all files of lines so far, one after another.
    It appears under its name when it is whole, and nothing is left if it does not come to that.
    """
    refuse_output(path)
    target = path.absolute()
    try:
        place = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise Unreachable(f"Cannot write into {target.parent}: {error.strerror}.") from error
    made = place / "bundle"
    try:
        if target.suffix == _ZIP:
            with zipfile.ZipFile(made, "x") as archive:
                count = _put(_Zip(archive), parts, place)
        else:
            made.mkdir()
            count = _put(_Folder(made), parts, place)
        refuse_output(path)
        made.rename(target)
    except OSError as error:
        raise Unreachable(f"Cannot write {path}: {error.strerror}.") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return count


def _put(target: _Target, parts: Iterable[tuple[str, bytes | None]], beside: Path) -> int:
    with tempfile.TemporaryFile(dir=beside) as lines:
        return _put_with(target, parts, lines)


def _put_with(target: _Target, parts: Iterable[tuple[str, bytes | None]], lines: BinaryIO) -> int:
    """Write the parts; `lines` takes a copy of all lines on the way."""
    count, current = 0, ""
    file: BinaryIO | None = None
    try:
        for name, content in parts:
            if file is None or name != current:
                if file is not None:
                    file.close()
                if not belongs(name):
                    raise Unreachable(
                        f"The controller names {name!r}, which is no file of a bundle."
                    )
                file, current, count = target.begin(name), name, count + 1
            if content is None:
                lines.seek(0)
                shutil.copyfileobj(lines, file)
                continue
            file.write(content)
            if is_of_lines(name):
                lines.write(content)
    finally:
        if file is not None:
            file.close()
    return count
