"""HTTP probes: one request, its redirects, and every phase of each hop."""

import time
from dataclasses import dataclass, field
from functools import lru_cache

from agent.core.assertions import names_read
from agent.ports import Observation
from agent.probers.http_client import fetched
from agent.probers.http_observation import facts_of, variables_of
from agent.probers.network.admission import Admission
from agent.probers.network.stopwatch import Microseconds, Stopwatch, monotonic_us
from agent.probers.network.tls import TlsPolicy
from agent.probers.transport.exchange import USER_AGENT, Wants
from vedette.shared.definitions import Check, micros
from vedette.shared.probes import HttpProbe, PhaseTimeouts


def _wall_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class HttpProber:
    """Runs HTTP checks. `admission` decides which addresses may be reached."""

    admission: Admission = field(default_factory=Admission)
    monotonic: Microseconds = monotonic_us
    wall: Microseconds = _wall_us
    user_agent: str = USER_AGENT

    async def probe(self, check: Check) -> Observation:
        """What the target answers now. Never raises for what it does."""
        probe = check.probe
        assert isinstance(probe, HttpProbe)
        watch = Stopwatch(check.timeout_us, self.monotonic)
        hops, fault = await fetched(probe, self._wants(probe), self.admission, watch)
        took_us = watch.took_us
        last = hops[-1] if hops else None
        return Observation(
            took_us=took_us,
            kind=fault.kind if fault else None,
            detail=fault.detail if fault else None,
            is_agent_fault=fault is not None and fault.kind.is_agent_fault,
            addr=last.addr if last else None,
            phases=dict(last.phases_us) if last else None,
            variables=variables_of(hops, took_us, self.wall(), names_read(check)),
            facts=facts_of(hops, probe.method),
        )

    def _wants(self, probe: HttpProbe) -> Wants:
        return Wants(
            tls=TlsPolicy(verify=probe.verify, ca=probe.ca),
            family=probe.family,
            server_name=probe.server_name,
            body_bytes_max=probe.body_max,
            limits_us=_limits_us(probe.phase_timeouts),
            user_agent=self.user_agent,
        )


@lru_cache(maxsize=256)
def _limits_us(timeouts: PhaseTimeouts) -> dict[str, int | None]:
    names = PhaseTimeouts.__struct_fields__
    texts = {name: getattr(timeouts, name) for name in names}
    return {name: None if text is None else micros(text) for name, text in texts.items()}
