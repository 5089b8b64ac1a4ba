"""The SOA serial of a zone at every one of its name servers: whether all of them serve the same version."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from agent.probers.dns.servers import Server
from agent.probers.dns.walk import Asks, rrset_in
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure
from vedette.shared.limits import NAME_SERVERS_MAX
from vedette.shared.probes import Family

AsksOne = Callable[[dns.name.Name, Server], Awaitable[dns.message.Message]]

_TYPES = {
    Family.ANY: (dns.rdatatype.A, dns.rdatatype.AAAA),
    Family.IPV4: (dns.rdatatype.A,),
    Family.IPV6: (dns.rdatatype.AAAA,),
}


@dataclass(frozen=True, slots=True)
class Serials:
    """The serial by server, None where a server gave none, and why not."""

    zone: str
    by_server: dict[str, int | None]
    reasons: dict[str, str]

    @property
    def are_equal(self) -> bool:
        """Every server gave a serial, and all gave the same."""
        found = set(self.by_server.values())
        return len(found) == 1 and None not in found


@dataclass(frozen=True, slots=True)
class Census:
    """How the name servers of a zone are found and asked."""

    asks: Asks
    asks_one: AsksOne
    admission: Admission
    family: Family
    port: int

    async def serials(self, name: dns.name.Name) -> Serials:
        """The serials of the zone that `name` is in. Fault if its name servers cannot be found.

        Servers are resolved through the servers of the check, and asked themselves, without recursion. One
        that this site may not or cannot reach is a fault of the agent, not of the zone.
        """
        zone = await self._zone(name)
        servers = await self._servers(zone)
        replies = await asyncio.gather(*(self._serial(zone, server) for server in servers))
        by_server: dict[str, int | None] = {}
        reasons: dict[str, str] = {}
        for server, reply in zip(servers, replies, strict=True):
            by_server[server.name] = reply if isinstance(reply, int) else None
            if isinstance(reply, str):
                reasons[server.name] = reply
        return Serials(zone.to_text(), by_server, reasons)

    async def _zone(self, name: dns.name.Name) -> dns.name.Name:
        """The apex of the zone that `name` is in, as the SOA record in the reply says."""
        reply = await self.asks(name, dns.rdatatype.SOA)
        for rrset in (*reply.answer, *reply.authority):
            if rrset.rdtype == dns.rdatatype.SOA and name.is_subdomain(rrset.name):
                return rrset.name
        code = dns.rcode.to_text(reply.rcode())
        raise Fault(
            Failure.BAD_REPLY, f"the zone of {name} was not found: {code} without an SOA record"
        )

    async def _servers(self, zone: dns.name.Name) -> Sequence[Server]:
        reply = await self.asks(zone, dns.rdatatype.NS)
        found = rrset_in(reply.answer, zone, dns.rdatatype.NS)
        if found is None:
            raise Fault(Failure.BAD_REPLY, f"the zone {zone} shows no name servers")
        names = [rdata.target for rdata in found][:NAME_SERVERS_MAX]
        each = await asyncio.gather(*(self._places(name) for name in names))
        servers = [server for places in each for server in places]
        if not servers:
            raise Fault(Failure.BAD_REPLY, f"the name servers of {zone} have no addresses")
        return servers

    async def _places(self, name: dns.name.Name) -> Sequence[Server]:
        """Where the name server `name` is reached: one server an address that the site admits."""
        addresses: list[str] = []
        for rdtype in _TYPES[self.family]:
            reply = await self.asks(name, rdtype)
            found = _last_of(reply, name, rdtype)
            addresses += [rdata.address for rdata in found or ()]
        host = name.to_text(omit_final_dot=True)
        for address in addresses:
            self.admission.demand(address, host, self.port)
        many = len(addresses) > 1
        return [
            Server(f"{host}/{address}" if many else host, host, address, self.port)
            for address in addresses
        ]

    async def _serial(self, zone: dns.name.Name, server: Server) -> int | str:
        """The serial that `server` gives, or why it gives none."""
        try:
            reply = await self.asks_one(zone, server)
        except Fault as fault:
            if fault.kind.is_agent_fault:
                raise
            return fault.detail
        soa = rrset_in(reply.answer, zone, dns.rdatatype.SOA)
        if soa is None:
            return f"{dns.rcode.to_text(reply.rcode())} without an SOA record"
        return int(soa[0].serial)


def _last_of(
    reply: dns.message.Message, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    """The records at the end of the aliases from `name` on."""
    for _ in range(len(reply.answer) + 1):
        found = rrset_in(reply.answer, name, rdtype)
        alias = rrset_in(reply.answer, name, dns.rdatatype.CNAME)
        if found is not None or alias is None:
            return found
        name = alias[0].target
    return None
