"""Names to addresses by name servers that a check chooses, over UDP and, for large answers, TCP."""

import asyncio
import socket
from collections.abc import Sequence

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from agent.probers.network.fault import Fault, fault_of
from vedette.shared.failure import Failure
from vedette.shared.limits import ADDRESSES_MAX
from vedette.shared.probes import Family

_TYPES = {
    Family.ANY: (dns.rdatatype.A, dns.rdatatype.AAAA),
    Family.IPV4: (dns.rdatatype.A,),
    Family.IPV6: (dns.rdatatype.AAAA,),
}
_PAYLOAD_BYTES = 1232


async def queried(
    host: str, family: Family, servers: Sequence[tuple[str, int]], timeout_us: int
) -> list[str]:
    """The addresses of `host`, IPv4 first, from the first of `servers` that answers.

    Each server gets an even share of the time. Fault of the last one if none answers.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + timeout_us / 1e6
    fault: Fault | None = None
    for place, server in enumerate(servers):
        share = max(ends - loop.time(), 0) / (len(servers) - place)
        try:
            return await _asked(host, family, server, share)
        except Fault as error:
            if error.kind is Failure.RESOLVE_NOT_FOUND:
                raise
            if fault is None or not error.kind.is_agent_fault:
                fault = error
    assert fault is not None
    raise fault


async def _asked(host: str, family: Family, server: tuple[str, int], seconds: float) -> list[str]:
    address, port = server
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_addresses(host, kind, address, port)) for kind in _TYPES[family]
            ]
    except TimeoutError as error:
        said = f"the name server {where} did not answer within {seconds * 1000:.0f} ms"
        raise Fault(Failure.RESOLVE_TIMEOUT, said) from error
    except BaseExceptionGroup as errors:
        raise _fault_of(errors, host, where) from errors
    found = list(dict.fromkeys(address for task in tasks for address in task.result()))
    if not found:
        raise Fault(Failure.RESOLVE_NOT_FOUND, f"{host} has no such address, says {where}")
    return found[:ADDRESSES_MAX]


async def _addresses(host: str, kind: dns.rdatatype.RdataType, server: str, port: int) -> list[str]:
    query = dns.message.make_query(host, kind, use_edns=0, payload=_PAYLOAD_BYTES)
    reply = await _replied(query, server, port)
    rcode = reply.rcode()
    if rcode == dns.rcode.NXDOMAIN:
        raise Fault(Failure.RESOLVE_NOT_FOUND, f"{host} does not exist")
    if rcode != dns.rcode.NOERROR:
        raise Fault(Failure.RESOLVE_FAILED, f"{host} could not be resolved: {rcode.name}")
    assert isinstance(reply, dns.message.QueryMessage)
    answer = reply.resolve_chaining().answer
    return [str(record.address) for record in answer or ()]


async def _replied(query: dns.message.QueryMessage, server: str, port: int) -> dns.message.Message:
    """The reply by a connected socket, so that the system reports a closed port and drops strangers' replies."""
    backend = dns.asyncbackend.get_backend("asyncio")
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    sock = await backend.make_socket(  # type: ignore[no-untyped-call] # dnspython's backends have no types
        family, socket.SOCK_DGRAM, 0, None, (server, port), None
    )
    try:
        async with sock:
            return await dns.asyncquery.udp(
                query, server, port=port, sock=sock, raise_on_truncation=True, ignore_errors=True
            )
    except dns.message.Truncated:
        return await dns.asyncquery.tcp(query, server, port=port, backend=backend)


def _fault_of(errors: BaseExceptionGroup, host: str, where: str) -> Fault:
    """What the first error means. One that no name server causes goes on as it is."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, Fault):
        return error
    if isinstance(error, ConnectionRefusedError):
        return Fault(Failure.RESOLVE_FAILED, f"no name server listens at {where}")
    if isinstance(error, OSError):
        return fault_of(error, where)
    if isinstance(error, dns.exception.DNSException | EOFError | ValueError):
        said = f"the reply of {where} for {host} cannot be read: {type(error).__name__}"
        return Fault(Failure.RESOLVE_FAILED, said)
    raise error
