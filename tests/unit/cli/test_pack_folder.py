"""A folder of files is written whole, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.cli.claim.pack_folder import refuse_folder, write_folder
from controller.errors import BadInput, Unreachable

FILES = [("a.txt", b"one"), ("sub/b.txt", b"two")]


def test_a_folder_is_written(tmp_path: Path) -> None:
    write_folder(tmp_path / "pack", FILES)
    assert (tmp_path / "pack" / "sub" / "b.txt").read_bytes() == b"two"
    assert [one.name for one in tmp_path.iterdir()] == ["pack"]


@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_nothing_is_overwritten(tmp_path: Path, what: str) -> None:
    path = tmp_path / "pack"
    if what == "file":
        path.write_text("mine")
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="exists already; nothing is overwritten"):
        write_folder(path, FILES)


def test_there_must_be_a_place_for_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="make it first"):
        refuse_folder(tmp_path / "no" / "pack")


def test_half_a_pack_is_never_left(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[str, bytes]]:
        yield FILES[0]
        raise Unreachable("The controller went away.")

    with pytest.raises(Unreachable, match="went away"):
        write_folder(tmp_path / "pack", broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", ""])
def test_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreachable, match="no name in a folder"):
        write_folder(tmp_path / "pack", [(name, b"")])
    assert list(tmp_path.iterdir()) == []
