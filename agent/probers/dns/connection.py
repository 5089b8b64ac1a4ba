"""One question over a connection: TCP, TLS (DoT) or HTTPS (DoH), phase by phase.

Connections go to an address that the site's policy has admitted before, and to no other: a DoH server's
redirects are not followed.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from agent.probers.dns.question import Question
from agent.probers.dns.reply import reply_of
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Laps
from agent.probers.network.stream import Stream, connected
from agent.probers.network.tls import TlsPolicy, TlsStream, context_of
from agent.probers.transport.response import Response
from vedette.shared.failure import Failure

_LENGTH_BYTES: Final = 2
_MESSAGE_BYTES_MAX: Final = 65535
_MEDIA_TYPE: Final = b"application/dns-message"
_OK: Final = 200
_ALPN: Final[dict[str, tuple[str, ...]]] = {"tls": ("dot",), "https": ("http/1.1",)}


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to connect to: an admitted address, and what TLS and HTTP have to know of it."""

    address: str
    port: int
    host: str
    policy: TlsPolicy
    path: str = "/dns-query"

    @property
    def where(self) -> str:
        """The address and port, for people."""
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )


@dataclass(slots=True)
class Shown:
    """What a TLS peer showed, also if it was refused."""

    version: str = ""
    cipher: str = ""
    is_verified: bool = False
    chain: tuple[bytes, ...] = ()


def policy_for(policy: TlsPolicy, carrier: str) -> TlsPolicy:
    """`policy` with the protocol that `carrier` speaks inside TLS."""
    return TlsPolicy(verify=policy.verify, ca=policy.ca, alpn=_ALPN[carrier])


@dataclass(frozen=True, slots=True)
class Deadline:
    """When one server must have replied, and the phases that its part of the time is counted in."""

    ends_us: int
    laps: Laps

    @property
    def left_us(self) -> int:
        """Time that is left; 0 when there is none."""
        return max(self.ends_us - self.laps.clock(), 0)

    def end(self, name: str) -> None:
        """The phase `name` ended now."""
        self.laps.end(name, self.laps.clock())

    @asynccontextmanager
    async def phase(self, name: str, late: Failure, what: str) -> AsyncIterator[None]:
        """Time what is inside as `name`; stop it with a fault of kind `late` at the deadline."""
        left_us = self.left_us
        try:
            async with asyncio.timeout(left_us / 1e6):
                yield
        except TimeoutError as error:
            raise Fault(late, f"{what} within {left_us / 1000:.0f} ms") from error
        finally:
            self.end(name)


async def by_connection(
    question: Question, carrier: str, peer: Peer, deadline: Deadline, shown: Shown
) -> bytes:
    """The reply to `question`, readable. Fault if it did not come, or is none."""
    late = f"no connection to {peer.where}"
    async with deadline.phase("connect", Failure.CONNECT_TIMEOUT, late):
        try:
            plain = await connected(
                [peer.address], peer.port, deadline.left_us, deadline.laps.clock
            )
        except Fault as fault:
            if fault.kind is Failure.CONNECT_REFUSED:
                detail = f"nothing listens at {peer.where}"
                raise Fault(Failure.QUERY_REFUSED, detail) from fault
            raise
    stream: Stream | TlsStream = plain
    try:
        if carrier != "tcp":
            stream = await _secured(plain, peer, deadline, shown)
        late = f"{peer.where} did not answer"
        async with deadline.phase("query", Failure.QUERY_TIMEOUT, late):
            if carrier == "https":
                return await _by_http(question, stream, peer)
            return await _by_length(question, stream, peer)
    finally:
        stream.close()


async def _secured(plain: Stream, peer: Peer, deadline: Deadline, shown: Shown) -> TlsStream:
    late = f"{peer.where} did not finish the TLS handshake"
    async with deadline.phase("tls", Failure.TLS_TIMEOUT, late):
        stream = TlsStream(plain, context_of(peer.policy), peer.host)
        try:
            await stream.handshake()
            shown.version, shown.cipher = stream.version, stream.cipher
            shown.is_verified = peer.policy.verify
        finally:
            shown.chain = tuple(stream.chain())
    return stream


async def _by_length(question: Question, stream: Stream | TlsStream, peer: Peer) -> bytes:
    """The exchange of RFC 1035 4.2.2 and RFC 7858: each message behind its length."""
    number = int.from_bytes(os.urandom(2))
    wire = question.wire(number)
    stream.write(len(wire).to_bytes(_LENGTH_BYTES) + wire)
    received = bytearray()
    while len(received) < _LENGTH_BYTES or len(received) < _length(received):
        data = await stream.read()
        if not data:
            what = "within its reply" if received else "before it replied"
            kind = Failure.TRUNCATED if received else Failure.CONNECTION_LOST
            raise Fault(kind, f"{peer.where} closed the connection {what}")
        received += data
    return _checked(question, number, bytes(received[_LENGTH_BYTES : _length(received)]), peer)


def _length(received: bytearray) -> int:
    return _LENGTH_BYTES + int.from_bytes(received[:_LENGTH_BYTES])


async def _by_http(question: Question, stream: Stream | TlsStream, peer: Peer) -> bytes:
    """The exchange of RFC 8484 over HTTP/1.1, under id 0 as it recommends."""
    wire = question.wire(0)
    stream.write(_request(wire, peer))
    response = Response("POST", _MESSAGE_BYTES_MAX)
    while not response.is_complete:
        data = await stream.read()
        if data:
            response.feed(data)
        else:
            response.end()
    media = next((v for n, v in response.headers if n == b"content-type"), b"")
    media = media.partition(b";")[0].strip().lower()
    if response.status != _OK or media != _MEDIA_TYPE or response.body is None:
        kind = media.decode("latin-1")[:60] or "no content type"
        detail = (
            f"{peer.where} answered with HTTP {response.status} and {kind}, not with a DNS message"
        )
        raise Fault(Failure.BAD_REPLY, detail)
    return _checked(question, 0, response.body.content, peer)


def _request(wire: bytes, peer: Peer) -> bytes:
    host = f"[{peer.host}]" if ":" in peer.host else peer.host
    authority = host if peer.port == 443 else f"{host}:{peer.port}"
    head = (
        f"POST {peer.path} HTTP/1.1\r\nHost: {authority}\r\nAccept: {_MEDIA_TYPE.decode()}\r\n"
        f"Content-Type: {_MEDIA_TYPE.decode()}\r\nContent-Length: {len(wire)}\r\n"
        "User-Agent: vedette-agent\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + wire


def _checked(question: Question, number: int, data: bytes, peer: Peer) -> bytes:
    mismatch = question.mismatch(number, data)
    if mismatch is not None:
        raise Fault(Failure.BAD_REPLY, f"{peer.where} replied with {mismatch}")
    reply_of(data, peer.where)
    return data
