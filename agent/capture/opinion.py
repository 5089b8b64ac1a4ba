"""A second opinion on a name: the same question at another resolver than the one that was used."""

from typing import Any

import msgspec

from agent.capture.place import Place
from agent.ports import Observation, Prober
from agent.probers.dns.servers import own_servers
from agent.probers.network.name_query import queried
from vedette.shared.definitions import Check
from vedette.shared.limits import CAPTURE_US_MAX
from vedette.shared.probes import DnsProbe, Family

_SHOWN_MAX = 10


async def resolved_elsewhere(place: Place, family: Family) -> dict[str, Any]:
    """What the last of the site's own name servers says of the host of `place`, asked directly.

    The probe asked through the system, with its hosts file and cache and the first server first. Fault if it
    gives no address.
    """
    server = own_servers()[-1]
    asked = [(server.address, server.port)]
    found = await queried(place.host, family, asked, CAPTURE_US_MAX // 2)
    return {"server": server.name, "addresses": list(found)[:_SHOWN_MAX]}


async def asked_elsewhere(check: Check, prober: Prober) -> dict[str, Any] | None:
    """What the site's own name servers answer to the question of a DNS check that named others."""
    probe = check.probe
    assert isinstance(probe, DnsProbe)
    if not probe.servers:
        return None
    plain = msgspec.convert({"name": probe.name, "type": probe.type}, DnsProbe)
    plain = msgspec.structs.replace(plain, record_class=probe.record_class)
    seen = await prober.probe(msgspec.structs.replace(check, dns=plain))
    return {"server": seen.facts.get("server"), **shown(seen)}


def shown(seen: Observation) -> dict[str, Any]:
    """An observation in short: how far it came, and with what."""
    facts = seen.facts
    found: dict[str, Any] = {"took": seen.took_us}
    if seen.kind is not None:
        found |= {"kind": str(seen.kind), "detail": (seen.detail or "")[:300]}
    if seen.addr is not None:
        found["addr"] = seen.addr
    for key in ("status", "rcode", "count"):
        if isinstance(facts.get(key), int | str):
            found[key] = facts[key]
    if isinstance(facts.get("answers"), list):
        found["answers"] = [str(text)[:120] for text in facts["answers"][:_SHOWN_MAX]]
    received = seen.variables.get("received")
    if isinstance(received, int):
        found["received"] = received
    return found
