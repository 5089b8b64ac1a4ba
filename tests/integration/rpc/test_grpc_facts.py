"""What grpcio does, as far as we build on it. A fact that changes with an upgrade is seen here first.

Each test names what we do because of the fact.
"""

import datetime as dt
import inspect
import queue
import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.integration.rpc.plain_server import (
    METHOD,
    SECONDS_MAX,
    STREAM,
    Issuer,
    Pair,
    calling,
    channel,
    serving,
)
from tests.integration.rpc.running import refused


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def server(issuer: Issuer) -> Pair:
    return issuer.pair(usage=(ExtendedKeyUsageOID.SERVER_AUTH,))


@pytest.fixture(scope="module")
def client(issuer: Issuer) -> Pair:
    return issuer.pair(usage=(ExtendedKeyUsageOID.CLIENT_AUTH,))


def mutual(issuer: Issuer, server: Pair, *, requires: bool = True) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials([(server.key, server.chain)], issuer.pem, requires)


def wait_until_past(pair: Pair) -> None:
    """Return when the certificate has ended: a condition of the wall clock."""
    ends = x509.load_pem_x509_certificate(pair.chain).not_valid_after_utc
    timer = threading.Event()
    while (left := (ends - dt.datetime.now(dt.UTC)).total_seconds()) >= 0:
        timer.wait(left + 0.01)


def test_a_client_certificate_is_never_optional(issuer: Issuer, server: Pair, client: Pair) -> None:
    """A server that does not require one does not ask for it: agents and people need two listeners."""
    with serving(mutual(issuer, server, requires=False)) as (address, facts):
        with calling(address, issuer.pem, client) as call:
            call()
        assert facts.shown == [b""]
    with serving(mutual(issuer, server)) as (address, facts):
        with calling(address, issuer.pem, client) as call:
            call()
        assert facts.shown[0].strip() == client.chain.strip()


def test_an_ed25519_certificate_is_refused(issuer: Issuer, server: Pair) -> None:
    """TLS keys are P-256; Ed25519 is for evidence only."""
    modern = issuer.pair(
        usage=(ExtendedKeyUsageOID.CLIENT_AUTH,), key=ed25519.Ed25519PrivateKey.generate()
    )
    with (
        serving(mutual(issuer, server)) as (address, _),
        calling(address, issuer.pem, modern) as call,
        pytest.raises(grpc.RpcError) as caught,
    ):
        call()
    assert refused(caught)[0] is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_without_a_purpose_is_accepted(issuer: Issuer, server: Pair) -> None:
    """rpc/peer.py looks at the purpose, the name and the serial itself."""
    with (
        serving(mutual(issuer, server)) as (address, facts),
        calling(address, issuer.pem, issuer.pair()) as call,
    ):
        assert call() == b"hello"
    assert facts.shown[0]


def test_streams_and_new_calls_survive_the_end_of_a_certificate(
    issuer: Issuer, server: Pair
) -> None:
    """Expiry is looked at on every call and every so many messages, not only in the handshake."""
    short = issuer.pair(
        usage=(ExtendedKeyUsageOID.CLIENT_AUTH,), life=dt.timedelta(seconds=2)
    )  # fmt: skip
    with (
        serving(mutual(issuer, server)) as (address, _),
        channel(address, issuer.pem, short) as opened,
    ):
        outgoing: queue.Queue[bytes | None] = queue.Queue()
        talk: Any = opened.stream_stream(STREAM)
        answers = talk(iter(outgoing.get, None), timeout=SECONDS_MAX * 2)
        outgoing.put(b"before")
        assert next(answers) == b"before"
        wait_until_past(short)
        outgoing.put(b"after")
        assert next(answers) == b"after"
        outgoing.put(None)
        say: Any = opened.unary_unary(METHOD)
        assert say(b"new call", timeout=SECONDS_MAX) == b"new call"
        # A new connection is another matter: recovery cannot go through mutual TLS.
        with calling(address, issuer.pem, short) as call, pytest.raises(grpc.RpcError) as caught:
            call()
    assert refused(caught)[0] is grpc.StatusCode.UNAVAILABLE


