"""One hop: a request to one origin and its answer, every phase a step of its own."""

import asyncio
from contextlib import suppress

from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.pins import demand_pin
from agent.probers.network.stopwatch import Stopwatch
from agent.probers.network.stream import Stream, connected
from agent.probers.network.tls import TlsStream, context_of, ready
from agent.probers.transport.answer import Answer
from agent.probers.transport.byte_stream import ByteStream
from agent.probers.transport.http2 import exchanged as exchanged_http2
from agent.probers.transport.proxying import demand_passed, opened_by_proxy, unanswered_by
from agent.probers.transport.response import Response
from agent.probers.transport.steps import Steps
from agent.probers.transport.wants import Hop, Request, Resolved, Wants
from vedette.shared.failure import Failure
from vedette.shared.limits import FEED_SLICE_BYTES


async def exchange(
    request: Request,
    hop: Hop,
    wants: Wants,
    admission: Admission,
    watch: Stopwatch,
    resolved: Resolved | None = None,
) -> Answer:
    """Send `request` over a new connection and give its complete answer; `hop` learns each step.

    Fault, also kept in `hop`, if it could not be completed.
    """
    stream: ByteStream | None = None
    try:
        if request.scheme == "https":
            begun_us = watch.clock()
            await ready(wants.trust_of(request.host).policy)
            watch.begin_later(begun_us)
        steps = Steps(watch, wants.limits_us)
        hop.phases_us = steps.phases_us
        async with steps:
            if wants.proxy is not None:
                plain = await opened_by_proxy(request, hop, wants, admission, steps)
            else:
                plain = await _opened(request, hop, wants, admission, steps, resolved)
            stream = plain
            protocol = "h2" if wants.version == "HTTP/2" else "http/1.1"
            if request.scheme == "https":
                stream = tls = await _secured(plain, request, hop, wants, steps)
                protocol = _agreed(tls.protocol, wants)
            if protocol == "h2":
                return await exchanged_http2(stream, request, hop, wants, steps)
            answer = await _exchanged(stream, request, hop, wants, steps)
            if wants.proxy is not None and request.scheme == "http":
                demand_passed(answer, wants.proxy)
            return answer
    except Fault as fault:
        hop.fault = _cut(fault, hop)
        if wants.proxy is not None and request.scheme == "http":
            hop.fault = unanswered_by(wants.proxy, hop.fault, hop)
        raise hop.fault from fault.__cause__
    finally:
        if stream is not None:
            stream.close()


def _cut(fault: Fault, hop: Hop) -> Fault:
    """A connection that is lost after the headers of the answer leaves it truncated."""
    is_begun = hop.response is not None and hop.response.body is not None
    if fault.kind is Failure.CONNECTION_LOST and is_begun:
        return Fault(Failure.TRUNCATED, f"{fault.detail}, within the answer")
    return fault


async def _opened(
    request: Request,
    hop: Hop,
    wants: Wants,
    admission: Admission,
    steps: Steps,
    resolved: Resolved | None,
) -> Stream:
    if resolved is None:
        steps.begin("resolve", Failure.RESOLVE_TIMEOUT, f"{request.host} was not resolved")
        addresses = await admission.addresses(
            request.host,
            wants.family,
            steps.left_us,
            port=request.port,
            servers=wants.resolver,
        )
        steps.end()
    else:
        addresses = resolved.addresses
        steps.phases_us["resolve"] = resolved.took_us
    hop.addr = addresses[0]
    what = f"no connection to {request.host} port {request.port}"
    steps.begin("connect", Failure.CONNECT_TIMEOUT, what)
    stream = await connected(addresses, request.port, steps.left_us, steps.clock)
    steps.end()
    hop.addr = stream.address
    return stream


async def _secured(
    plain: Stream, request: Request, hop: Hop, wants: Wants, steps: Steps
) -> TlsStream:
    trust = wants.trust_of(request.host)
    stream: TlsStream | None = None
    what = f"{hop.addr} did not finish the TLS handshake"
    steps.begin("tls", Failure.TLS_TIMEOUT, what)
    try:
        stream = TlsStream(plain, context_of(trust.policy), trust.server_name or request.host)
        await stream.handshake()
        hop.tls_verified = trust.policy.verify
        hop.tls_version, hop.tls_cipher = stream.version, stream.cipher
        hop.chain = stream.chain()
        demand_pin(hop.chain, trust.pins)
    except BaseException:
        plain.close()
        if stream is not None:
            hop.chain = stream.chain()  # also the one that was refused
        raise
    steps.end()
    return stream


def _agreed(protocol: str | None, wants: Wants) -> str:
    """The protocol that was agreed on over TLS. Fault if it is not one that the check wants."""
    if wants.version == "HTTP/2" and protocol != "h2":
        raise Fault(Failure.PROTOCOL_ERROR, "the target does not offer HTTP/2 over TLS")
    return protocol or "http/1.1"


async def _exchanged(
    stream: ByteStream, request: Request, hop: Hop, wants: Wants, steps: Steps
) -> Response:
    steps.begin("send", Failure.SEND_TIMEOUT, "the target did not take the request")
    is_plain = request.scheme == "http"
    stream.write(request.head(wants.proxy if is_plain else None) + request.body)
    with suppress(Fault):  # an answer that came before the request was taken is read first
        await stream.drain()
    steps.end()
    response = Response(request.method, wants.body_bytes_max)
    hop.response = response
    steps.begin("first_byte", Failure.FIRST_BYTE_TIMEOUT, f"{hop.addr} did not begin to answer")
    data = await stream.read()
    steps.end()
    if not data:
        response.end()
    steps.begin("transfer", Failure.TRANSFER_TIMEOUT, f"{hop.addr} did not complete its answer")
    if data:
        await _fed(response, data)
    while not response.is_complete:
        data = await stream.read()
        if data:
            await _fed(response, data)
        else:
            response.end()
    steps.end()
    return response


async def _fed(response: Response, data: bytes) -> None:
    """Give `response` what arrived, in slices: small chunks take long, and others must run in between."""
    if len(data) <= FEED_SLICE_BYTES:
        response.feed(data)
        return
    for start in range(0, len(data), FEED_SLICE_BYTES):
        response.feed(data[start : start + FEED_SLICE_BYTES])
        if response.is_complete:
            return
        await asyncio.sleep(0)
