"""What a DNS probe saw, as variables for expectations and as facts for the line."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from agent.probers.dns.asking import Asked
from agent.probers.dns.chain import Proof
from agent.probers.dns.reply import Reply
from agent.probers.dns.serials import Serials
from agent.probers.network.certificate import tls_facts, tls_variables
from vedette.shared.limits import SHOWN_CHARS_MAX
from vedette.shared.probes import DnsProbe


@dataclass(slots=True)
class Seen:
    """Everything that one probe saw, as far as it came."""

    asked: Asked
    reply: Reply | None = None
    proof: Proof | None = None
    serials: Serials | None = None


def variables_of(
    seen: Seen, phases_us: Mapping[str, int], took_us: int, now_us: int, names: Collection[str]
) -> dict[str, Any]:
    """The expectation variables; those of what was not reached are absent."""
    asked = seen.asked
    values: dict[str, Any] = {
        "transport": asked.transport,
        "took_ms": took_us / 1000,
        "phases": {f"{name}_ms": us / 1000 for name, us in phases_us.items()},
    }
    if asked.server is not None:
        values["server"], values["addr"] = asked.server.name, asked.server.address
    if "tls" in names and asked.shown.version:
        values["tls"] = tls_variables(
            asked.shown.chain, asked.shown.version, asked.shown.cipher,
            verified=asked.shown.is_verified, now_us=now_us,
        )  # fmt: skip
    if seen.reply is not None:
        values.update(seen.reply.variables)
    if seen.proof is not None:
        values["dnssec"] = seen.proof.variables()
    if seen.serials is not None:
        values["serials"] = seen.serials.by_server
        values["serials_equal"] = seen.serials.are_equal
    return values


def facts_of(seen: Seen, probe: DnsProbe) -> dict[str, Any]:
    """The `dns` part of the line."""
    asked = seen.asked
    facts: dict[str, Any] = {
        "name": probe.name, "type": probe.type, "transport": asked.transport,
    }  # fmt: skip
    if asked.server is not None:
        facts["server"] = asked.server.name
    if asked.is_truncated:
        facts["truncated"] = True
    if seen.reply is not None:
        facts.update(seen.reply.facts)
    if seen.proof is not None:
        facts["dnssec"] = seen.proof.variables()
    if seen.serials is not None:
        facts["zone"] = seen.serials.zone
        facts["serials"] = dict(seen.serials.by_server)
        if seen.serials.reasons:
            facts["serials_missing"] = {
                server: reason[:SHOWN_CHARS_MAX] for server, reason in seen.serials.reasons.items()
            }
    if asked.shown.is_tls:
        facts["tls"] = tls_facts(asked.shown.chain, asked.shown.version, asked.shown.cipher)
    return facts
