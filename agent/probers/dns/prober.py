"""The DNS prober: one question, and what a check wants to know besides its answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import dns.message
import dns.name
import dns.rdatatype

from agent.core.evaluation import names_read
from agent.ports import Observation
from agent.probers.dns.asking import Asked, Transport, ask
from agent.probers.dns.chain import Proof, proof_of
from agent.probers.dns.observation import Seen, facts_of, variables_of
from agent.probers.dns.question import Manner, Question, question_of
from agent.probers.dns.reply import Reply, message_of, reply_of, signed_reply_of
from agent.probers.dns.serials import Census
from agent.probers.dns.servers import Named, Server, admitted_servers, named_servers
from agent.probers.dns.signatures import Signatures, State
from agent.probers.dns.walk import Asks, Walk, anchors_of
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Microseconds, Stopwatch, monotonic_us
from vedette.shared.definitions import Check
from vedette.shared.limits import PLANS_KEPT_MAX
from vedette.shared.probes import DnsProbe
from vedette.shared.probes.dns import PORTS


def _wall_us() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What of a check stays the same from run to run. It holds the check, so that its id stays its own."""

    check: Check
    probe: DnsProbe
    question: Question
    servers: tuple[Named, ...]
    transport: Transport
    names: frozenset[str]
    timeout_us: int


@dataclass(slots=True)
class DnsProber:
    """Runs DNS checks.

    Servers that a check chooses are subject to the site's policy; the site's own servers are not, because
    the site chose them itself and uses them for every other name.
    """

    admission: Admission = field(default_factory=Admission)
    monotonic: Microseconds = monotonic_us
    wall: Microseconds = _wall_us
    _prepared: dict[int, _Prepared] = field(default_factory=dict)

    async def probe(self, check: Check) -> Observation:
        """What the name servers answer now. Never raises for what they do."""
        probe = check.probe
        assert isinstance(probe, DnsProbe)
        seen = Seen(Asked(probe.transport))
        fault: Fault | None = None
        names: frozenset[str] = frozenset()
        watch = Stopwatch(0, self.monotonic)
        seen.asked.ended_us = watch.started_us
        try:
            prepared = self._of(check)
            names = prepared.names
            watch.ends_us += prepared.timeout_us
            await self._see(prepared, seen, watch)
        except Fault as error:
            fault = error
        took_us = seen.asked.ended_us - watch.started_us
        phases_us = seen.asked.phases_us
        return Observation(
            took_us=took_us,
            kind=fault.kind if fault else None,
            detail=fault.detail if fault else None,
            is_agent_fault=fault is not None and fault.kind.is_agent_fault,
            addr=seen.asked.server.address if seen.asked.server else None,
            phases=phases_us,
            variables=variables_of(seen, phases_us, took_us, self.wall(), names),
            facts=facts_of(seen, probe),
        )

    def _of(self, check: Check) -> _Prepared:
        prepared = self._prepared.get(id(check))
        if prepared is None:
            if len(self._prepared) >= PLANS_KEPT_MAX:
                del self._prepared[next(iter(self._prepared))]  # the oldest gives way
            probe = check.probe
            assert isinstance(probe, DnsProbe)
            prepared = self._prepared[id(check)] = _Prepared(
                check,
                probe,
                question_of(probe),
                named_servers(probe),
                Transport.of(probe),
                names_read(check),
                check.timeout_us,
            )
        return prepared

    async def _see(self, prepared: _Prepared, seen: Seen, watch: Stopwatch) -> None:
        """Ask, and find out what the check wants to know of the answer; `seen` learns each step."""
        probe = prepared.probe
        asked = seen.asked
        try:
            servers = await admitted_servers(prepared.servers, probe, self.admission, watch)
        finally:
            asked.end("resolve", watch.clock())
        reading = reply_of if probe.dnssec is None else signed_reply_of
        seen.reply = await ask(
            prepared.question, servers, prepared.transport, asked, watch, reading
        )
        server = asked.server
        assert server is not None
        if probe.dnssec is not None:
            try:
                seen.proof = await self._proof(prepared, server, seen.reply, watch)
            finally:
                asked.end("dnssec", watch.clock())
        if probe.serials:
            try:
                census = self._census(prepared, servers, watch)
                seen.serials = await census.serials(prepared.question.name)
            finally:
                asked.end("serials", watch.clock())

    async def _proof(
        self, prepared: _Prepared, server: Server, reply: Reply, watch: Stopwatch
    ) -> Proof:
        """What the `reply` of `server` is worth, by what the same server says of the zones above."""
        assert prepared.probe.dnssec is not None
        assert reply.message is not None, "it was read to be proven"
        if reply.left_out:
            reason = f"the reply has {reply.left_out} records more than are read"
            return Proof(State.INDETERMINATE, reason)
        anchors = anchors_of(tuple(prepared.probe.dnssec.anchors))
        manner = Manner(dnssec_ok=True, checking_disabled=True)
        asks = self._asks(prepared, [server], watch, manner)
        walk = Walk(asks, anchors, Signatures(lambda: self.wall() / 1e6))
        question = prepared.question
        return await proof_of(walk, question.name, question.rdtype, reply.message)

    def _asks(
        self, prepared: _Prepared, servers: Sequence[Server], watch: Stopwatch, manner: Manner
    ) -> Asks:
        """A way to put further questions to `servers`, over the transport of the check."""
        transport = prepared.transport

        async def asks(name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.message.Message:
            asked = Asked(transport.name)
            question = Question.of(name, rdtype, manner)
            return await ask(question, servers, transport, asked, watch, message_of)

        return asks

    def _census(self, prepared: _Prepared, servers: Sequence[Server], watch: Stopwatch) -> Census:
        """How the name servers of the zone are found (as the check asks) and asked (without recursion)."""
        probe = prepared.probe
        plain = Transport()

        async def asks_one(name: dns.name.Name, server: Server) -> dns.message.Message:
            question = Question.of(name, dns.rdatatype.SOA, Manner(recursion=False))
            return await ask(question, [server], plain, Asked(plain.name), watch, message_of)

        asks = self._asks(prepared, servers, watch, Manner(recursion=probe.recursion))
        port = PORTS["udp"] if probe.transport in ("tls", "https") else probe.port_or_default
        return Census(asks, asks_one, self.admission, probe.family, port)
