"""httpx in front of our transport: requests, redirects and cookies are its, connections are ours.

The only module that knows httpx.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Stopwatch
from agent.probers.transport.exchange import Hop, Request, Wants, exchange
from agent.probers.transport.inflate import ACCEPTED
from vedette.shared.failure import Failure
from vedette.shared.probes import SCHEMES, HttpProbe, Redirects, host_problem

_PORTS = {"http": 80, "https": 443}
_HEADERS = {"Accept": "*/*", "Accept-Encoding": ACCEPTED}
_DROPPED = frozenset({b"connection"})


class _NoBody(httpx.AsyncByteStream):
    """The body is read by the exchange, bounded; httpx never sees it."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        empty: tuple[bytes, ...] = ()
        for part in empty:
            yield part


@dataclass(slots=True)
class _Transport(httpx.AsyncBaseTransport):
    """Sends each request of one probe over a connection of its own and records it as a hop."""

    wants: Wants
    admission: Admission
    watch: Stopwatch
    hops: list[Hop] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        hop = Hop(url=str(request.url))
        self.hops.append(hop)
        try:
            sent = await _as_sent(request, is_redirect=len(self.hops) > 1)
        except Fault as fault:
            hop.fault = fault
            raise
        response = await exchange(sent, hop, self.wants, self.admission, self.watch)
        return httpx.Response(response.status, headers=response.headers, stream=_NoBody())


async def fetched(
    probe: HttpProbe, wants: Wants, admission: Admission, watch: Stopwatch
) -> tuple[list[Hop], Fault | None]:
    """Every hop of the request that `probe` describes, and why the last one is not the end, if so."""
    transport = _Transport(wants, admission, watch)
    headers = {"User-Agent": wants.user_agent, **_HEADERS}
    client = httpx.AsyncClient(transport=transport, trust_env=False, headers=headers)
    try:
        await _followed(client, probe)
    except Fault as fault:
        return transport.hops, fault
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.RemoteProtocolError) as error:
        return transport.hops, _address_fault(error, transport.hops, probe.redirects)
    return transport.hops, None


async def _followed(client: httpx.AsyncClient, probe: HttpProbe) -> None:
    """Send the request and follow as many redirects as the probe allows. Fault if there are more."""
    request: httpx.Request | None = client.build_request(
        probe.method,
        probe.full_url,
        headers=probe.headers,
        content=None if probe.body is None else probe.body.encode(),
    )
    for _ in range(probe.redirects.max + 1):
        assert request is not None
        response = await client.send(request, stream=True, follow_redirects=False)
        request = response.next_request if probe.redirects.follow else None
        if request is None:
            return
    raise Fault(
        Failure.TOO_MANY_REDIRECTS,
        f"a redirect follows after {probe.redirects.max} redirects",
    )


def _address_fault(error: Exception, hops: list[Hop], redirects: Redirects) -> Fault | None:
    """What an address that httpx refuses means: of the check itself, or of a redirect that was to be followed."""
    if not hops:
        return Fault(Failure.UNRUNNABLE, f"the check's url cannot be requested: {error}")
    if not redirects.follow:
        return None
    return Fault(Failure.BAD_REDIRECT, f"the redirect leads nowhere: {error}")


async def _as_sent(request: httpx.Request, *, is_redirect: bool) -> Request:
    url = request.url
    host = url.raw_host.decode("ascii")
    kind = Failure.BAD_REDIRECT if is_redirect else Failure.UNRUNNABLE
    if url.scheme not in SCHEMES:
        raise Fault(kind, f"the address begins with {url.scheme}:, and only http and https work")
    if not host or host_problem(host):
        raise Fault(kind, f"the address has no host to ask: {host!r}")
    return Request(
        method=request.method,
        scheme=url.scheme,
        host=host,
        port=url.port or _PORTS[url.scheme],
        target=url.raw_path.decode("latin-1"),
        headers=tuple((n, v) for n, v in request.headers.raw if n.lower() not in _DROPPED),
        body=await request.aread(),
    )
