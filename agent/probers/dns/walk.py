"""The way from a trust anchor down to a zone: a DS record and a key at every cut, each signed by the one above.

Validation here is that of a stub: everything is asked of the servers of the check, with the CD flag, so that
a resolver that validates itself shows what it would hide behind SERVFAIL.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

from agent.probers.dns.denial import Delegation, Proofs, proofs_of
from agent.probers.dns.signatures import (
    Signatures,
    State,
    Unproven,
    Zone,
    is_supported,
    trusted_keys,
)
from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure
from vedette.shared.limits import DNSSEC_QUERIES_MAX
from vedette.shared.probes.dns import ROOT_ANCHORS

Asks = Callable[[dns.name.Name, dns.rdatatype.RdataType], Awaitable[dns.message.Message]]
Anchors = Mapping[dns.name.Name, Sequence[dns.rdata.Rdata]]

_NOERROR_OR_NXDOMAIN = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
_DENYING = (dns.rdatatype.NSEC, dns.rdatatype.NSEC3)


@dataclass(slots=True)
class Walk:
    """Walks from `anchors` by `asks`, and remembers every zone it has proven."""

    asks: Asks
    anchors: Anchors
    signatures: Signatures
    trail: list[str] = field(default_factory=list)
    """The zones that were proven, in order, for people."""
    _found: dict[dns.name.Name, Zone | Unproven | None] = field(default_factory=dict)
    _asked: int = 0

    async def zone_of(self, name: dns.name.Name) -> Zone:
        """The deepest zone above or at `name` whose keys are proven. Unproven if the way there breaks off."""
        anchor = next((a for a in _upwards(name) if a in self.anchors), None)
        if anchor is None:
            raise Unproven(State.INDETERMINATE, f"no anchor of the check is above {name}")
        zone = await self._anchored(anchor)
        for child in reversed([n for n in _upwards(name) if len(n) > len(anchor)]):
            below = await self._step(zone, child)
            if below is None:
                return zone
            zone = below
        return zone

    async def message(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
    ) -> dns.message.Message:
        """The reply to a question of the walk. Unproven if there is none that helps."""
        self._asked += 1
        if self._asked > DNSSEC_QUERIES_MAX:
            raise Unproven(State.INDETERMINATE, f"{name} is more questions away than are asked")
        what = f"{name} {dns.rdatatype.to_text(rdtype)}"
        try:
            reply = await self.asks(name, rdtype)
        except Fault as fault:
            if fault.kind.is_agent_fault:
                raise
            raise Unproven(State.INDETERMINATE, f"{what}: {fault.detail}") from fault
        if reply.rcode() not in _NOERROR_OR_NXDOMAIN:
            code = dns.rcode.to_text(reply.rcode())
            raise Unproven(State.INDETERMINATE, f"{what}: the server says {code}")
        return reply

    def proofs(self, zone: Zone, message: dns.message.Message) -> Proofs:
        """What `zone` proves absent in `message`. Unproven if a proof is not signed as it should be."""
        verified: list[tuple[dns.name.Name, Any]] = []
        for rrset in message.authority:
            if rrset.rdtype in _DENYING:
                self.signatures.verified(zone, rrset, message.authority)
                verified += [(rrset.name, rdata) for rdata in rrset]
        proofs = proofs_of(zone.name, verified)
        if proofs.are_too_dear:
            reason = f"the proofs of {zone.name} ask for too much hashing to be checked"
            raise Unproven(State.INSECURE, reason)
        return proofs

    async def _anchored(self, anchor: dns.name.Name) -> Zone:
        """The zone of an anchor, whose keys the anchor names."""
        if anchor not in self._found:
            try:
                self._found[anchor] = await self._keyed(anchor, self.anchors[anchor], "the anchor")
            except Unproven as end:
                self._found[anchor] = end
        found = self._found[anchor]
        if isinstance(found, Unproven):
            raise found
        assert found is not None
        return found

    async def _step(self, zone: Zone, child: dns.name.Name) -> Zone | None:
        """The zone that `child` is in, given that of its parent; None if there is nothing at `child`."""
        if child not in self._found:
            try:
                self._found[child] = await self._stepped(zone, child)
            except Unproven as end:
                self._found[child] = end
        found = self._found[child]
        if isinstance(found, Unproven):
            raise found
        return found

    async def _stepped(self, zone: Zone, child: dns.name.Name) -> Zone | None:
        message = await self.message(child, dns.rdatatype.DS)
        ds = rrset_in(message.answer, child, dns.rdatatype.DS)
        if ds is not None:
            self.signatures.verified(zone, ds, message.answer)
            return await self._keyed(child, list(ds), f"the DS record in {zone.name}")
        alias = rrset_in(message.answer, child, dns.rdatatype.CNAME)
        if alias is not None:
            self.signatures.verified(zone, alias, message.answer)
            return zone
        if any(r.rdtype == dns.rdatatype.SOA and r.name == child for r in message.authority):
            reason = (
                f"the server answers for {child} itself and not for {zone.name} above it: ask a resolver, "
                f"or give the check an anchor of {child}"
            )
            raise Unproven(State.INDETERMINATE, reason)
        match self.proofs(zone, message).delegation(child):
            case Delegation.INSECURE:
                raise Unproven(State.INSECURE, f"{zone.name} has no DS record for {child}")
            case Delegation.NO_CUT:
                return zone
            case Delegation.NO_NAME:
                return None
            case None:
                reason = f"{zone.name} does not prove that {child} has no DS record"
                raise Unproven(State.BOGUS, reason)

    async def _keyed(self, name: dns.name.Name, anchors: Sequence[Any], whose: str) -> Zone:
        """The zone `name` with its keys, which one of the keys that `anchors` name has signed."""
        if not any(a.rdtype == dns.rdatatype.DNSKEY or is_supported(a) for a in anchors):
            raise Unproven(State.INSECURE, f"{whose} for {name} uses an algorithm unknown here")
        message = await self.message(name, dns.rdatatype.DNSKEY)
        keys = rrset_in(message.answer, name, dns.rdatatype.DNSKEY)
        if keys is None:
            raise Unproven(State.BOGUS, f"{name} shows no keys, although {whose} names one")
        trusted = trusted_keys(name, keys, anchors)
        if trusted is None:
            raise Unproven(State.BOGUS, f"no key of {name} is the one that {whose} names")
        self.signatures.verified(Zone(name, trusted), keys, message.answer)
        self.trail.append(name.to_text())
        return Zone(name, keys)


def rrset_in(
    section: Sequence[dns.rrset.RRset], name: dns.name.Name, rdtype: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    """The records of `name` and `rdtype` in `section`."""
    return next((r for r in section if r.name == name and r.rdtype == rdtype), None)


@lru_cache(maxsize=1024)
def anchors_of(texts: tuple[str, ...]) -> Anchors:
    """The anchors that `texts` say, by owner; those of the root if there are none. Fault if one is none."""
    found: dict[dns.name.Name, list[dns.rdata.Rdata]] = {}
    for text in texts or ROOT_ANCHORS:
        owner, _, rest = " ".join(text.split()).partition(" ")
        words = rest.split(" ")
        while words[0].isdigit() or words[0] == "IN":
            del words[0]
        try:
            name = dns.name.from_text(owner)
            rdata = dns.rdata.from_text("IN", words[0], " ".join(words[1:]))
        except (dns.exception.DNSException, ValueError) as error:
            raise Fault(
                Failure.UNRUNNABLE, f"the anchor {text[:60]!r} cannot be read: {error}"
            ) from error
        found.setdefault(name, []).append(rdata)
    return found


def _upwards(name: dns.name.Name) -> list[dns.name.Name]:
    """`name` and the names above it, up to the root."""
    return [dns.name.Name(name.labels[place:]) for place in range(len(name.labels))]
