"""TLS over a stream: one context per policy, a handshake whose failures have names, and what it showed."""

import asyncio
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.probers.network.fault import Fault
from agent.probers.network.stream import Stream
from vedette.shared.failure import Failure

_CONTEXTS_MAX: Final = 256
_READ_BYTES: Final = 64 * 1024
_DER: Final = 2
_OF_CERTIFICATES: Final = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")
_VERSIONS: Final[Mapping[str, ssl.TLSVersion]] = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """What is demanded of a peer. Checks with equal policies share one context.

    `client` is a certificate and its key, in PEM, for a peer that asks who the agent is. Versions are
    written as `TLSv1.2`.
    """

    verify: bool = True
    ca: str | None = None
    alpn: tuple[str, ...] = ("http/1.1",)
    min_version: str | None = None
    max_version: str | None = None
    client: tuple[str, str] | None = field(default=None, repr=False)


_contexts: Final[dict[TlsPolicy, ssl.SSLContext]] = {}
_making: Final[dict[TlsPolicy, "asyncio.Future[ssl.SSLContext]"]] = {}


async def ready(policy: TlsPolicy) -> None:
    """See to it that there is a context for `policy`, before anything is measured.

    On a thread: reading the system's trust takes tens of milliseconds, and other probes go on meanwhile. Fault if the
    policy's CA or client certificate cannot be read.
    """
    if policy in _contexts:
        return
    making = _making.get(policy)
    if making is None or making.get_loop() is not asyncio.get_running_loop():
        making = _making[policy] = asyncio.ensure_future(asyncio.to_thread(_made, policy))
        making.add_done_callback(lambda _: _making.pop(policy, None))
    _keep(policy, await asyncio.shield(making))


def context_of(policy: TlsPolicy) -> ssl.SSLContext:
    """The context for `policy`: each is made once. Fault if the policy's CA or client certificate cannot be read."""
    return _contexts.get(policy) or _keep(policy, _made(policy))


def _keep(policy: TlsPolicy, context: ssl.SSLContext) -> ssl.SSLContext:
    if policy not in _contexts and len(_contexts) >= _CONTEXTS_MAX:
        del _contexts[next(iter(_contexts))]
    return _contexts.setdefault(policy, context)


def _made(policy: TlsPolicy) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # A peer that wants to agree anew in the middle of an answer only costs time.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not policy.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # An old server is still a server: without verification, the version is a finding, not a bar.
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    elif policy.ca is not None:
        try:
            context.load_verify_locations(cadata=policy.ca)
        except (ssl.SSLError, ValueError) as error:
            raise Fault(Failure.UNRUNNABLE, f"the check's ca cannot be read: {error}") from error
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if policy.min_version is not None:
        context.minimum_version = _VERSIONS[policy.min_version]
    if policy.max_version is not None:
        context.maximum_version = _VERSIONS[policy.max_version]
        context.minimum_version = min(context.minimum_version, context.maximum_version)
    if policy.client is not None:
        try:
            _load_client(context, *policy.client)
        except (ssl.SSLError, ValueError, OSError) as error:
            said = f"the check's client certificate cannot be used: {error}"
            raise Fault(Failure.UNRUNNABLE, said) from error
    context.set_alpn_protocols(list(policy.alpn))
    return context


