"""Asking: one question to one server after the other until one replies, over the transport of the check."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.probers.dns.connection import Deadline, Peer, Shown, by_connection, policy_for
from agent.probers.dns.datagram import by_datagram
from agent.probers.dns.question import Question
from agent.probers.dns.reply import is_truncated
from agent.probers.dns.servers import Server
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Laps
from agent.probers.network.tls import TlsPolicy
from vedette.shared.probes import DnsProbe


@dataclass(frozen=True, slots=True)
class Transport:
    """How servers are asked."""

    name: str = "udp"
    policy: TlsPolicy = field(default_factory=TlsPolicy)
    server_name: str | None = None
    path: str = "/dns-query"

    @classmethod
    def of(cls, probe: DnsProbe) -> "Transport":
        """The transport of a check."""
        demands = probe.tls
        policy = TlsPolicy(verify=demands.verify, ca=demands.ca)
        if probe.transport in ("tls", "https"):
            policy = policy_for(policy, probe.transport)
        return cls(probe.transport, policy, demands.server_name, probe.path)


@dataclass(slots=True)
class Asked:
    """What became of a question: the last server asked, how, and what it showed of itself."""

    transport: str
    server: Server | None = None
    is_truncated: bool = False
    shown: Shown = field(default_factory=Shown)


async def ask(
    question: Question, servers: Sequence[Server], transport: Transport, asked: Asked, laps: Laps
) -> bytes:
    """The reply to `question`, of the first of `servers` that gives one; `asked` learns each step.

    Each server gets an even share of the time that is left. Fault of the first one that had a part in it
    if none replies.
    """
    worst: Fault | None = None
    for place, server in enumerate(servers):
        asked.server, asked.transport, asked.shown = server, transport.name, Shown()
        ends_us = laps.clock() + laps.left_us("query") // (len(servers) - place)
        try:
            return await _ask_one(question, server, transport, asked, Deadline(ends_us, laps))
        except Fault as fault:
            if worst is None or (worst.kind.is_agent_fault and not fault.kind.is_agent_fault):
                worst = fault
    assert worst is not None, "there is a server to ask"
    raise worst


async def _ask_one(
    question: Question, server: Server, transport: Transport, asked: Asked, deadline: Deadline
) -> bytes:
    carrier = transport.name
    if carrier == "udp":
        try:
            data = await by_datagram(question, server.address, server.port, deadline.left_us / 1e6)
        finally:
            deadline.end("query")
        if not is_truncated(data):
            return data
        asked.is_truncated, asked.transport, carrier = True, "tcp", "tcp"
    host = transport.server_name or server.host
    peer = Peer(server.address, server.port, host, transport.policy, transport.path)
    return await by_connection(question, carrier, peer, deadline, asked.shown)
