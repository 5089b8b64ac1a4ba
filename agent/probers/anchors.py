"""Anchors, asked: by the same probers and under the same policy as checks, and the controller besides.

The controller is asked whatever the policy says of its address: this agent speaks to it all the time. Every
other anchor is an address like any other, because whoever writes the fleet file must not get around the
site's policy by calling a target an anchor.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

import msgspec

from agent.core.anchors import ANY_FAMILY
from agent.ports import AnchorAnswer, Observation, Prober
from agent.probers.network.fault import Fault
from agent.probers.network.resolver import Resolver
from agent.probers.network.stopwatch import Stopwatch, monotonic_us
from agent.probers.network.stream import connected
from vedette.shared.anchors import Anchor, decode_anchor
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.identity import ANCHORS
from vedette.shared.limits import ANCHOR_TIMEOUT_US, ANCHORS_MAX
from vedette.shared.probes import DnsProbe, Endpoint, Family

_FAMILIES: Final = {4: Family.IPV4.value, 6: Family.IPV6.value}
# No fault of the agent's: without a way out, its network is in the very trouble that anchors are for.
_TELLING: Final = frozenset({Failure.NO_ROUTE})


class NetworkAnchors:
    """Anchors (agent.ports) asked by `probers`; `controller` is the host and port of this agent's."""

    def __init__(self, probers: Mapping[str, Prober], controller: tuple[str, int]) -> None:
        self._probers = probers
        self._controller = controller
        self._resolver = Resolver(threads_max=2)

    async def ask(self, targets: Sequence[bytes]) -> Sequence[AnchorAnswer]:
        """What each of these definitions answers now, and the controller, all at the same time."""
        asked = [self._asked(target) for target in targets[:ANCHORS_MAX]]
        return await asyncio.gather(*asked, self._controller_asked())

    async def _asked(self, target: bytes) -> AnchorAnswer:
        check = _check_of(target)
        if check is None:
            return AnchorAnswer("?", ANY_FAMILY, Failure.UNRUNNABLE, says_nothing=True)
        prober = self._probers.get(check.kind)
        name = f"{check.kind} {check.target}"
        if prober is None:
            return AnchorAnswer(name, ANY_FAMILY, Failure.UNRUNNABLE, says_nothing=True)
        try:
            async with asyncio.timeout(2 * ANCHOR_TIMEOUT_US / 1e6):
                seen = await prober.probe(check)
        except TimeoutError:
            seen = Observation(ANCHOR_TIMEOUT_US, Failure.OVERRAN, is_agent_fault=True)
        kind = Failure(seen.kind) if seen.kind is not None else None
        if kind is None and seen.variables.get("received") == 0:
            kind = (
                Failure.NO_REPLY
            )  # an observation of echoes that were all lost has no kind of its own
        says_nothing = kind is not None and kind.is_agent_fault and kind not in _TELLING
        return AnchorAnswer(name, _family(check, seen.addr), kind, says_nothing)

    async def _controller_asked(self) -> AnchorAnswer:
        """Whether a connection to the controller comes about; nothing is said on it."""
        host, port = self._controller
        name = f"controller {host}:{port}"
        watch = Stopwatch(ANCHOR_TIMEOUT_US, monotonic_us)
        try:
            async with asyncio.timeout(ANCHOR_TIMEOUT_US / 1e6):
                addresses = await self._resolver.addresses(host, Family.ANY, ANCHOR_TIMEOUT_US)
                stream = await connected(addresses, port, watch.left_us, watch.clock)
        except TimeoutError:
            return AnchorAnswer(name, ANY_FAMILY, Failure.CONNECT_TIMEOUT)
        except Fault as fault:
            says_nothing = fault.kind.is_agent_fault and fault.kind not in _TELLING
            return AnchorAnswer(name, ANY_FAMILY, fault.kind, says_nothing)
        stream.close()
        return AnchorAnswer(name, ANY_FAMILY)


@lru_cache(maxsize=4 * ANCHORS_MAX)
def _check_of(target: bytes) -> Check | None:
    """A check that probes the anchor; None if this version cannot read it. One object each: probers prepare it."""
    try:
        anchor = decode_anchor(target)
    except ValueError:
        return None
    return _as_check(anchor)


def _as_check(anchor: Anchor) -> Check:
    bare = Check(id="anchor", service=ANCHORS, timeout=f"{ANCHOR_TIMEOUT_US // 1000}ms", regions=[])
    return msgspec.structs.replace(bare, **{anchor.kind: anchor.probe})


def _family(check: Check, addr: str | None) -> str:
    """The family that the anchor tells of: what it was reached by, else what its definition names."""
    version = _version(addr)
    if version is not None:
        return _FAMILIES[version]
    probe = check.probe
    family = getattr(probe, "family", Family.ANY)
    if family is not Family.ANY:
        return str(family.value)
    if isinstance(probe, DnsProbe):
        host = Endpoint.parse(probe.servers[0]).host if probe.servers else None
    else:
        host = getattr(probe, "host", None)
    version = _version(host)
    return ANY_FAMILY if version is None else _FAMILIES[version]


def _version(text: str | None) -> int | None:
    try:
        return None if text is None else ip_address(text).version
    except ValueError:
        return None