def test_an_interceptor_cannot_see_the_peer(issuer: Issuer, server: Pair, client: Pair) -> None:
    """rpc/gate.py wraps the handler, which gets a context; the interceptor has none."""
    seen: list[Any] = []

    class Curious(grpc.ServerInterceptor):
        def intercept_service(
            self, continuation: Callable[[Any], Any], handler_call_details: Any
        ) -> Any:
            seen.append(handler_call_details)
            return continuation(handler_call_details)

    with serving(mutual(issuer, server), Curious()) as (address, facts):
        with calling(address, issuer.pem, client) as call:
            call()
        assert facts.shown[0]
    (details,) = seen
    public = {name for name in dir(details) if not name.startswith("_")}
    assert public - {"count", "index"} == {"method", "invocation_metadata"}


def test_a_refused_handshake_looks_like_a_fault_of_the_network(
    issuer: Issuer, server: Pair
) -> None:
    """So an agent recovers when its own clock says that its certificate ended, and not when it is refused."""
    stranger = Issuer().pair(usage=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    with (
        serving(mutual(issuer, server)) as (address, _),
        calling(address, issuer.pem, stranger) as call,
        pytest.raises(grpc.RpcError) as caught,
    ):
        call()
    with (
        calling("localhost:1", issuer.pem, stranger) as call,
        pytest.raises(grpc.RpcError) as absent,
    ):
        call()
    assert refused(caught)[0] is refused(absent)[0] is grpc.StatusCode.UNAVAILABLE
    assert "certificate" not in refused(caught)[1].lower()


def test_a_channel_shows_the_certificate_that_it_was_made_with(
    issuer: Issuer, server: Pair, client: Pair
) -> None:
    """There is no hot reload for clients: a renewed certificate needs a new channel."""
    files = {"key": client.key, "chain": client.chain}
    credentials = grpc.ssl_channel_credentials(issuer.pem, files["key"], files["chain"])
    renewed = issuer.pair(usage=(ExtendedKeyUsageOID.CLIENT_AUTH,))
    with serving(mutual(issuer, server)) as (address, facts):
        with grpc.secure_channel(address, credentials) as opened:
            say: Any = opened.unary_unary(METHOD)
            say(b"x", timeout=SECONDS_MAX)
            files.update(key=renewed.key, chain=renewed.chain)
            say(b"x", timeout=SECONDS_MAX)
        with calling(address, issuer.pem, renewed) as call:
            call()
    assert [shown.strip() for shown in facts.shown] == [
        client.chain.strip(), client.chain.strip(), renewed.chain.strip(),
    ]  # fmt: skip
    assert not hasattr(grpc, "dynamic_ssl_channel_credentials")


def test_a_server_can_exchange_its_certificate_while_it_runs(issuer: Issuer, server: Pair) -> None:
    """rpc/tls.py gives new connections the present certificate; open ones stay as they are."""
    present = [server]

    def configuration() -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration([(present[0].key, present[0].chain)])

    other = Issuer()
    credentials = grpc.dynamic_ssl_server_credentials(configuration(), configuration)
    with serving(credentials) as (address, _), calling(address, issuer.pem, None) as call:
        call()
        present[0] = other.pair(usage=(ExtendedKeyUsageOID.SERVER_AUTH,))
        call()
        with calling(address, other.pem, None) as another:
            assert another() == b"hello"


def test_a_certificate_cannot_be_fetched_without_verifying_it(issuer: Issuer, server: Pair) -> None:
    """So a join file holds the CA's certificate itself: there is no first connection that trusts anybody."""
    allowed = set(inspect.signature(grpc.ssl_channel_credentials).parameters)
    assert allowed == {"root_certificates", "private_key", "certificate_chain"}
    with serving(grpc.ssl_server_credentials([(server.key, server.chain)])) as (address, facts):
        for trusted in (Issuer().pem, None):
            credentials = grpc.ssl_channel_credentials(trusted)
            with grpc.secure_channel(address, credentials) as opened:
                say: Any = opened.unary_unary(METHOD)
                with pytest.raises(grpc.RpcError) as caught:
                    say(b"x", timeout=SECONDS_MAX)
            assert refused(caught)[0] is grpc.StatusCode.UNAVAILABLE
        assert facts.shown == []
