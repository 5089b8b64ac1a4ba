"""The server's certificate: kept while it is good, made anew in time, exchanged without a restart."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509

from controller.identity.authority import new_issuing, new_root
from controller.identity.files import ROOT_KEY, Settings, StateDirectory
from controller.rpc.tls import ServerCertificate

START = dt.datetime(2026, 6, 11, tzinfo=dt.UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    directory = StateDirectory(tmp_path)
    root = new_root("acme", START)
    directory.save_identity(
        Settings("acme", ["localhost"]), root, new_issuing(root, "acme", START), tmp_path / ROOT_KEY
    )
    return directory


def certificate(state: StateDirectory, clock: Clock, *names: str) -> ServerCertificate:
    return ServerCertificate(state.authority(), state, names or ["localhost"], clock)


def leaf(state: StateDirectory) -> x509.Certificate:
    pair = state.server_pair()
    assert pair is not None
    return x509.load_pem_x509_certificates(pair[0])[0]


def test_a_good_one_is_kept_over_a_restart(state: StateDirectory, clock: Clock) -> None:
    certificate(state, clock)
    first = leaf(state)
    clock.now += dt.timedelta(days=14)
    assert not certificate(state, clock).refresh()
    assert leaf(state) == first


def test_it_is_exchanged_at_half_of_its_life(state: StateDirectory, clock: Clock) -> None:
    running = certificate(state, clock)
    first = leaf(state)
    clock.now += dt.timedelta(days=15, seconds=1)
    assert running.refresh()
    assert leaf(state) != first
    assert not running.refresh()


def test_another_name_needs_another_one(state: StateDirectory, clock: Clock) -> None:
    certificate(state, clock, "localhost")
    certificate(state, clock, "vedette.example", "localhost", "localhost", "127.0.0.1")
    names = leaf(state).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == ["vedette.example", "localhost", "127.0.0.1"]


def test_one_of_a_former_issuer_is_not_shown(state: StateDirectory, clock: Clock) -> None:
    certificate(state, clock)
    first = leaf(state)
    root = new_root("acme", START)
    other = new_issuing(root, "acme", START)
    (state.path / "issuing-ca.pem").write_bytes(other.certificate_pem)
    (state.path / "issuing-ca.key").write_bytes(other.key_pem)
    certificate(state, clock)
    assert leaf(state) != first


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
def test_a_damaged_one_is_made_anew(state: StateDirectory, clock: Clock, name: str) -> None:
    certificate(state, clock)
    first = leaf(state)
    (state.path / name).write_bytes(b"torn")
    certificate(state, clock)
    assert leaf(state) != first


def test_a_lost_key_is_made_anew(state: StateDirectory, clock: Clock) -> None:
    certificate(state, clock)
    (state.path / "server.key").unlink()
    certificate(state, clock)
    assert (state.path / "server.key").exists()
