"""`addresses: all`: the same request to every address that the name has, all of which must hold.

The run says what the worst address says; the line names them all.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from agent.core.evaluation import evaluated, is_light
from agent.ports import Observation
from agent.probers.http_client import Reach, fetched
from agent.probers.http_plan import Plan
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Stopwatch
from agent.probers.transport.steps import Steps
from agent.probers.transport.wants import Hop, Resolved
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure

Seen = Callable[[Plan, list[Hop], Fault | None], Observation]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one address showed. Parts that say more against the check have a lower rank."""

    addr: str
    seen: Observation
    failed: str | None = None

    @property
    def rank(self) -> tuple[int, int]:
        """Down before what this agent could not do, before what holds; among those the slowest."""
        if self.failed is not None:
            return (1 if self.seen.is_agent_fault else 0, 0)
        return (2, -self.seen.took_us)

    @property
    def facts(self) -> dict[str, Any]:
        """The part of the line that tells of this address."""
        facts: dict[str, Any] = {"addr": self.addr, "took": self.seen.took_us}
        if "status" in self.seen.facts:
            facts["status"] = self.seen.facts["status"]
        if self.failed is not None:
            facts["kind"] = str(self.failed)
        return facts


async def at_every_address(
    check: Check, plan: Plan, reach: Reach, authorization: str | None, seen: Seen
) -> Observation:
    """What the worst address of the check's host showed, with a fact for each. Fault if it has none.

    The name is resolved once. All addresses are asked at the same time, each with the whole of what is left;
    one that the site does not probe is told as such and never asked.
    """
    found, resolve_us = await _resolved(plan, reach)
    asked = await asyncio.gather(
        *(_asked(plan, _at(reach, addr, resolve_us), authorization, seen) for addr in found)
    )
    # Only now, when nobody's time is being taken any more.
    parts = [await _judged(check, addr, one) for addr, one in zip(found, asked, strict=True)]
    worst = min(parts, key=lambda part: part.rank)
    facts = {**worst.seen.facts, "addresses": [part.facts for part in parts]}
    detail = worst.seen.detail
    if detail is not None and len(parts) > 1:
        detail = f"at {worst.addr}: {detail}"
    return msgspec.structs.replace(worst.seen, facts=facts, detail=detail)


async def _resolved(plan: Plan, reach: Reach) -> tuple[tuple[str, ...], int]:
    wants, host = plan.wants, plan.request.host
    steps = Steps(reach.watch, wants.limits_us)
    async with steps:
        steps.begin("resolve", Failure.RESOLVE_TIMEOUT, f"{host} was not resolved")
        found = await reach.admission.found(
            host, wants.family, steps.left_us, servers=wants.resolver
        )
        steps.end()
    return tuple(found), steps.phases_us["resolve"]


def _at(reach: Reach, addr: str, resolve_us: int) -> Reach:
    watch = Stopwatch(reach.watch.left_us, reach.watch.clock)
    return replace(reach, watch=watch, resolved=Resolved((addr,), resolve_us))


async def _asked(plan: Plan, reach: Reach, authorization: str | None, seen: Seen) -> Observation:
    assert reach.resolved is not None
    (addr,) = reach.resolved.addresses
    try:
        reach.admission.demand(addr, addr, plan.request.port)
    except Fault as fault:
        hop = Hop(plan.asked.url, addr, {"resolve": reach.resolved.took_us})
        return seen(plan, [hop], fault)
    hops, end = await fetched(plan.asked, plan.request, reach, authorization)
    return seen(plan, hops, end)


async def _judged(check: Check, addr: str, seen: Observation) -> _Part:
    """What `seen` at `addr` comes to; on a thread, where that may keep others waiting."""
    if seen.kind is not None:
        return _Part(addr, seen, seen.kind)
    if is_light(check, seen.variables):
        assertions = evaluated(check, seen.variables)
    else:
        assertions = await asyncio.to_thread(evaluated, check, seen.variables)
    failed = next((a for a in assertions if not a.holds), None)
    return _Part(addr, seen, None if failed is None else failed.kind)
