"""HTTP probes: one request, its redirects, and every phase of each hop."""

import time
from dataclasses import dataclass, field

import msgspec

from agent.ports import Observation
from agent.probers.http_addresses import at_every_address
from agent.probers.http_client import Reach, fetched
from agent.probers.http_faults import ERRORS, foreseen
from agent.probers.http_observation import facts_of, variables_of
from agent.probers.http_plan import Plan, Plans
from agent.probers.http_token import Tokens
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Microseconds, Stopwatch, monotonic_us
from agent.probers.transport.wants import USER_AGENT, Hop
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.probes import HttpProbe

_UNAUTHORIZED = 401


def _wall_us() -> int:
    return time.time_ns() // 1000


@dataclass(slots=True)
class HttpProber:
    """Runs HTTP checks. `admission` decides which addresses may be reached."""

    admission: Admission = field(default_factory=Admission)
    monotonic: Microseconds = monotonic_us
    wall: Microseconds = _wall_us
    user_agent: str = USER_AGENT
    plans: Plans = field(init=False, repr=False)
    tokens: Tokens = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.plans = Plans(self.user_agent)
        self.tokens = Tokens(self.monotonic, self.user_agent)

    async def probe(self, check: Check) -> Observation:
        """What the target answers now. Never raises for what it does."""
        watch = Stopwatch(check.timeout_us, self.monotonic)
        try:
            plan = self.plans.plan_of(check)
            authorization = await self._authorization(plan, watch)
            token_us = watch.took_us if plan.oauth2 is not None else 0
            probe = check.probe
            assert isinstance(probe, HttpProbe)
            reach = Reach(plan.wants, self.admission, Stopwatch(watch.left_us, self.monotonic))
            if probe.addresses == "all":
                seen = await at_every_address(check, plan, reach, authorization, self._seen)
            else:
                hops, fault = await fetched(plan.asked, plan.request, reach, authorization)
                seen = self._seen(plan, hops, fault)
            return _not_accused(seen, token_us) if token_us * 10 > check.timeout_us else seen
        except Fault as fault:
            return _not_begun(fault, watch.took_us)
        except ERRORS as error:
            return _not_begun(foreseen(error), watch.took_us)

    async def _authorization(self, plan: Plan, watch: Stopwatch) -> str | None:
        if plan.oauth2 is None:
            return None
        return await self.tokens.authorization(
            plan.oauth2_key, plan.oauth2, plan.wants, self.admission, watch
        )

    def _seen(self, plan: Plan, hops: list[Hop], fault: Fault | None) -> Observation:
        """What these hops are for expectations and for the line."""
        last = hops[-1]
        if plan.oauth2 is not None and _is_unauthorized(hops):
            self.tokens.forget(plan.oauth2_key)
        took_us = sum(hop.took_us for hop in hops)
        return Observation(
            took_us=took_us,
            kind=fault.kind if fault else None,
            detail=fault.detail if fault else None,
            is_agent_fault=fault is not None and fault.kind.is_agent_fault,
            addr=last.addr,
            phases=last.phases_us,
            variables=variables_of(hops, took_us, self.wall(), plan.names),
            facts=facts_of(hops, plan.asked.method, plan.url_shown),
        )


def _not_accused(seen: Observation, token_us: int) -> Observation:
    """A target that was late in what a slow token endpoint left of the timeout was not given its time."""
    if seen.kind is None or not seen.kind.endswith("_timeout"):
        return seen
    detail = (
        f"the token took {token_us / 1000:.0f} ms of the timeout, and in the rest: {seen.detail}"
    )
    return msgspec.structs.replace(seen, kind=Failure.TOKEN_FAILED, detail=detail)


def _not_begun(fault: Fault, took_us: int) -> Observation:
    return Observation(
        took_us=took_us,
        kind=fault.kind,
        detail=fault.detail,
        is_agent_fault=fault.kind.is_agent_fault,
    )


def _is_unauthorized(hops: list[Hop]) -> bool:
    answers = [hop.response for hop in hops if hop.response is not None]
    return any(answer.status == _UNAUTHORIZED for answer in answers)
