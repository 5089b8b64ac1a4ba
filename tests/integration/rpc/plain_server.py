"""A bare gRPC server with one method and certificates of the test's own making: to ask grpcio what it does."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

METHOD = "/test.Facts/Say"
STREAM = "/test.Facts/Talk"
SECONDS_MAX = 10.0
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM."""

    chain: bytes
    key: bytes


class Issuer:
    """A self-signed CA that makes whatever a test asks for."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "facts")])
        self.pem = self._signed(self._key, self._name, ca=True, life=dt.timedelta(days=1), usage=())

    def pair(
        self,
        *,
        usage: tuple[x509.ObjectIdentifier, ...] = (),
        life: dt.timedelta = dt.timedelta(hours=1),
        key: Key | None = None,
    ) -> Pair:
        """A leaf for localhost, good for `life` from now on."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
        chain = self._signed(key, name, ca=False, life=life, usage=usage)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Pair(chain, pem)

    def _signed(
        self,
        key: Key,
        subject: x509.Name,
        *,
        ca: bool,
        life: dt.timedelta,
        usage: tuple[x509.ObjectIdentifier, ...],
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + life)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
            builder = builder.add_extension(names, critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


class Facts(grpc.GenericRpcHandler):
    """Says what it sees of the caller."""

    def __init__(self) -> None:
        self.shown: list[bytes] = []

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        if details.method == STREAM:
            return grpc.stream_stream_rpc_method_handler(lambda requests, context: requests)
        return grpc.unary_unary_rpc_method_handler(self.say)

    def say(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        certificates: Any = context.auth_context().get("x509_pem_cert") or [b""]
        self.shown.append(next(iter(certificates)))
        return request


@contextmanager
def serving(
    credentials: grpc.ServerCredentials, *interceptors: grpc.ServerInterceptor
) -> Iterator[tuple[str, Facts]]:
    """(address, what it saw) of a server with these credentials."""
    facts = Facts()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[facts], interceptors=list(interceptors))
    port = server.add_secure_port("localhost:0", credentials)
    server.start()
    try:
        yield f"localhost:{port}", facts
    finally:
        server.stop(0).wait(SECONDS_MAX)


@contextmanager
def calling(address: str, ca_pem: bytes, pair: Pair | None) -> Iterator[Callable[[], bytes]]:
    """A call over one channel that shows `pair`."""
    with channel(address, ca_pem, pair) as opened:
        say: Any = opened.unary_unary(METHOD)
        yield lambda: bytes(say(b"hello", timeout=SECONDS_MAX))


@contextmanager
def channel(address: str, ca_pem: bytes, pair: Pair | None) -> Iterator[grpc.Channel]:
    """A channel that shows `pair`."""
    credentials = grpc.ssl_channel_credentials(
        ca_pem, pair.key if pair else None, pair.chain if pair else None
    )
    with grpc.secure_channel(address, credentials) as opened:
        yield opened
