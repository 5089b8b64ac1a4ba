"""DNS probes: one question to chosen name servers or the site's own, by dnspython."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

import dns.asyncbackend
import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdataclass
import dns.rdatatype
import dns.resolver

from agent.ports import Observation
from agent.probers.dns_observation import facts_of, variables_of
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault, fault_of
from agent.probers.network.stopwatch import Laps, Microseconds, Stopwatch, monotonic_us
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.probes import DnsProbe, Family

_PAYLOAD_BYTES = 1232


@dataclass(slots=True)
class Asked:
    """What became of the question: the last server asked, its reply, and how it came."""

    server: str | None = None
    addr: str | None = None
    transport: str = "udp"
    is_retried: bool = False
    reply: dns.message.Message | None = None
    tried: int = 0


@dataclass(frozen=True, slots=True)
class DnsProber:
    """Runs DNS checks.

    Servers that a check chooses are subject to the site's policy; the site's own servers are not, because
    the site chose them itself and uses them for every other name.
    """

    admission: Admission = field(default_factory=Admission)
    monotonic: Microseconds = monotonic_us

    async def probe(self, check: Check) -> Observation:
        """What the name servers answer now. Never raises for what they do."""
        probe = check.probe
        assert isinstance(probe, DnsProbe)
        watch = Stopwatch(check.timeout_us, self.monotonic)
        laps = Laps(watch)
        asked = Asked(transport=probe.transport)
        fault: Fault | None = None
        try:
            query = _query(probe)
            servers = await self._servers(probe, laps)
            await _ask(query, servers, probe, asked, laps)
        except Fault as error:
            fault = error
        took_us = watch.took_us
        return Observation(
            took_us=took_us,
            kind=fault.kind if fault else None,
            detail=fault.detail if fault else None,
            is_agent_fault=fault is not None and fault.kind.is_agent_fault,
            addr=asked.addr,
            phases=dict(laps.phases_us),
            variables=variables_of(asked.reply, asked.server, asked.addr, asked.transport, took_us),
            facts=facts_of(
                asked.reply,
                probe,
                server=asked.server,
                transport=asked.transport,
                is_retried=asked.is_retried,
            ),
        )

    async def _servers(self, probe: DnsProbe, laps: Laps) -> Sequence[tuple[str, str, int]]:
        """(name as the check has it, address, port) of every server to ask, in order."""
        if not probe.servers:
            return _own_servers()
        found: list[tuple[str, str, int]] = []
        refusal: Fault | None = None
        async with laps.phase("resolve", Failure.RESOLVE_TIMEOUT, "the name servers' names"):
            for server in probe.servers:
                try:
                    addresses = await self.admission.addresses(
                        server, Family.ANY, laps.left_us("resolve")
                    )
                except Fault as fault:
                    refusal = fault
                    continue
                found.append((server, addresses[0], probe.port))
        if not found:
            assert refusal is not None
            raise refusal
        return found


def _query(probe: DnsProbe) -> dns.message.QueryMessage:
    try:
        query = dns.message.make_query(
            probe.name,
            dns.rdatatype.from_text(probe.type),
            dns.rdataclass.from_text(probe.record_class),
            use_edns=0,
            payload=_PAYLOAD_BYTES,
        )
    except (dns.exception.DNSException, ValueError, UnicodeError) as error:
        raise Fault(Failure.UNRUNNABLE, f"{probe.name} cannot be asked for: {error}") from error
    if not probe.recursion:
        query.flags &= ~dns.flags.RD
    return query


def _own_servers() -> Sequence[tuple[str, str, int]]:
    try:
        resolver = dns.resolver.Resolver()
    except (dns.resolver.NoResolverConfiguration, OSError) as error:
        raise Fault(
            Failure.UNRUNNABLE, "this agent's system names no DNS servers, and the check neither"
        ) from error
    return [(str(server), str(server), resolver.port) for server in resolver.nameservers]


async def _ask(
    query: dns.message.QueryMessage,
    servers: Sequence[tuple[str, str, int]],
    probe: DnsProbe,
    asked: Asked,
    laps: Laps,
) -> None:
    """Ask one server after the other until one replies; each gets an even share of the time left."""
    late = f"{', '.join(server for server, _, _ in servers[:3])} did not answer"
    fault: Fault | None = None
    async with laps.phase("query", Failure.QUERY_TIMEOUT, late):
        for place, (server, address, port) in enumerate(servers):
            share = laps.left_us("query") / (len(servers) - place) / 1e6
            asked.server, asked.addr, asked.tried = server, address, place + 1
            try:
                asked.reply = await _asked_one(query, address, port, share, probe, asked)
            except Fault as error:
                if fault is None or not error.kind.is_agent_fault:
                    fault = error
                continue
            return
    assert fault is not None
    raise fault


async def _asked_one(
    query: dns.message.QueryMessage,
    address: str,
    port: int,
    seconds: float,
    probe: DnsProbe,
    asked: Asked,
) -> dns.message.Message:
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    try:
        async with asyncio.timeout(seconds):
            if probe.transport == "udp":
                try:
                    return await _by_udp(query, address, port)
                except dns.message.Truncated:
                    asked.is_retried, asked.transport = True, "tcp"
            return await dns.asyncquery.tcp(query, address, port=port)
    except (TimeoutError, dns.exception.Timeout) as error:
        detail = f"{where} did not answer within {seconds * 1000:.0f} ms"
        raise Fault(Failure.QUERY_TIMEOUT, detail) from error
    except ConnectionRefusedError as error:
        raise Fault(Failure.QUERY_REFUSED, f"nothing listens at {where}") from error
    except OSError as error:
        raise fault_of(error, where) from error
    except EOFError as error:
        raise Fault(Failure.CONNECTION_LOST, f"{where} closed the connection") from error
    except (dns.exception.DNSException, ValueError, UnicodeError) as error:
        detail = f"the reply of {where} cannot be read: {str(error) or type(error).__name__}"
        raise Fault(Failure.BAD_REPLY, detail) from error


async def _by_udp(query: dns.message.QueryMessage, address: str, port: int) -> dns.message.Message:
    """The reply by UDP. Datagrams with another id or question are not replies, and are passed over.

    The socket is connected, so that the system drops what comes from elsewhere and reports a closed port.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    backend = dns.asyncbackend.get_backend("asyncio")
    sock = await backend.make_socket(  # type: ignore[no-untyped-call] # dnspython's backends have no types
        family, socket.SOCK_DGRAM, 0, None, (address, port), None
    )
    async with sock:
        return await dns.asyncquery.udp(
            query, address, port=port, sock=sock, raise_on_truncation=True, ignore_errors=True
        )
