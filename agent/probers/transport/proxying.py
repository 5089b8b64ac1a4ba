"""The way through a proxy: a connection to it, and for TLS a tunnel that it opens (RFC 9110, 9.3.6).

The site's policy judges the proxy's address, as every other. The target's name is resolved by the proxy, so
only a target that is written as an address can be judged here; what else lies behind a proxy is up to the
proxy. A site decides by admitting a proxy: one in its own network has to be allowed by name of its
network, and one outside does not reach into the site.
"""

from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stream import Stream, connected
from agent.probers.transport.answer import Answer
from agent.probers.transport.response import Response
from agent.probers.transport.steps import Steps
from agent.probers.transport.wants import Hop, Proxy, Request, Wants
from vedette.shared.failure import Failure

_CANNOT_REACH = frozenset({500, 502, 503, 504})
_PROXY_AUTHENTICATION = 407
_CLOSED = frozenset({Failure.CONNECTION_LOST, Failure.SEND_TIMEOUT})


async def opened_by_proxy(
    request: Request, hop: Hop, wants: Wants, admission: Admission, steps: Steps
) -> Stream:
    """A connection on which the target can be spoken to: through the proxy, or to it for a plain request.

    Faults towards the proxy itself are the agent's: they say nothing about the target.
    """
    proxy = wants.proxy
    assert proxy is not None
    admission.demand_literal(request.host)
    steps.begin("resolve", Failure.PROXY_FAILED, f"the proxy {proxy.where} was not resolved")
    try:
        addresses = await admission.addresses(
            proxy.host, wants.family, steps.left_us, port=proxy.port, servers=wants.resolver
        )
        steps.end()
        hop.addr = addresses[0]
        steps.begin("connect", Failure.PROXY_FAILED, f"no connection to the proxy {proxy.where}")
        stream = await connected(addresses, proxy.port, steps.left_us, steps.clock)
    except Fault as fault:
        raise _of_proxy(fault) from fault
    hop.addr = stream.address
    if request.scheme == "https":
        what = f"the proxy {proxy.where} opened no way to {request.authority}"
        steps.now(Failure.CONNECT_TIMEOUT, what)
        try:
            await _tunnel(stream, request, proxy)
        except BaseException:
            stream.close()
            raise
    steps.end()
    return stream


async def _tunnel(stream: Stream, request: Request, proxy: Proxy) -> None:
    """Have the proxy open a way to the target. Fault if it does not."""
    lines = [
        f"CONNECT {request.authority} HTTP/1.1",
        f"Host: {request.authority}",
    ]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    response = Response("CONNECT", 0)
    try:
        stream.write("\r\n".join([*lines, "\r\n"]).encode("latin-1"))
        await stream.drain()
        while not response.is_complete:
            data = await stream.read()
            if data:
                response.feed(data)
            else:
                response.end()
    except Fault as fault:
        raise _of_proxy(fault) from fault
    if 200 <= response.status < 300:
        return
    said = f"the proxy {proxy.where} answers {response.status} to CONNECT {request.authority}"
    is_target = response.status in _CANNOT_REACH
    raise Fault(Failure.UNREACHABLE if is_target else Failure.PROXY_FAILED, said)


def demand_passed(answer: Answer, proxy: Proxy) -> None:
    """Fault if a plain answer is the proxy's own refusal: 407 is said by nobody else (RFC 9110, 15.5.8)."""
    if answer.status == _PROXY_AUTHENTICATION:
        said = f"the proxy {proxy.where} answers {answer.status}: it wants to know who asks"
        raise Fault(Failure.PROXY_FAILED, said)


def unanswered_by(proxy: Proxy, fault: Fault, hop: Hop) -> Fault:
    """What a plain request means that no answer came to: the connection was the proxy's, and it closed it."""
    is_answered = hop.response is not None and hop.response.status
    if fault.kind in _CLOSED and not is_answered:
        return Fault(Failure.PROXY_FAILED, f"the proxy {proxy.where} failed: {fault.detail}")
    return fault


def _of_proxy(fault: Fault) -> Fault:
    if fault.kind.is_agent_fault:
        return fault
    return Fault(Failure.PROXY_FAILED, f"the proxy failed: {fault.detail}")
