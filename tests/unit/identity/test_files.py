import datetime as dt
import stat
from pathlib import Path

import pytest

from controller.errors import BadInput, Fatal, Rejected
from controller.identity.authority import new_issuing, new_root
from controller.identity.files import ROOT_KEY, Settings, StateDirectory, write_private

NOW = dt.datetime.now(dt.UTC)


def initialised(path: Path) -> StateDirectory:
    directory = StateDirectory(path)
    directory.prepare(path / ROOT_KEY)
    root = new_root("acme", NOW)
    directory.save_identity(
        Settings("acme", ["localhost"]), root, new_issuing(root, "acme", NOW), path / ROOT_KEY
    )
    return directory


def test_everything_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    initialised(tmp_path / "state")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "state").iterdir()}
    assert len(modes) == 5
    assert set(modes.values()) == {0o600}


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    directory = initialised(tmp_path)
    assert directory.settings() == Settings("acme", ["localhost"])
    assert directory.authority().root_pem == (tmp_path / "ca.pem").read_bytes()


def test_init_never_overwrites(tmp_path: Path) -> None:
    initialised(tmp_path)
    with pytest.raises(Rejected, match="already there"):
        StateDirectory(tmp_path).prepare(tmp_path / ROOT_KEY)


def test_a_root_key_elsewhere_is_not_overwritten_either(tmp_path: Path) -> None:
    elsewhere = tmp_path / "stick.key"
    elsewhere.write_bytes(b"precious")
    with pytest.raises(Rejected, match=r"stick\.key is already there"):
        StateDirectory(tmp_path / "state").prepare(elsewhere)


def test_without_init_the_person_is_told_to_run_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="run `vedette init` first"):
        StateDirectory(tmp_path).settings()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"organisation": "a"}'])
def test_damaged_settings_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "controller.json").write_text(text)
    with pytest.raises(Fatal, match=r"controller\.json; it is damaged"):
        StateDirectory(tmp_path).settings()


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    directory = initialised(tmp_path)
    (tmp_path / "issuing-ca.key").unlink()
    with pytest.raises(Fatal, match=r"Cannot read .*issuing-ca\.key"):
        directory.authority()


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    (target / "inside").mkdir(parents=True)
    with pytest.raises(Fatal, match="Cannot write"):
        write_private(target, b"a file cannot replace a folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
