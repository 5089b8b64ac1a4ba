"""Names to addresses by name servers that a check chooses, over UDP and, for large answers, TCP."""

import asyncio
from collections.abc import Sequence

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from agent.probers.network.fault import Fault, fault_of
from agent.probers.network.name_reply import NameReply
from vedette.shared.failure import Failure
from vedette.shared.limits import ADDRESSES_MAX
from vedette.shared.probes import Family

_TYPES = {
    Family.ANY: (dns.rdatatype.A, dns.rdatatype.AAAA),
    Family.IPV4: (dns.rdatatype.A,),
    Family.IPV6: (dns.rdatatype.AAAA,),
}
_PAYLOAD_BYTES = 1232
_MARGIN_US = 200_000


async def queried(
    host: str, family: Family, servers: Sequence[tuple[str, int]], timeout_us: int
) -> list[str]:
    """The addresses of `host`, IPv4 first, from the first of `servers` that answers.

    Each server gets an even share of the time. Fault of the last one if none answers.
    """
    loop = asyncio.get_running_loop()
    # A little earlier than whoever asked gives up: here is known what came instead of an answer.
    ends = loop.time() + (timeout_us - min(timeout_us // 10, _MARGIN_US)) / 1e6
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
    replies = [
        NameReply(
            dns.message.make_query(host, kind, use_edns=0, payload=_PAYLOAD_BYTES), address, port
        )
        for kind in _TYPES[family]
    ]
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            tasks = [group.create_task(_addresses(host, reply)) for reply in replies]
    except TimeoutError as error:
        raise _silence(replies, f"the name server {where}", seconds) from error
    except BaseExceptionGroup as errors:
        raise _fault_of(errors, host, where) from errors
    found = list(dict.fromkeys(address for task in tasks for address in task.result()))
    if not found:
        raise Fault(Failure.RESOLVE_NOT_FOUND, f"{host} has no such address, says {where}")
    return found[:ADDRESSES_MAX]


async def _addresses(host: str, reply: NameReply) -> list[str]:
    message = await reply.message()
    rcode = message.rcode()
    if rcode == dns.rcode.NXDOMAIN:
        raise Fault(Failure.RESOLVE_NOT_FOUND, f"{host} does not exist")
    if rcode != dns.rcode.NOERROR:
        raise Fault(Failure.RESOLVE_FAILED, f"{host} could not be resolved: {rcode.name}")
    answer = message.resolve_chaining().answer
    return [str(record.address) for record in answer or ()]


def _silence(replies: Sequence[NameReply], who: str, seconds: float) -> Fault:
    """Nothing that is a reply came in time. What had our id and cannot be read is the server's own failure."""
    unreadable = next((reply.unreadable for reply in replies if reply.unreadable), None)
    if unreadable is not None:
        return Fault(Failure.RESOLVE_FAILED, f"{who} speaks badly: {unreadable}")
    said = f"{who} did not answer within {seconds * 1000:.0f} ms"
    instead = next((reply.instead for reply in replies if reply.instead), None)
    return Fault(
        Failure.RESOLVE_TIMEOUT, f"{said}; what came instead: {instead}" if instead else said
    )


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
    if isinstance(error, EOFError):
        said = f"the name server {where} closed the connection before it replied"
        return Fault(Failure.RESOLVE_FAILED, said)
    if isinstance(error, dns.exception.DNSException | ValueError):
        said = f"the reply of {where} for {host} leads nowhere: {type(error).__name__}"
        return Fault(Failure.RESOLVE_FAILED, said)
    raise error
