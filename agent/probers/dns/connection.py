"""One question over a connection: TCP, TLS (DoT) or HTTPS (DoH), phase by phase.

Connections go to an address that the site's policy has admitted before, and to no other: a DoH server's
redirects are not followed.
"""

import os
from dataclasses import dataclass
from typing import Final

from agent.probers.dns.question import Question
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.handshake import Shown, TlsWants, secured
from agent.probers.network.stopwatch import Stopwatch
from agent.probers.network.stream import Stream, connected
from agent.probers.network.tls import TlsStream, ready
from agent.probers.transport.exchange import exchange
from agent.probers.transport.steps import Steps
from agent.probers.transport.wants import Hop, Request, Resolved, Trust, Wants
from vedette.shared.failure import Failure

PHASES: Final = ("connect", "tls", "query")

_LENGTH_BYTES: Final = 2
_MESSAGE_BYTES_MAX: Final = 65535
_MEDIA_TYPE: Final = b"application/dns-message"
_HTTPS_PORT: Final = 443
_OK: Final = 200
_LATE: Final = frozenset({
    Failure.SEND_TIMEOUT, Failure.FIRST_BYTE_TIMEOUT, Failure.TRANSFER_TIMEOUT,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to connect to: an admitted address, and what TLS and HTTP have to know of it."""

    address: str
    port: int
    host: str
    tls: TlsWants
    path: str

    @property
    def where(self) -> str:
        """The address and port, for people."""
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )


async def by_connection(
    question: Question, carrier: str, peer: Peer, watch: Stopwatch, shown: Shown
) -> tuple[bytes | Fault, dict[str, int]]:
    """(the bytes of the reply to `question`, not yet read, or why there is none; the phases that were reached)."""
    if carrier == "https":
        return await _by_https(question, peer, watch, shown)
    return await _by_stream(question, carrier, peer, watch, shown)


async def _by_stream(
    question: Question, carrier: str, peer: Peer, watch: Stopwatch, shown: Shown
) -> tuple[bytes | Fault, dict[str, int]]:
    stream: Stream | TlsStream | None = None
    phases_us: dict[str, int] = {}
    try:
        if carrier == "tls":
            begun_us = watch.clock()
            await ready(peer.tls.policy)
            watch.begin_later(begun_us)
        steps = Steps(watch)
        phases_us = steps.phases_us
        async with steps:
            steps.begin("connect", Failure.CONNECT_TIMEOUT, f"no connection to {peer.where}")
            stream = plain = await connected([peer.address], peer.port, steps.left_us, steps.clock)
            steps.end()
            if carrier == "tls":
                late = f"{peer.where} did not finish the TLS handshake"
                steps.begin("tls", Failure.TLS_TIMEOUT, late)
                stream = await secured(plain, peer.tls, shown)
                steps.end()
            steps.begin("query", Failure.QUERY_TIMEOUT, f"{peer.where} did not answer")
            data = await _by_length(question, stream, peer)
            steps.end()
            return data, phases_us
    except Fault as fault:
        return _told(fault, peer), phases_us
    finally:
        if stream is not None:
            stream.close()


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


async def _by_https(
    question: Question, peer: Peer, watch: Stopwatch, shown: Shown
) -> tuple[bytes | Fault, dict[str, int]]:
    """The exchange of RFC 8484 by POST, under id 0 as it recommends, over HTTP/2 or HTTP/1.1."""
    hop = Hop(url=peer.path)
    trust = Trust(peer.tls.policy, peer.tls.server_name, peer.tls.pins)
    wants = Wants(tls=trust, version="auto", body_bytes_max=_MESSAGE_BYTES_MAX)
    pinned = Resolved((peer.address,), 0)
    found: bytes | Fault
    try:
        await exchange(_request(question, peer), hop, wants, Admission(), watch, pinned)
        found = _message_in(question, hop, peer)
    except Fault as fault:
        found = _told(fault, peer)
    shown.version, shown.cipher = hop.tls_version, hop.tls_cipher
    shown.is_verified, shown.chain = hop.tls_verified, tuple(hop.chain)
    phases_us = {name: us for name, us in hop.phases_us.items() if name in PHASES}
    inner = [us for name, us in hop.phases_us.items() if name not in (*PHASES, "resolve")]
    return found, phases_us | ({"query": sum(inner)} if inner else {})


def _request(question: Question, peer: Peer) -> Request:
    host = f"[{peer.host}]" if ":" in peer.host else peer.host
    authority = host if peer.port == _HTTPS_PORT else f"{host}:{peer.port}"
    body = question.wire(0)
    headers = (
        (b"Host", authority.encode()),
        (b"User-Agent", b"vedette-agent"),
        (b"Accept", _MEDIA_TYPE),
        (b"Content-Type", _MEDIA_TYPE),
        (b"Content-Length", str(len(body)).encode()),
    )
    return Request("POST", "https", peer.host, peer.port, peer.path, headers, body)


def _message_in(question: Question, hop: Hop, peer: Peer) -> bytes:
    answer = hop.response
    assert answer is not None, "the exchange was completed"
    assert answer.body is not None, "the exchange was completed"
    media = answer.header(b"content-type").partition(b";")[0].strip().lower()
    if answer.status != _OK or media != _MEDIA_TYPE:
        kind = media.decode("latin-1")[:60] or "no content type"
        detail = (
            f"{peer.where} answered with HTTP {answer.status} and {kind}, not with a DNS message"
        )
        raise Fault(Failure.BAD_REPLY, detail)
    return _checked(question, 0, answer.body.content, peer)


def _checked(question: Question, number: int, data: bytes, peer: Peer) -> bytes:
    mismatch = question.mismatch(number, data)
    if mismatch is not None:
        raise Fault(Failure.BAD_REPLY, f"{peer.where} replied with {mismatch}")
    return data


def _told(fault: Fault, peer: Peer) -> Fault:
    """`fault` in the words of DNS, where it is about the question and not about the way to the server."""
    if fault.kind is Failure.CONNECT_REFUSED:
        return Fault(Failure.QUERY_REFUSED, f"nothing listens at {peer.where}")
    if fault.kind in _LATE:
        return Fault(Failure.QUERY_TIMEOUT, fault.detail)
    return fault
