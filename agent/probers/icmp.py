"""ICMP probes: a number of echo requests to one address, and what share of them came back when."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

from agent.core.echoes import echo_variables
from agent.ports import Observation
from agent.probers.icmp_packets import Saying
from agent.probers.icmp_socket import Answer, Echo, IcmpSocket
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Laps, Microseconds, Stopwatch, monotonic_us
from vedette.shared.definitions import Check, micros
from vedette.shared.failure import Failure
from vedette.shared.probes import Family, IcmpProbe

_PREPARED_MAX: Final = 16_384
_ERRORS: Final = {
    Saying.UNREACHABLE: (Failure.UNREACHABLE, "{router} says that {address} cannot be reached"),
    Saying.TOO_BIG: (
        Failure.PACKET_TOO_BIG,
        "{router} cannot pass on {size} bytes uncut to {address}",
    ),
    Saying.TTL_EXCEEDED: (
        Failure.TTL_EXCEEDED,
        "{router} dropped the packet to {address}: no hops left",
    ),
}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What of a check stays the same from run to run. It holds the check, so that its id stays its own."""

    check: Check
    probe: IcmpProbe
    spacing_seconds: float
    wait_us: int | None
    timeout_us: int
    is_address: bool

    @classmethod
    def of(cls, check: Check) -> "_Prepared":
        probe = check.probe
        assert isinstance(probe, IcmpProbe)
        wait_us = None if probe.wait is None else micros(probe.wait)
        return cls(
            check,
            probe,
            micros(probe.spacing) / 1e6,
            wait_us,
            check.timeout_us,
            probe.family is Family.ANY and _is_address(probe.host),
        )


class _Round:
    """The requests of one probe: sends them at their spacing and collects the answers until the deadline."""

    def __init__(self, prepared: _Prepared, echo: Echo, sock: IcmpSocket) -> None:
        self._prepared = prepared
        self._echo = echo
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._sequences: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self.sent_us: list[int] = []
        self.replies: dict[int, Answer] = {}
        self.errors: dict[int, Answer] = {}
        self.duplicates = 0

    async def run(self, watch: Stopwatch) -> None:
        """Return when every request is answered, or its time is over. Fault if one cannot be sent."""
        deadline = self._loop.call_later(watch.left_us / 1e6, self._end)
        begun = self._loop.time()
        try:
            self._send(begun)
            await self._done
        finally:
            deadline.cancel()
            if self._timer is not None:
                self._timer.cancel()
            for sequence in self._sequences:
                self._sock.forget(sequence)

    def _send(self, begun: float) -> None:
        """Send the next request, and see to it that the one after it follows in time."""
        number = len(self.sent_us)
        try:
            sequence, sent_us = self._sock.send(
                self._echo, lambda answer: self._take(number, answer)
            )
        except Fault as fault:
            if not self._done.done():
                self._done.set_exception(fault)
            return
        self._sequences.append(sequence)
        self.sent_us.append(sent_us)
        if number + 1 < self._prepared.probe.count:
            next_at = begun + (number + 1) * self._prepared.spacing_seconds
            self._timer = self._loop.call_at(next_at, self._send, begun)
        elif self._prepared.wait_us is not None:
            self._timer = self._loop.call_later(self._prepared.wait_us / 1e6, self._end)

    def _take(self, number: int, answer: Answer) -> None:
        if answer.saying is not Saying.REPLY:
            self.errors.setdefault(number, answer)
        elif number in self.replies:
            self.duplicates += 1
            return
        else:
            self.replies[number] = answer
        if len(self.replies.keys() | self.errors.keys()) == self._prepared.probe.count:
            self._end()

    def _end(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def rtts_us(self) -> list[int | None]:
        """Round trip of each request in sending order; None where it is lost or was turned away."""
        return [
            max(reply.at_us - sent_us, 0) if (reply := self.replies.get(number)) else None
            for number, sent_us in enumerate(self.sent_us)
        ]

    def error_fault(self) -> Fault | None:
        """What was said instead of a reply, if there was no reply at all; the most frequent saying of it."""
        if self.replies or not self.errors:
            return None
        ((saying, _),) = Counter(answer.saying for answer in self.errors.values()).most_common(1)
        said = next(answer for answer in self.errors.values() if answer.saying is saying)
        kind, sentence = _ERRORS[saying]
        router = said.source or "a router"
        echo = self._echo
        return Fault(kind, sentence.format(router=router, address=echo.address, size=echo.size))


@dataclass(slots=True)
class IcmpProber:
    """Runs ICMP checks over one shared socket per family, opened when it is first needed."""

    admission: Admission = field(default_factory=Admission)
    monotonic: Microseconds = monotonic_us
    _sockets: dict[int, IcmpSocket] = field(default_factory=dict)
    _prepared: dict[int, _Prepared] = field(default_factory=dict)

    async def probe(self, check: Check) -> Observation:
        """What comes back now. Never raises for what the target does."""
        prepared = self._of(check)
        probe = prepared.probe
        watch = Stopwatch(prepared.timeout_us, self.monotonic)
        laps = Laps(watch)
        done: _Round | None = None
        address: str | None = None
        fault: Fault | None = None
        try:
            try:
                address = await self._address(prepared, watch)
            finally:
                laps.end("resolve", watch.clock())
            echo = Echo(address, probe.size, probe.dont_fragment, probe.ttl)
            done = _Round(prepared, echo, self._socket_for(address))
            try:
                await done.run(watch)
            finally:
                laps.end("echo", watch.clock())
            fault = done.error_fault()
        except Fault as error:
            fault = error
        took_us = watch.took_us
        return Observation(
            took_us=took_us,
            kind=fault.kind if fault else None,
            detail=fault.detail if fault else None,
            is_agent_fault=fault is not None and fault.kind.is_agent_fault,
            addr=address,
            phases=laps.phases_us,
            variables=_variables(done, address, took_us),
            facts=_facts(probe, done),
        )

    async def close(self) -> None:
        """Close the sockets."""
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()

    def _of(self, check: Check) -> _Prepared:
        prepared = self._prepared.get(id(check))
        if prepared is None:
            if len(self._prepared) >= _PREPARED_MAX:
                self._prepared.clear()
            prepared = self._prepared[id(check)] = _Prepared.of(check)
        return prepared

    async def _address(self, prepared: _Prepared, watch: Stopwatch) -> str:
        probe = prepared.probe
        if prepared.is_address:
            self.admission.demand(probe.host, probe.host)
            return probe.host
        return (await self.admission.addresses(probe.host, probe.family, watch.left_us))[0]

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


def _variables(done: _Round | None, address: str | None, took_us: int) -> dict[str, Any]:
    values = echo_variables(done.rtts_us() if done else ())
    values["took_ms"] = took_us / 1000
    if address is not None:
        values["addr"] = address
    if done is not None:
        values["duplicates"] = done.duplicates
        ttl = next((r.ttl for r in done.replies.values() if r.ttl is not None), None)
        if ttl is not None:
            values["ttl"] = ttl
    return values


def _facts(probe: IcmpProbe, done: _Round | None) -> dict[str, Any]:
    """The `icmp` part of the line: the round trip of every packet, null where it was lost."""
    facts: dict[str, Any] = {
        "host": probe.host, "size": probe.size, "rtts": done.rtts_us() if done else [],
    }  # fmt: skip
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
