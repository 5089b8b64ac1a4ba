"""From a name to the addresses that this site agrees to probe: resolved once, every one of them judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.core.policy import Policy, verdict
from agent.probers.network.fault import Fault
from agent.probers.network.resolver import Resolver
from vedette.shared.failure import Failure
from vedette.shared.probes import Family


@dataclass(frozen=True, slots=True)
class Admission:
    """Turns a host into addresses to connect to. A connection goes to one of these and nowhere else."""

    policy: Policy = field(default_factory=Policy)
    resolver: Resolver = field(default_factory=Resolver)

    async def addresses(self, host: str, family: Family, timeout_us: int) -> Sequence[str]:
        """The admitted addresses of `host`, at least one. Fault if it has none, or none is admitted."""
        found = await self.resolver.addresses(host, family, timeout_us)
        refusals = [verdict(address, self.policy) for address in found]
        admitted = [a for a, refusal in zip(found, refusals, strict=True) if refusal is None]
        if not admitted:
            why = next(r for r in refusals if r is not None)
            raise Fault(Failure.POLICY_REFUSED, f"this site does not probe {host}: {why}")
        return admitted
