"""Authorities in the state directory: pinned by name, refused in words, never half there."""

import json
from pathlib import Path

import pytest

from controller.errors import BadInput, ControllerError, Fatal, NotFound, Rejected
from controller.identity.authorities import add_authority, authorities, remove_authority
from controller.identity.files import SETTINGS, StateDirectory
from tests.fakes.timestamp_authority import LocalAuthority

URL = "https://tsa.example/"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return LocalAuthority(tmp_path_factory.mktemp("roots") / "authority").root_pem


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    settings = {"version": 1, "organisation": "example.net", "names": ["localhost"]}
    (tmp_path / SETTINGS).write_text(json.dumps(settings))
    return StateDirectory(tmp_path)


def test_an_authority_is_kept_by_name_with_its_roots(state: StateDirectory, pem: bytes) -> None:
    add_authority(state, "tsa", URL, pem)
    (found,) = authorities(state)
    assert (found.name, found.url, len(found.roots)) == ("tsa", URL, 1)
    remove_authority(state, "tsa")
    assert not authorities(state)


@pytest.mark.parametrize(
    ("name", "url", "roots", "error", "sentence"),
    [
        ("../x", URL, None, BadInput, "a name of lower-case letters"),
        ("tsa2", "ftp://tsa.example/", None, BadInput, "as address of the authority"),
        ("tsa2", URL, b"no certificate", BadInput, "certificates in PEM"),
        ("tsa", URL, None, Rejected, "remove it first"),
    ],
)
def test_a_bad_one_is_refused_and_changes_nothing(
    state: StateDirectory,
    pem: bytes,
    name: str,
    url: str,
    roots: bytes | None,
    error: type[ControllerError],
    sentence: str,
) -> None:
    add_authority(state, "tsa", URL, pem)
    with pytest.raises(error, match=sentence):
        add_authority(state, name, url, pem if roots is None else roots)
    assert [one.name for one in authorities(state)] == ["tsa"]


def test_one_that_is_not_there_cannot_be_removed(state: StateDirectory) -> None:
    with pytest.raises(NotFound, match="none"):
        remove_authority(state, "tsa")


def test_a_damaged_one_is_named(state: StateDirectory, pem: bytes) -> None:
    add_authority(state, "tsa", URL, pem)
    (state.path / "authorities" / "tsa.json").write_text("{}")
    with pytest.raises(Fatal, match=r"tsa\.json; it is damaged"):
        authorities(state)
