"""Everything that is captured of one failure: its parts at once, each bounded, each failing alone."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from agent.capture.answer import answer_of
from agent.capture.opinion import asked_elsewhere, resolved_elsewhere, shown
from agent.capture.place import Place, other_family, place_of
from agent.capture.route import route_to
from agent.core.verdict import clipped
from agent.ports import Prober
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.transport.wants import USER_AGENT
from vedette.shared.definitions import Check
from vedette.shared.limits import CAPTURE_BYTES_MAX, CAPTURE_US_MAX
from vedette.shared.probes import Family

_MARGIN_US: Final = 200_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FailureCapture:
    """A Capture (agent.ports) by the site's own probers, under the site's policy."""

    probers: Mapping[str, Prober]
    admission: Admission = field(default_factory=Admission)
    user_agent: str = USER_AGENT

    async def of(self, check: Check, addr: str | None, *, has_answer: bool) -> dict[str, Any]:
        """What can be seen around the failure of `check` at `addr` now, within the bound of a capture.

        A part that does not come about says why in its place: `{"fault": sentence}`.
        """
        parts = self._parts(check, addr, has_answer)
        done = await asyncio.gather(*(_bounded(part) for part in parts.values()))
        return fitting({name: one for name, one in zip(parts, done, strict=True) if one})

    def _parts(
        self, check: Check, addr: str | None, has_answer: bool
    ) -> dict[str, Coroutine[Any, Any, dict[str, Any] | None]]:
        place = place_of(check)
        parts: dict[str, Coroutine[Any, Any, dict[str, Any] | None]] = {}
        if addr is not None:
            parts["route"] = self._route(addr)
        if place is None:
            if "dns" in self.probers:
                parts["resolver"] = asked_elsewhere(check, self.probers["dns"])
            return parts
        if place.is_name:
            family = getattr(check.probe, "family", Family.ANY)
            parts["resolver"] = resolved_elsewhere(place, family)
        other = other_family(check, addr)
        if other is not None and check.kind in self.probers:
            parts["family"] = self._family(other)
        if addr is not None and place.port is not None and not getattr(check.probe, "proxy", None):
            wants_head = place.is_http and not has_answer
            if place.is_tls or wants_head:
                parts["answer"] = self._answer(place, addr, wants_head)
        return parts

    async def _route(self, addr: str) -> dict[str, Any]:
        self.admission.demand(addr, addr)
        return await route_to(addr)

    async def _family(self, check: Check) -> dict[str, Any]:
        seen = await self.probers[check.kind].probe(check)
        return {"tried": str(getattr(check.probe, "family", "")), **shown(seen)}

    async def _answer(self, place: Place, addr: str, wants_head: bool) -> dict[str, Any]:
        self.admission.demand(addr, addr)
        return await answer_of(place, addr, wants_head=wants_head, user_agent=self.user_agent)


async def _bounded(part: Coroutine[Any, Any, dict[str, Any] | None]) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout((CAPTURE_US_MAX - _MARGIN_US) / 1e6):
            return await part
    except TimeoutError:
        return {"fault": f"not seen within {CAPTURE_US_MAX / 1e6:g} s"}
    except Fault as fault:
        return {"fault": clipped(fault.detail)}
    except OSError as error:
        return {"fault": clipped(error.strerror or str(error) or type(error).__name__)}
    except Exception as error:  # noqa: BLE001 - one part of a capture must not end the agent; logged
        _log.exception("capture.failed")
        return {"fault": f"the agent failed: {type(error).__name__}"}


def fitting(capture: dict[str, Any]) -> dict[str, Any]:
    """`capture` within its bound: the largest parts give way, and are named in `cut`."""
    kept, cut = dict(capture), []
    while len(msgspec.json.encode(kept)) > CAPTURE_BYTES_MAX:
        largest = max(kept, key=lambda name: len(msgspec.json.encode(kept[name])))
        del kept[largest]
        cut.append(largest)
    return {**kept, "cut": sorted(cut)} if cut else kept
