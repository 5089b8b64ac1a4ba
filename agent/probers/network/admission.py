"""From a name to the addresses that this site agrees to probe: resolved once, every one of them judged."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from agent.core.policy import Policy, verdict
from agent.probers.network.fault import Fault
from agent.probers.network.name_query import queried
from agent.probers.network.resolver import Resolver
from vedette.shared.failure import Failure
from vedette.shared.probes import Family


@dataclass(frozen=True, slots=True)
class Admission:
    """Turns a host into addresses to connect to. A connection goes to one of these and nowhere else."""

    policy: Policy = field(default_factory=Policy)
    resolver: Resolver = field(default_factory=Resolver)

    async def addresses(
        self,
        host: str,
        family: Family,
        timeout_us: int,
        *,
        servers: Sequence[tuple[str, int]] = (),
    ) -> Sequence[str]:
        """The admitted addresses of `host`, at least one. Fault if it has none, or none is admitted.

        `servers`, address and port each, are asked instead of the system's resolver; the policy judges them too.
        """
        found = await self.found(host, family, timeout_us, servers=servers)
        refusals = [verdict(address, self.policy) for address in found]
        admitted = [a for a, refusal in zip(found, refusals, strict=True) if refusal is None]
        if not admitted:
            why = next(r for r in refusals if r is not None)
            raise Fault(Failure.POLICY_REFUSED, f"this site does not probe {host}: {why}")
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
        for address, _ in servers:
            self.demand(address, f"the name server {address}")
        return await queried(host, family, servers, timeout_us)

    def demand(self, address: str, who: str) -> None:
        """Fault unless this site agrees to reach the address of `who`."""
        why = verdict(address, self.policy)
        if why is not None:
            raise Fault(Failure.POLICY_REFUSED, f"this site does not reach {who}: {why}")

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
