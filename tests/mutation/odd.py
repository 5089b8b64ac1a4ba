"""Attacks that no bytes of a file show: what stands in a folder that is no file, and what a zip can hold."""

import io
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.core.bundle.layout import CLAIM, MANIFEST, README
from tests.mutation.scene import Files, Scene

_FLAGS_LOCAL: Final = 6
_FLAGS_CENTRAL: Final = 8
_METHOD_CENTRAL: Final = 10
_SIZE_CENTRAL: Final = 24
_ENCRYPTED: Final = b"\x01\x00"


@dataclass(frozen=True, slots=True)
class OddFolder:
    """What is put into a folder, or made of what is there."""

    what: str
    make: Callable[[Path], None]


def odd_folders() -> Iterator[OddFolder]:
    """Links, pipes, and names that no bundle has, in a folder that holds a bundle."""
    yield OddFolder("a file that is a link to the same bytes", _linked)
    yield OddFolder("a folder that is a link to the same files", _linked_folder)
    yield OddFolder("a link to a device", lambda at: _replaced(at, README, "/dev/zero"))
    yield OddFolder("a link to nothing", lambda at: _replaced(at, README, "nowhere"))
    yield OddFolder("a link that is more", lambda at: (at / "more").symlink_to(README))
    yield OddFolder("a pipe in place of a file", _piped)
    yield OddFolder("a pipe that is more", lambda at: os.mkfifo(at / "pipe"))
    yield OddFolder("a folder in place of a file", _folder_for_file)
    yield OddFolder("a name that is no text", lambda at: _put(at, b"\xff\x1b[2J"))
    yield OddFolder("a name of two lines", lambda at: _put(at, b"README.txt\n./claim.note"))
    yield OddFolder("a name of a space", lambda at: _put(at, b" "))
    yield OddFolder("a name with a backslash", lambda at: _put(at, b"a\\nb"))
    yield OddFolder("a name like an option", lambda at: _put(at, b"-x"))
    yield OddFolder("a file below many folders", _deep)


def _linked(at: Path) -> None:
    elsewhere = at.parent / "elsewhere"
    (at / README).rename(elsewhere)
    (at / README).symlink_to(elsewhere)


def _linked_folder(at: Path) -> None:
    elsewhere = at.parent / "elsewhere"
    (at / "keys").rename(elsewhere)
    (at / "keys").symlink_to(elsewhere)


def _replaced(at: Path, name: str, target: str) -> None:
    (at / name).unlink()
    (at / name).symlink_to(target)


def _piped(at: Path) -> None:
    (at / README).unlink()
    os.mkfifo(at / README)


def _folder_for_file(at: Path) -> None:
    (at / README).unlink()
    (at / README).mkdir()


def _put(at: Path, name: bytes) -> None:
    path = Path(os.fsdecode(bytes(at) + b"/" + name))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x\n")


def _deep(at: Path) -> None:
    deep = at.joinpath(*(["d"] * 40))
    deep.mkdir(parents=True)
    (deep / "x").write_bytes(b"x\n")


@dataclass(frozen=True, slots=True)
class OddZip:
    """A zip, and the exit code that it deserves: 1 for a bundle that is not right, 2 for what is no bundle at all."""

    what: str
    data: bytes
    code: int = 1


def odd_zips(scene: Scene) -> Iterator[OddZip]:
    """Zips that are damaged, or made to harm; the same files in an honest one are a valid bundle."""
    files = scene.files
    whole = zipped(files)
    for name in (
        "../out",
        "/etc/out",
        "..\\out",
        "C:\\out",
        "keys/../x",
        "./README.txt",
        "a\0b",
        "README.txt\0",
    ):
        yield OddZip(
            f"a member {name!r}", zipped({**files, name: b"x"}), 1 if name != "README.txt\0" else 2
        )
    yield OddZip("two members of one name", _twice(whole, README, files[README]), 2)
    yield OddZip("two members of one name, other bytes", _twice(whole, CLAIM, b"x"), 2)
    yield OddZip(
        "all in a folder", zipped({f"bundle/{name}": data for name, data in files.items()})
    )
    yield OddZip("a member is encrypted", _flagged(whole, README))
    yield OddZip(
        "a way to pack that nobody knows", _patched(whole, README, _METHOD_CENTRAL, b"\x63\x00")
    )
    yield OddZip(
        "a size that is a lie", _patched(whole, README, _SIZE_CENTRAL, struct.pack("<I", 7))
    )
    yield OddZip("a size without end", _patched(whole, README, _SIZE_CENTRAL, b"\xfe\xff\xff\xff"))
    yield OddZip("a member that is a bomb", zipped({**files, README: bytes(64 * 1024 * 1024)}))
    yield OddZip("a bomb that is more", zipped({**files, "bomb": bytes(64 * 1024 * 1024)}))
    for part in (1, 2, 3):
        yield OddZip(f"cut after {part} quarters", whole[: len(whole) * part // 4], 2)
    yield OddZip("cut by a byte", whole[:-1], 2)
    yield OddZip("empty", b"", 2)
    yield OddZip("no zip", b"hello\n" * 100, 2)
    yield OddZip("a zip without a file", zipped({}))
    yield OddZip(
        "a name that is not UTF-8", whole.replace(b"README.txt", b"\xff\xfeADME.t\xc3\x28")
    )
    for name in (MANIFEST, CLAIM, README):
        at = _central(whole, name)
        start = struct.unpack("<I", whole[at + 42 : at + 46])[0] + 30 + len(name)
        yield OddZip(f"a bit of the packed {name}", _flip(whole, start + 20))


def zipped(files: Files) -> bytes:
    """A zip of these files."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo("x")
            member.filename = name
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _twice(whole: bytes, name: str, data: bytes) -> bytes:
    """With a second member of that name, which the first hides from careless readers."""
    held = io.BytesIO(whole)
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr("x" * len(name), data)
    return held.getvalue().replace(b"x" * len(name), name.encode())


def _flagged(whole: bytes, name: str) -> bytes:
    central = _central(whole, name)
    local = struct.unpack("<I", whole[central + 42 : central + 46])[0]
    found = _over(whole, local + _FLAGS_LOCAL, _ENCRYPTED)
    return _over(found, central + _FLAGS_CENTRAL, _ENCRYPTED)


def _patched(whole: bytes, name: str, at: int, new: bytes) -> bytes:
    return _over(whole, _central(whole, name) + at, new)


def _central(whole: bytes, name: str) -> int:
    """Where the entry of a member in the directory of the zip begins."""
    return whole.rindex(name.encode()) - 46


def _flip(data: bytes, at: int) -> bytes:
    return _over(data, at, bytes([data[at] ^ 0x10]))


def _over(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]
