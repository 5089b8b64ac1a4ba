"""Requests and redirects: what is asked first, and what httpx makes of the answers.

Besides the table of faults, the only module that knows httpx. Its client is there only once an answer is a redirect, for what is easy to
get wrong: joining addresses, what becomes of the method, which headers stay behind, cookies.
"""

import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from agent.probers.http_faults import ERRORS, foreseen
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Stopwatch
from agent.probers.transport.answer import Answer
from agent.probers.transport.exchange import exchange
from agent.probers.transport.wants import Hop, Request, Resolved, Wants
from vedette.shared.failure import Failure
from vedette.shared.probes import SCHEMES, host_problem

REFUSALS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
# What a cookie of a hostile target makes the standard library's jar stumble over, it drops, and tells stderr of it.
warnings.filterwarnings("ignore", message="http.cookiejar bug!", category=UserWarning)
_PORTS = {"http": 80, "https": 443}
_PORT_MAX = 65535
_HARMLESS = frozenset({
    "accept", "accept-encoding", "accept-language", "content-length", "content-type", "cookie", "host",
    "user-agent",
})  # fmt: skip
_DROPPED = frozenset({b"connection"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a check has it. `redirects_max` is None where none are followed."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    redirects_max: int | None = None
    compression: str | None = None

    def request(self, authorization: str | None = None) -> httpx.Request:
        """The same for httpx, with a header Authorization if one is given."""
        headers = list(self.headers)
        if authorization is not None:
            headers.append(("Authorization", authorization))
        return httpx.Request(self.method, self.url, headers=headers, content=self.body)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far and how long a run may go: admitted addresses, the deadline, and whom of a name to ask."""

    wants: Wants
    admission: Admission
    watch: Stopwatch
    resolved: Resolved | None = None


def prepared(asked: Asked) -> Request:
    """The bytes' worth of a request. Fault if the check's address cannot be requested."""
    try:
        return _as_sent(asked.request(), Failure.UNRUNNABLE)
    except (*REFUSALS, TypeError, ValueError) as error:
        said = f"the check's url cannot be requested: {error}"
        raise Fault(Failure.UNRUNNABLE, said) from error


async def fetched(
    asked: Asked, first: Request, reach: Reach, authorization: str | None = None
) -> tuple[list[Hop], Fault | None]:
    """Every hop of a request, and why the last one is not the end, if so."""
    if authorization is not None:
        name_and_value = (b"Authorization", authorization.encode("latin-1"))
        first = _with_header(first, name_and_value)
    hop = Hop(asked.url)
    hops = [hop]
    try:
        answer = await exchange(
            first, hop, reach.wants, reach.admission, reach.watch, reach.resolved
        )
        if asked.redirects_max is not None and answer.location:
            await _follow(asked.request(authorization), asked.redirects_max, answer, hops, reach)
        final = hops[-1].response
        if asked.compression is not None and final is not None:
            final.demand(asked.compression)
    except Fault as fault:
        return hops, fault
    except REFUSALS as error:
        return hops, Fault(Failure.BAD_REDIRECT, f"the redirect leads nowhere: {error}")
    except ERRORS as error:
        return hops, foreseen(error, hops[-1].addr or first.host)
    return hops, None


async def _follow(
    request: httpx.Request, most: int, answer: Answer, hops: list[Hop], reach: Reach
) -> None:
    """Go where `answer`, and what follows it, redirects to. Fault if it goes on after `most` times."""
    transport = _Transport(reach, answer, hops)
    client = httpx.AsyncClient(transport=transport, trust_env=False)
    following: httpx.Request | None = request
    for _ in range(most + 1):
        assert following is not None
        response = await client.send(following, stream=True, follow_redirects=False)
        following = response.next_request
        if following is None:
            return
        if following.url.host != request.url.host:
            _leave_behind(following)
    raise Fault(Failure.TOO_MANY_REDIRECTS, f"a redirect follows after {most} redirects")


def _leave_behind(request: httpx.Request) -> None:
    """Another host learns nothing that the check says to its own: headers may hold a key under any name."""
    for name in [name for name in request.headers if name not in _HARMLESS]:
        del request.headers[name]


class _NoBody(httpx.AsyncByteStream):
    """The body is read by the exchange, bounded; httpx never sees it."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        empty: tuple[bytes, ...] = ()
        for part in empty:
            yield part


@dataclass(slots=True)
class _Transport(httpx.AsyncBaseTransport):
    """Sends each request but the first, which was answered, over a connection of its own."""

    reach: Reach
    first: Answer | None
    hops: list[Hop] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer, self.first = self.first, None
        if answer is None:
            hop = Hop(str(request.url))
            self.hops.append(hop)
            body = await request.aread()
            try:
                sent = _as_sent(request, Failure.BAD_REDIRECT, body)
            except Fault as fault:
                hop.fault = fault
                raise
            reach = self.reach
            answer = await exchange(sent, hop, reach.wants, reach.admission, reach.watch)
        return httpx.Response(answer.status, headers=answer.headers, stream=_NoBody())


def _as_sent(request: httpx.Request, kind: Failure, body: bytes | None = None) -> Request:
    url = request.url
    host = url.raw_host.decode("ascii")
    if url.scheme not in SCHEMES:
        raise Fault(kind, f"the address begins with {url.scheme}:, and only http and https work")
    if not host or host_problem(host):
        raise Fault(kind, f"the address has no host to ask: {host!r}")
    port = _PORTS[url.scheme] if url.port is None else url.port
    if not 1 <= port <= _PORT_MAX:
        raise Fault(kind, f"the address has no port from 1 to {_PORT_MAX}: {port}")
    return Request(
        method=request.method,
        scheme=url.scheme,
        host=host,
        port=port,
        target=url.raw_path.decode("latin-1"),
        headers=tuple((n, v) for n, v in request.headers.raw if n.lower() not in _DROPPED),
        body=request.content if body is None else body,
    )


def _with_header(request: Request, header: tuple[bytes, bytes]) -> Request:
    return Request(
        method=request.method,
        scheme=request.scheme,
        host=request.host,
        port=request.port,
        target=request.target,
        headers=(*request.headers, header),
        body=request.body,
    )
