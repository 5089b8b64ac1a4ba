"""The TCP prober: connect, speak as the check says, and tell how far it came."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from agent.core.evaluation import names_read
from agent.ports import Observation
from agent.probers.network.admission import Admission
from agent.probers.network.certificate import tls_facts, tls_variables
from agent.probers.network.fault import Fault
from agent.probers.network.handshake import TlsWants, policy_of
from agent.probers.network.stopwatch import Microseconds, Stopwatch, monotonic_us
from agent.probers.network.stream import connected
from agent.probers.network.tls import ready
from agent.probers.tcp.conversation import Conversation, text_of
from agent.probers.tcp.dialogue import Dialogue
from agent.probers.tcp.starttls import agree
from agent.probers.transport.steps import Steps
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import SHOWN_CHARS_MAX
from vedette.shared.probes import TcpProbe


def _wall_us() -> int:
    return time.time_ns() // 1000


@dataclass(slots=True)
class _Seen:
    """What one probe saw, as far as it came."""

    addr: str | None = None
    conversation: Conversation | None = None
    dialogue: Dialogue | None = None


@dataclass(frozen=True, slots=True)
class TcpProber:
    """Runs TCP checks. `admission` decides which addresses may be reached."""

    admission: Admission = field(default_factory=Admission)
    monotonic: Microseconds = monotonic_us
    wall: Microseconds = _wall_us

    async def probe(self, check: Check) -> Observation:
        """What the target does now. Never raises for what it does."""
        probe = check.probe
        assert isinstance(probe, TcpProbe)
        names = names_read(check)
        fault = await _unready(probe)
        watch = Stopwatch(check.timeout_us, self.monotonic)
        steps = Steps(watch)
        seen = _Seen()
        try:
            if fault is None:
                async with steps:
                    await self._speak(probe, steps, seen, wants_banner="banner" in names)
        except Fault as error:
            fault = error
        finally:
            if seen.conversation is not None:
                seen.conversation.close()
        took_us = watch.took_us
        return Observation(
            took_us=took_us,
            kind=fault.kind if fault else None,
            detail=fault.detail if fault else None,
            is_agent_fault=fault is not None and fault.kind.is_agent_fault,
            addr=seen.addr,
            phases=steps.phases_us,
            variables=self._variables(seen, steps.phases_us, took_us, names),
            facts=_facts(probe, seen),
        )

    async def _speak(
        self, probe: TcpProbe, steps: Steps, seen: _Seen, *, wants_banner: bool
    ) -> None:
        """Connect and speak; `seen` learns each step. Fault where it does not go on."""
        steps.begin("resolve", Failure.RESOLVE_TIMEOUT, f"{probe.host} was not resolved")
        addresses = await self.admission.addresses(
            probe.host, probe.family, steps.left_us, port=probe.port
        )
        steps.end()
        seen.addr = addresses[0]
        steps.begin("connect", Failure.CONNECT_TIMEOUT, f"no connection to {probe.target}")
        stream = await connected(addresses, probe.port, steps.left_us, steps.clock)
        steps.end()
        seen.addr = stream.address
        conversation = seen.conversation = Conversation(stream, steps)
        demands = probe.demands
        wants = TlsWants(policy_of(demands), demands.server_name or probe.host, demands.pins)
        dialogue = seen.dialogue = Dialogue(conversation, wants)
        if probe.is_implicit_tls:
            await conversation.start_tls(wants)
        elif probe.starttls is not None:
            late = f"{stream.address} did not greet"
            steps.begin("starttls", Failure.DIALOGUE_TIMEOUT, late)
            await agree(conversation, probe.starttls)
            steps.end()
            await conversation.start_tls(wants)
        if not probe.dialogue and not wants_banner:
            if probe.demands.client is not None:
                await conversation.hear_refusal()
            return
        steps.begin("dialogue", Failure.DIALOGUE_TIMEOUT, f"{stream.address} did not greet")
        for number, step in enumerate(probe.dialogue, start=1):
            await dialogue.run(number, step)
        if wants_banner and conversation.banner is None:
            steps.now(Failure.DIALOGUE_TIMEOUT, f"{stream.address} did not greet")
            if await conversation.line() is None:
                said = f"{stream.address} closed the connection without a greeting"
                raise Fault(Failure.CONNECTION_LOST, said)
        steps.end()

    def _variables(
        self, seen: _Seen, phases_us: dict[str, int], took_us: int, names: Collection[str]
    ) -> dict[str, Any]:
        """The expectation variables; those of what was not reached are absent."""
        values: dict[str, Any] = {
            "connected": seen.conversation is not None,
            "took_ms": took_us / 1000,
            "phases": {f"{name}_ms": us / 1000 for name, us in phases_us.items()},
        }
        if seen.addr is not None:
            values["addr"] = seen.addr
        if seen.conversation is not None and seen.conversation.banner is not None:
            values["banner"] = text_of(seen.conversation.banner)
        if seen.dialogue is not None:
            values["captures"] = seen.dialogue.captures
        shown = seen.conversation.shown if seen.conversation is not None else None
        if "tls" in names and shown is not None and shown.is_tls:
            values["tls"] = tls_variables(
                shown.chain, shown.version, shown.cipher,
                verified=shown.is_verified, now_us=self.wall(),
            )  # fmt: skip
        return values


async def _unready(probe: TcpProbe) -> Fault | None:
    """Why TLS cannot be spoken as the check has it, before anything is measured."""
    if not probe.speaks_tls:
        return None
    try:
        await ready(policy_of(probe.demands))
    except Fault as fault:
        return fault
    return None


def _facts(probe: TcpProbe, seen: _Seen) -> dict[str, Any]:
    """The `tcp` part of the line: what the target greets with, and of the rest amounts and times only."""
    facts: dict[str, Any] = {"host": probe.host, "port": probe.port}
    conversation, dialogue = seen.conversation, seen.dialogue
    if conversation is None:
        return facts
    if probe.starttls is not None:
        facts["starttls"] = probe.starttls.value
    if conversation.banner is not None:
        facts["banner"] = text_of(conversation.banner)[:SHOWN_CHARS_MAX]
    if conversation.received_bytes:
        facts["received"] = conversation.received_bytes
    if dialogue is not None and dialogue.facts:
        facts["dialogue"] = dialogue.facts
        facts["captures"] = sorted(dialogue.captures)
    if conversation.shown.is_tls:
        shown = conversation.shown
        facts["tls"] = tls_facts(shown.chain, shown.version, shown.cipher)
    return facts
