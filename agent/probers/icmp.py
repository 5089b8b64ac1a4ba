"""ICMP probes: a number of echo requests to one address, and what share of them came back when."""

import asyncio
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from agent.core.echoes import echo_variables
from agent.ports import Observation
from agent.probers.icmp_round import Pace, Round
from agent.probers.icmp_socket import Echo, IcmpSocket
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Microseconds, monotonic_us
from vedette.shared.definitions import Check, micros
from vedette.shared.limits import PLANS_KEPT_MAX
from vedette.shared.probes import Family, IcmpProbe


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What of a check stays the same from run to run. It holds the check, so that its id stays its own.

    `echo` is there where the host is an address: then there is nothing to resolve. Whether the site agrees
    to probe it is asked at every run, because its policy may change and its rates count.
    """

    check: Check
    probe: IcmpProbe
    pace: Pace
    timeout_us: int
    echo: Echo | None

    @classmethod
    def of(cls, check: Check) -> "_Prepared":
        probe = check.probe
        assert isinstance(probe, IcmpProbe)
        wait = None if probe.wait is None else micros(probe.wait) / 1e6
        pace = Pace(probe.count, micros(probe.spacing) / 1e6, wait)
        is_address = probe.family is Family.ANY and _is_address(probe.host)
        echo = _echo(probe, probe.host) if is_address else None
        return cls(check, probe, pace, check.timeout_us, echo)


@dataclass(slots=True)
class IcmpProber:
    """Runs ICMP checks over one shared socket per family, opened when it is first needed."""

    admission: Admission = field(default_factory=Admission)
    monotonic: Microseconds = monotonic_us
    _sockets: dict[int, IcmpSocket] = field(default_factory=dict)
    _prepared: dict[int, _Prepared] = field(default_factory=dict)

    async def probe(self, check: Check) -> Observation:
        """What comes back now. Never raises for what the target does."""
        prepared = self._prepared.get(id(check)) or self._prepare(check)
        clock, phases = self.monotonic, {}
        begun_us = last_us = clock()
        done: Round | None = None
        echo = prepared.echo
        fault: Fault | None = None
        try:
            if echo is None:
                echo = await self._resolved(prepared)
            else:
                self.admission.demand(echo.address, echo.address)
            now_us = clock()
            phases["resolve"], last_us = now_us - last_us, now_us
            done = Round(echo, prepared.pace, self._socket_for(echo.address))
            await done.run((begun_us + prepared.timeout_us - now_us) / 1e6)
            fault = done.error_fault()
        except Fault as error:
            fault = error
        now_us = clock()
        phases["resolve" if done is None else "echo"] = now_us - last_us
        took_us = now_us - begun_us
        rtts_us = done.rtts_us() if done else []
        return Observation(
            took_us=took_us,
            kind=fault.kind if fault else None,
            detail=fault.detail if fault else None,
            is_agent_fault=fault is not None and fault.kind.is_agent_fault,
            addr=echo.address if echo else None,
            phases=phases,
            variables=_variables(done, rtts_us, echo, took_us),
            facts=_facts(prepared.probe, done, rtts_us),
        )

    async def close(self) -> None:
        """Close the sockets."""
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()

    def _prepare(self, check: Check) -> _Prepared:
        if len(self._prepared) >= PLANS_KEPT_MAX:
            del self._prepared[next(iter(self._prepared))]  # the oldest gives way
        prepared = self._prepared[id(check)] = _Prepared.of(check)
        return prepared

    async def _resolved(self, prepared: _Prepared) -> Echo:
        """The request to an address that this site agrees to probe. Fault if there is none."""
        probe = prepared.probe
        found = await self.admission.addresses(probe.host, probe.family, prepared.timeout_us)
        return _echo(probe, found[0])

    def _socket_for(self, address: str) -> IcmpSocket:
        version = 6 if ":" in address else 4
        sock = self._sockets.get(version)
        if sock is not None and sock.loop is not asyncio.get_running_loop():
            sock.close()
            sock = None
        if sock is None:
            sock = self._sockets[version] = IcmpSocket(version, self.monotonic)
        return sock


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _echo(probe: IcmpProbe, address: str) -> Echo:
    return Echo(address, probe.size, probe.dont_fragment, probe.ttl)


def _variables(
    done: Round | None, rtts_us: list[int | None], echo: Echo | None, took_us: int
) -> dict[str, Any]:
    values = echo_variables(rtts_us)
    values["took_ms"] = took_us / 1000
    if echo is not None:
        values["addr"] = echo.address
    if done is not None:
        values["duplicates"] = done.duplicates
        ttls = [reply.ttl for reply in done.replies.values() if reply.ttl is not None]
        if ttls:
            values["ttl"] = ttls[-1]
    return values


def _facts(probe: IcmpProbe, done: Round | None, rtts_us: list[int | None]) -> dict[str, Any]:
    """The `icmp` part of the line: the round trip of every packet, null where it was lost."""
    facts: dict[str, Any] = {"host": probe.host, "size": probe.size, "rtts": rtts_us}
    if probe.dont_fragment:
        facts["dont_fragment"] = True
    if done is not None and done.duplicates:
        facts["duplicates"] = done.duplicates
    if done is not None and done.errors:
        facts["errors"] = {
            str(number): {"says": answer.saying.name.lower(), "from": answer.source}
            for number, answer in done.errors.items()
        }
    return facts
