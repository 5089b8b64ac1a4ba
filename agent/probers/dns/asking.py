"""Asking: one question to one server after the other until one replies, over the transport of the check."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.probers.dns.connection import Peer, by_connection
from agent.probers.dns.datagram import by_datagram
from agent.probers.dns.question import Question
from agent.probers.dns.reply import Reading, T, read_aside
from agent.probers.dns.servers import Server
from agent.probers.network.fault import Fault
from agent.probers.network.handshake import Shown, TlsWants, policy_of
from agent.probers.network.stopwatch import Stopwatch
from agent.probers.network.tls import TlsPolicy
from vedette.shared.probes import DnsProbe

_ALPN = {"tls": ("dot",), "https": ("h2", "http/1.1")}


@dataclass(frozen=True, slots=True)
class Transport:
    """How servers are asked."""

    name: str = "udp"
    policy: TlsPolicy = field(default_factory=TlsPolicy)
    server_name: str | None = None
    pins: tuple[str, ...] = ()
    path: str = ""

    @classmethod
    def of(cls, probe: DnsProbe) -> "Transport":
        """The transport of a check."""
        policy = policy_of(probe.tls, _ALPN.get(probe.transport, ()))
        return cls(probe.transport, policy, probe.tls.server_name, probe.tls.pins, probe.path)

    def peer(self, server: Server) -> Peer:
        """`server` as a connection has to know it."""
        tls = TlsWants(self.policy, self.server_name or server.host, self.pins)
        return Peer(server.address, server.port, tls.server_name, tls, self.path)


@dataclass(slots=True)
class Asked:
    """What became of a question: the last server asked, how, the phases, and what it showed of itself."""

    transport: str
    server: Server | None = None
    is_truncated: bool = False
    shown: Shown = field(default_factory=Shown)
    phases_us: dict[str, int] = field(default_factory=dict)

    ended_us: int = 0
    """When the last phase ended. What is made of a reply after it arrived is nobody's time."""

    def end(self, name: str, now_us: int) -> None:
        """The phase `name` ended at `now_us`; it began where the one before it ended."""
        self.phases_us[name] = self.phases_us.get(name, 0) + now_us - self.ended_us
        self.ended_us = now_us


async def ask(
    question: Question,
    servers: Sequence[Server],
    transport: Transport,
    asked: Asked,
    watch: Stopwatch,
    reading: Reading[T],
) -> T:
    """What `reading` makes of the reply to `question`, of the first of `servers` that gives one; `asked` learns each step.

    Each server gets an even share of the time that is left. Fault of the first one that had a part in it
    if none replies.
    """
    worst: Fault | None = None
    for place, server in enumerate(servers):
        asked.server, asked.transport, asked.shown = server, transport.name, Shown()
        share_us = watch.left_us // (len(servers) - place)
        try:
            return await _ask_one(
                question, transport, asked, Stopwatch(share_us, watch.clock), reading
            )
        except Fault as fault:
            if worst is None or (worst.kind.is_agent_fault and not fault.kind.is_agent_fault):
                worst = fault
    assert worst is not None, "there is a server to ask"
    raise worst


async def _ask_one(
    question: Question, transport: Transport, asked: Asked, watch: Stopwatch, reading: Reading[T]
) -> T:
    server = asked.server
    assert server is not None
    carrier = transport.name
    if carrier == "udp":
        try:
            made, arrived_us = await by_datagram(
                question, server.address, server.port, watch, reading
            )
        except Fault:
            asked.end("query", watch.clock())
            raise
        asked.end("query", arrived_us)
        if made is not None:
            return made
        asked.is_truncated, asked.transport, carrier = True, "tcp", "tcp"
    peer = transport.peer(server)
    found, phases_us = await by_connection(question, carrier, peer, watch, asked.shown)
    for name, took_us in phases_us.items():
        asked.end(name, asked.ended_us + took_us)
    if isinstance(found, Fault):
        raise found
    return await read_aside(reading, found, server.where)
