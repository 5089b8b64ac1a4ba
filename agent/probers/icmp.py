"""ICMP probes: a number of echo requests to one address, and what share of them came back when."""

import asyncio
import ipaddress
from dataclasses import dataclass, field
from typing import Any

from agent.core.echoes import echo_variables
from agent.ports import Observation
from agent.probers.icmp_socket import IcmpSocket, Reply
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Laps, Microseconds, Stopwatch, monotonic_us
from vedette.shared.definitions import Check, micros
from vedette.shared.failure import Failure
from vedette.shared.probes import IcmpProbe


@dataclass(slots=True)
class _Round:
    """The requests of one probe: when each was sent, and its reply if one came."""

    sent_us: dict[int, int] = field(default_factory=dict)
    replies: dict[int, Reply] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def rtts_us(self) -> list[int | None]:
        """Round trip of each request in sending order; None where it is lost or was turned away."""
        return [
            max(reply.at_us - sent_us, 0)
            if (reply := self.replies.get(number)) is not None and not reply.is_unreachable
            else None
            for number, sent_us in self.sent_us.items()
        ]


@dataclass(slots=True)
class IcmpProber:
    """Runs ICMP checks over one shared socket per family, opened when it is first needed."""

    admission: Admission = field(default_factory=Admission)
    monotonic: Microseconds = monotonic_us
    _sockets: dict[int, IcmpSocket] = field(default_factory=dict)

    async def probe(self, check: Check) -> Observation:
        """What comes back now. Never raises for what the target does."""
        probe = check.probe
        assert isinstance(probe, IcmpProbe)
        watch = Stopwatch(check.timeout_us, self.monotonic)
        laps = Laps(watch)
        done = _Round()
        address: str | None = None
        fault: Fault | None = None
        try:
            async with laps.phase(
                "resolve", Failure.RESOLVE_TIMEOUT, f"{probe.host} was not resolved"
            ):
                found = await self.admission.addresses(
                    probe.host, probe.family, laps.left_us("resolve")
                )
            address = found[0]
            await self._ping(probe, address, done, laps)
        except Fault as error:
            fault = error
        took_us = watch.took_us
        return Observation(
            took_us=took_us,
            kind=fault.kind if fault else None,
            detail=fault.detail if fault else None,
            is_agent_fault=fault is not None and fault.kind.is_agent_fault,
            addr=address,
            phases=dict(laps.phases_us),
            variables=_variables(done, address, took_us),
            facts={"host": probe.host, "size": probe.size, "rtts": done.rtts_us()},
        )

    async def close(self) -> None:
        """Close the sockets."""
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()

    async def _ping(self, probe: IcmpProbe, address: str, done: _Round, laps: Laps) -> None:
        """Send the requests at their spacing, and wait for the replies until the deadline."""
        sock = self._socket_for(address)
        sequences: list[int] = []
        try:
            async with laps.phase("echo", Failure.NO_REPLY, "not all replies came"):
                for number in range(probe.count):
                    if number:
                        await asyncio.sleep(micros(probe.spacing) / 1e6)
                    sequences.append(_send(sock, address, probe.size, number, done))
                while len(done.replies) < probe.count:
                    done.changed.clear()
                    await done.changed.wait()
        except Fault as fault:
            # The deadline is not a fault of the probe: what has not come back is lost.
            if fault.kind is not Failure.NO_REPLY:
                raise
        finally:
            for sequence in sequences:
                sock.forget(sequence)
        if done.replies and all(r.is_unreachable for r in done.replies.values()):
            raise Fault(Failure.UNREACHABLE, f"a router says that {address} cannot be reached")

    def _socket_for(self, address: str) -> IcmpSocket:
        version = ipaddress.ip_address(address.partition("%")[0]).version
        sock = self._sockets.get(version)
        if sock is not None and sock.loop is not asyncio.get_running_loop():
            sock.close()
            sock = None
        if sock is None:
            sock = self._sockets[version] = IcmpSocket(version, self.monotonic)
        return sock


def _send(sock: IcmpSocket, address: str, size: int, number: int, done: _Round) -> int:
    def answered(reply: Reply) -> None:
        done.replies[number] = reply
        done.changed.set()

    sequence, done.sent_us[number] = sock.send(address, size, answered)
    return sequence


def _variables(done: _Round, address: str | None, took_us: int) -> dict[str, Any]:
    values: dict[str, Any] = {**echo_variables(done.rtts_us()), "took_ms": took_us / 1000}
    if address is not None:
        values["addr"] = address
    ttls = [reply.ttl for reply in done.replies.values() if reply.ttl is not None]
    if ttls:
        values["ttl"] = ttls[-1]
    return values
