"""From a name to the addresses that this site agrees to probe: resolved once, every one of them judged."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from agent.core.policy import Policy, verdict
from agent.probers.network.fault import Fault
from agent.probers.network.name_query import queried
from agent.probers.network.resolver import Resolver
from vedette.shared.failure import Failure
from vedette.shared.probes import Family


def _unmetered(_: str) -> str | None:
    return None


@dataclass(slots=True, eq=False)
class Admission:
    """Turns a host into addresses to connect to. A connection goes to one of these and nowhere else.

    `policy` may be another one at any time: the site's owner changes it while the agent runs. `meter` says
    why one more connection to an address would be too many, or None, and then counts it.
    """

    policy: Policy = field(default_factory=Policy)
    resolver: Resolver = field(default_factory=Resolver)
    meter: Callable[[str], str | None] = _unmetered

    async def addresses(
        self,
        host: str,
        family: Family,
        timeout_us: int,
        *,
        port: int | None = None,
        servers: Sequence[tuple[str, int]] = (),
    ) -> Sequence[str]:
        """The admitted addresses of `host`, at least one. Fault if it has none, or none is admitted.

        `port` is the one that is to be reached there. `servers`, address and port each, are asked instead of
        the system's resolver; the policy judges them too.
        """
        self._demand_port(port, host)
        found = await self.found(host, family, timeout_us, servers=servers)
        refusals = [verdict(address, self.policy) for address in found]
        admitted = [a for a, refusal in zip(found, refusals, strict=True) if refusal is None]
        if not admitted:
            why = next(r for r in refusals if r is not None)
            raise Fault(Failure.POLICY_REFUSED, f"this site does not probe {host}: {why}")
        self._demand_rate(admitted[0])
        return admitted

    async def found(
        self,
        host: str,
        family: Family,
        timeout_us: int,
        *,
        servers: Sequence[tuple[str, int]] = (),
    ) -> Sequence[str]:
        """All addresses of `host`, admitted or not: only to be told, never to be connected to unjudged."""
        if not servers or literal_of(host) is not None:
            return await self.resolver.addresses(host, family, timeout_us)
        for address, port in servers:
            self.demand(address, f"the name server {address}", port)
        return await queried(host, family, servers, timeout_us)

    def demand(self, address: str, who: str, port: int | None = None) -> None:
        """Fault unless this site agrees to reach the address of `who`, once more and on that port."""
        self._demand_port(port, who)
        why = verdict(address, self.policy)
        if why is not None:
            raise Fault(Failure.POLICY_REFUSED, f"this site does not reach {who}: {why}")
        self._demand_rate(address)

    def _demand_port(self, port: int | None, who: str) -> None:
        why = None if port is None else self.policy.terms.port_refusal(port)
        if why is not None:
            raise Fault(Failure.POLICY_PORT, f"this site does not reach {who}: {why}")

    def _demand_rate(self, address: str) -> None:
        why = self.meter(address)
        if why is not None:
            raise Fault(Failure.POLICY_RATE, f"{why}, and {address} is due too often")

    def demand_literal(self, host: str) -> None:
        """Fault if `host` is written as an address that this site does not probe; a name passes."""
        address = literal_of(host)
        if address is not None:
            self.demand(address, host)


def literal_of(host: str) -> str | None:
    """The address that `host` is, in any spelling that a resolver takes for one; None if it is a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
