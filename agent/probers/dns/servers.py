"""Who is asked: the servers of a check as addresses that the site admits, or the site's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import dns.exception
import dns.resolver

from agent.probers.dns.fault import dns_fault
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Stopwatch
from vedette.shared.failure import Failure
from vedette.shared.probes import DnsProbe, Endpoint, Family

_CONFIGURATION: Final = Path("/etc/resolv.conf")


@dataclass(frozen=True, slots=True)
class Server:
    """One name server: as the check names it, its host alone, and where to reach it."""

    name: str
    host: str
    address: str
    port: int

    @property
    def where(self) -> str:
        """The address and port, for people."""
        return (
            f"[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{self.address}:{self.port}"
        )


@dataclass(frozen=True, slots=True)
class Named:
    """A server as a check names it, before its name is resolved."""

    name: str
    host: str
    port: int
    is_address: bool


def named_servers(probe: DnsProbe) -> tuple[Named, ...]:
    """The servers that `probe` names."""
    found = []
    for text in probe.servers:
        endpoint = Endpoint.parse(text)
        port = probe.port_or_default if endpoint.port is None else endpoint.port
        found.append(Named(text, endpoint.host, port, _is_address(endpoint.host)))
    return tuple(found)


async def admitted_servers(
    named: Sequence[Named], probe: DnsProbe, admission: Admission, watch: Stopwatch
) -> Sequence[Server]:
    """The servers of `probe` where the site agrees to ask them, in order; its own ones if it names none.

    The site's own servers are not subject to its policy: it chose them itself and uses them for every
    other name. Fault if no server is left.
    """
    if not named:
        return own_servers()
    found: list[Server] = []
    refusal: Fault | None = None
    for server in named:
        try:
            addresses: Sequence[str] = [server.host]
            if server.is_address and probe.family is Family.ANY:
                admission.demand(server.host, server.host, server.port)
            else:
                addresses = await admission.addresses(
                    server.host, probe.family, watch.left_us, port=server.port
                )
        except Fault as fault:
            refusal = refusal or fault
            continue
        found.append(Server(server.name, server.host, addresses[0], server.port))
    if not found:
        assert refusal is not None
        raise refusal
    return found


def own_servers() -> Sequence[Server]:
    """The servers that the system is set to use, read anew when its file changes."""
    try:
        changed_ns = _CONFIGURATION.stat().st_mtime_ns
    except OSError as error:
        detail = "this agent's system names no DNS servers, and the check neither"
        raise Fault(Failure.UNRUNNABLE, detail) from error
    return _configured(changed_ns)


@lru_cache(maxsize=1)
def _configured(changed_ns: int) -> tuple[Server, ...]:
    try:
        resolver = dns.resolver.Resolver(str(_CONFIGURATION))
    except dns.exception.DNSException as error:
        raise dns_fault(error, str(_CONFIGURATION)) from error
    except OSError as error:
        detail = "this agent's system names no DNS servers, and the check neither"
        raise Fault(Failure.UNRUNNABLE, detail) from error
    return tuple(
        Server(str(address), str(address), str(address), resolver.port)
        for address in resolver.nameservers
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