def _load_client(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Give `context` a certificate to show. It only reads files, so one is made: in memory where there is a way."""
    pem = f"{certificate}\n{key}\n".encode()

    def no_passphrase() -> bytes:
        return b""

    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("client"), "wb") as file:
            file.write(pem)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=no_passphrase)
        return
    with tempfile.TemporaryDirectory() as directory:  # of this user alone
        path = Path(directory) / "client.pem"
        path.write_bytes(pem)
        context.load_cert_chain(path, password=no_passphrase)


class TlsStream:
    """A stream inside a stream. Reads and writes like the plain one."""

    def __init__(self, inner: Stream, context: ssl.SSLContext, server_name: str) -> None:
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._server_name = server_name
        try:
            self._tls = context.wrap_bio(
                self._incoming, self._outgoing, server_hostname=server_name
            )
        except ValueError as error:
            raise Fault(
                Failure.UNRUNNABLE, f"{server_name!r} cannot be asked for over TLS: {error}"
            ) from error

    @property
    def version(self) -> str:
        """TLSv1.2 or TLSv1.3."""
        return self._tls.version() or ""

    @property
    def protocol(self) -> str | None:
        """What was agreed on inside TLS (ALPN); None if nothing."""
        return self._tls.selected_alpn_protocol()

    @property
    def cipher(self) -> str:
        """Name of the cipher suite."""
        cipher = self._tls.cipher()
        return cipher[0] if cipher else ""

    def chain(self) -> list[bytes]:
        """The certificates that the peer sent, leaf first, DER; also when they were refused."""
        public = getattr(self._tls, "get_unverified_chain", None)  # from Python 3.13 on
        if public is not None:
            return [bytes(der) for der in public()]
        inner = getattr(self._tls, "_sslobj", None)
        chain = inner.get_unverified_chain() if inner is not None else None
        return [bytes(c.public_bytes(_DER)) for c in chain or ()]

    async def handshake(self) -> None:
        """Agree on a session. Fault if the peer is not trusted, or does not speak TLS."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                await self._feed_handshake()
            except ssl.SSLCertVerificationError as error:
                self._flush()
                raise Fault(
                    Failure.TLS_VERIFY_FAILED,
                    f"the certificate for {self._server_name} is refused: {error.verify_message}",
                ) from error
            except ssl.SSLError as error:
                self._flush()
                raise Fault(Failure.TLS_HANDSHAKE_FAILED, _handshake_detail(error)) from error
            else:
                self._flush()
                return

    async def read(self) -> bytes:
        """What has arrived, at least a byte; empty when the peer has closed."""
        while True:
            try:
                return self._tls.read(_READ_BYTES)
            except ssl.SSLWantReadError:
                # A peer may ask for a new key or session; answers to that leave here.
                self._flush()
                data = await self._inner.read()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                # Many servers close without the closing alert; the message's own length tells a cut.
                return b""
            except ssl.SSLError as error:
                raise _broken_off(error) from error

    def write(self, data: bytes) -> None:
        """Send `data` as soon as the system takes it."""
        left = memoryview(data)
        try:
            while left:  # a call takes one record at most
                left = left[self._tls.write(left) :]
        except ssl.SSLError as error:
            raise _broken_off(error) from error
        self._flush()

    async def drain(self) -> None:
        """Return when the system has taken everything that was written."""
        await self._inner.drain()

    def close(self) -> None:
        """Close now."""
        self._inner.close()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._inner.write(self._outgoing.read())

    async def _feed_handshake(self) -> None:
        try:
            data = await self._inner.read()
        except Fault as fault:
            raise Fault(
                Failure.TLS_HANDSHAKE_FAILED, f"{fault.detail}, in the TLS handshake"
            ) from fault
        if not data:
            raise Fault(
                Failure.TLS_HANDSHAKE_FAILED,
                f"{self._inner.address} closed the connection in the TLS handshake",
            )
        self._incoming.write(data)


def _broken_off(error: ssl.SSLError) -> Fault:
    """An end within TLS. In TLS 1.3 a peer refuses the agent's certificate after the handshake, by an alert."""
    alert = error.reason or ""
    if "ALERT" in alert and any(word in alert for word in _OF_CERTIFICATES):
        said = alert.replace("_", " ").lower()
        return Fault(Failure.TLS_HANDSHAKE_FAILED, f"the target refuses who asks: {said}")
    return Fault(Failure.CONNECTION_LOST, f"TLS broke off: {error.reason or error}")


def _handshake_detail(error: ssl.SSLError) -> str:
    reason = (error.reason or str(error)).replace("_", " ").lower()
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
        return f"the target does not speak TLS on this port ({reason})"
    return f"the TLS handshake failed: {reason}"
