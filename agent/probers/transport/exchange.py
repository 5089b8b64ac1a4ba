"""One hop: a request to one origin and its answer, every phase a step of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Laps, Stopwatch
from agent.probers.network.stream import Stream, connected
from agent.probers.network.tls import TlsPolicy, TlsStream, context_of
from agent.probers.transport.response import Response
from vedette.shared.failure import Failure
from vedette.shared.probes import Family


class ByteStream(Protocol):
    """A connection, plain or TLS."""

    async def read(self) -> bytes:
        """What has arrived; empty when the target has closed."""
        ...

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    async def drain(self) -> None:
        """Wait until the system has taken it."""
        ...

    def close(self) -> None:
        """Close."""
        ...


USER_AGENT: Final = "vedette-agent"
"""Who asks, where nobody says more precisely."""


@dataclass(frozen=True, slots=True)
class Wants:
    """What a check demands of every hop."""

    tls: TlsPolicy = field(default_factory=TlsPolicy)
    family: Family = Family.ANY
    server_name: str | None = None
    body_bytes_max: int = 0
    limits_us: Mapping[str, int | None] = field(default_factory=dict)
    user_agent: str = USER_AGENT


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent."""

    method: str
    scheme: str
    host: str
    port: int
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    def head(self) -> bytes:
        """The request line and headers. The connection is for this one request."""
        lines = [f"{self.method} {self.target} HTTP/1.1\r\n".encode("latin-1")]
        lines += [b"%s: %s\r\n" % header for header in self.headers]
        lines.append(b"Connection: close\r\n\r\n")
        return b"".join(lines)


@dataclass(slots=True)
class Hop:
    """What one hop showed, as far as it came. `fault` is set where it was not completed."""

    url: str
    addr: str | None = None
    phases_us: dict[str, int] = field(default_factory=dict)
    response: Response | None = None
    tls_version: str = ""
    tls_cipher: str = ""
    tls_verified: bool = False
    chain: list[bytes] = field(default_factory=list)
    fault: Fault | None = None

    @property
    def is_tls(self) -> bool:
        """Something of TLS was seen."""
        return bool(self.tls_version or self.chain)


async def exchange(
    request: Request, hop: Hop, wants: Wants, admission: Admission, watch: Stopwatch
) -> Response:
    """Send `request` over a new connection and give its complete response; `hop` learns each step.

    Fault, also kept in `hop`, if it could not be completed.
    """
    laps = Laps(watch, wants.limits_us)
    hop.phases_us = laps.phases_us
    stream: ByteStream | None = None
    try:
        plain = await _opened(request, hop, wants, admission, laps)
        stream = plain
        if request.scheme == "https":
            stream = await _secured(plain, request, hop, wants, laps)
        await _sent(stream, request, laps)
        return await _answered(stream, request, hop, wants, laps)
    except Fault as fault:
        hop.fault = fault
        raise
    finally:
        if stream is not None:
            stream.close()


async def _opened(
    request: Request, hop: Hop, wants: Wants, admission: Admission, laps: Laps
) -> Stream:
    late = f"{request.host} was not resolved"
    async with laps.phase("resolve", Failure.RESOLVE_TIMEOUT, late):
        addresses = await admission.addresses(request.host, wants.family, laps.left_us("resolve"))
    late = f"no connection to {request.host} port {request.port}"
    hop.addr = addresses[0]
    async with laps.phase("connect", Failure.CONNECT_TIMEOUT, late):
        stream = await connected(addresses, request.port, laps.left_us("connect"), laps.clock)
    hop.addr = stream.address
    return stream


async def _secured(
    plain: Stream, request: Request, hop: Hop, wants: Wants, laps: Laps
) -> TlsStream:
    server_name = wants.server_name or request.host
    async with laps.phase(
        "tls", Failure.TLS_TIMEOUT, f"{plain.address} did not finish the TLS handshake"
    ):
        stream = TlsStream(plain, context_of(wants.tls), server_name)
        try:
            await stream.handshake()
            hop.tls_verified = wants.tls.verify
            hop.tls_version, hop.tls_cipher = stream.version, stream.cipher
        finally:
            hop.chain = stream.chain()  # also the one that was refused
    return stream


async def _sent(stream: ByteStream, request: Request, laps: Laps) -> None:
    async with laps.phase("send", Failure.SEND_TIMEOUT, "the target did not take the request"):
        stream.write(request.head() + request.body)
        await stream.drain()


async def _answered(
    stream: ByteStream, request: Request, hop: Hop, wants: Wants, laps: Laps
) -> Response:
    response = Response(request.method, wants.body_bytes_max)
    hop.response = response
    async with laps.phase(
        "first_byte", Failure.FIRST_BYTE_TIMEOUT, f"{hop.addr} did not begin to answer"
    ):
        data = await stream.read()
    if not data:
        response.end()
    async with laps.phase(
        "transfer", Failure.TRANSFER_TIMEOUT, f"{hop.addr} did not complete its answer"
    ):
        if data:
            response.feed(data)
        while not response.is_complete:
            data = await stream.read()
            if data:
                response.feed(data)
            else:
                response.end()
    return response
