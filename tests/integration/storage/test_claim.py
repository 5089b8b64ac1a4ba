"""A state directory and a database belong to one controller at a time."""

import errno
import os
from pathlib import Path

import pytest

from controller.errors import Fatal, Unreachable
from controller.storage.claim import claimed


def test_a_state_directory_has_one_controller(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'vedette.db'}"
    with (
        claimed(tmp_path, url),
        pytest.raises(Fatal, match=r"Another vedette serve \(process \d+\)"),
    ):
        claimed(tmp_path, url).__enter__()
    with claimed(tmp_path, url):
        pass


def test_a_database_has_one_controller_whatever_its_state_directory(
    kept_url: str, tmp_path: Path
) -> None:
    states = [tmp_path / name for name in ("one", "two")]
    for state in states:
        state.mkdir()
    with claimed(states[0], kept_url):
        with pytest.raises(Fatal, match="name another database with --db") as caught:
            claimed(states[1], kept_url).__enter__()
        assert str(caught.value).startswith("Another vedette serve")
    with claimed(states[1], kept_url), pytest.raises(Fatal):
        claimed(states[0], kept_url).__enter__()


def test_a_database_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be used now"):
        claimed(tmp_path, "postgresql://nobody@/none?host=/nonexistent").__enter__()
    # What was claimed before is free again.
    with claimed(tmp_path, "sqlite://"):
        pass


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="Cannot write"):
        claimed(tmp_path / "missing", "sqlite://").__enter__()


def test_a_disk_without_room_for_the_lock_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(Fatal, match=r"Cannot write .*serve\.lock: No space left"):
            claimed(tmp_path, f"sqlite:///{tmp_path / 'vedette.db'}").__enter__()
    with claimed(tmp_path, f"sqlite:///{tmp_path / 'vedette.db'}"):
        pass
