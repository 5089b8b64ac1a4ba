"""What a reply is worth: every set of records in it, or its denial, led back to a trust anchor."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from agent.probers.dns.denial import Denied
from agent.probers.dns.signatures import State, Unproven, rrsigs_of
from agent.probers.dns.walk import Walk, rrset_in

_ALIASES_MAX: Final = 16
_WORST_FIRST: Final = (State.BOGUS, State.INDETERMINATE, State.INSECURE, State.SECURE)


@dataclass(frozen=True, slots=True)
class Proof:
    """The state of a reply, why it is no better, and when the first of its signatures expires."""

    state: State
    reason: str | None = None
    days_left: float | None = None
    zones: tuple[str, ...] = ()

    def variables(self) -> dict[str, Any]:
        """The `dnssec` variable."""
        values: dict[str, Any] = {"state": self.state.value, "zones": list(self.zones)}
        if self.reason is not None:
            values["reason"] = self.reason
        if self.days_left is not None:
            values["days_left"] = self.days_left
        return values


async def proof_of(
    walk: Walk, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, reply: dns.message.Message
) -> Proof:
    """What `reply` to the question for `name` and `rdtype` is worth."""
    judge = _Judge(walk)
    await judge.hear(judge.judged(name, rdtype, reply))
    state = next(s for s in _WORST_FIRST if s in judge.states)
    return Proof(state, judge.states[state], walk.signatures.days_left, tuple(walk.trail))


@dataclass(slots=True)
class _Judge:
    """Hears every part of a reply; the worst decides."""

    walk: Walk
    states: dict[State, str | None] = field(default_factory=lambda: {State.SECURE: None})

    async def hear(self, part: Coroutine[Any, Any, None]) -> None:
        """Take what `part` proves, or why it proves nothing."""
        try:
            await part
        except Unproven as end:
            self.states.setdefault(end.state, end.reason)

    async def judged(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, reply: dns.message.Message
    ) -> None:
        """Hear the aliases from `name` on, and the records at their end or the proof that there are none."""
        message = reply
        if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            # A resolver that found the answer bogus says SERVFAIL; unchecked, it shows what it saw.
            message = await self.walk.message(name, rdtype)
        for _ in range(_ALIASES_MAX):
            found = rrset_in(message.answer, name, rdtype)
            if found is not None:
                return await self.hear(self._proven(found, message))
            alias = rrset_in(message.answer, name, dns.rdatatype.CNAME)
            if alias is None:
                return await self.hear(self._denied(name, rdtype, message))
            await self.hear(self._proven(alias, message))
            target = alias[0].target
            if target == name:
                break
            name = target
        raise Unproven(State.BOGUS, f"the aliases from {name} on do not end")

    async def _proven(self, rrset: dns.rrset.RRset, message: dns.message.Message) -> None:
        """Unproven unless `rrset` is signed by its zone, and by that of no wildcard that has no say."""
        if not rrsigs_of(rrset, message.answer) and rrset.rdtype == dns.rdatatype.CNAME:
            dname = _dname_above(rrset, message)
            if dname is not None:
                return await self._proven(dname, message)
        parent = rrset.rdtype == dns.rdatatype.DS and rrset.name != dns.name.root
        zone = await self.walk.zone_of(rrset.name.parent() if parent else rrset.name)
        rrsig = self.walk.signatures.verified(zone, rrset, message.answer)
        labels = len(rrset.name) - 1
        if rrset.name.is_wild():
            labels -= 1
        if rrsig.labels < labels:
            proofs = self.walk.proofs(zone, message)
            _demand(proofs.no_closer(rrset.name, rrsig.labels), f"{rrset.name} is not there itself")
        return None

    async def _denied(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, message: dns.message.Message
    ) -> None:
        """Unproven unless it is proven that `name` has no such records, or is not there at all."""
        parent = rdtype == dns.rdatatype.DS and name != dns.name.root
        zone = await self.walk.zone_of(name.parent() if parent else name)
        proofs = self.walk.proofs(zone, message)
        if message.rcode() == dns.rcode.NXDOMAIN:
            _demand(proofs.no_name(name), f"{name} does not exist")
        else:
            what = f"{name} has no {dns.rdatatype.to_text(rdtype)} record"
            _demand(proofs.no_data(name, rdtype), what)


def _demand(denied: Denied, what: str) -> None:
    if denied is Denied.UNPROVEN:
        raise Unproven(State.BOGUS, f"it is not proven that {what}")
    if denied is Denied.OPT_OUT:
        raise Unproven(State.INSECURE, f"the zone leaves open (opt-out) whether {what}")


def _dname_above(alias: dns.rrset.RRset, message: dns.message.Message) -> dns.rrset.RRset | None:
    """The DNAME record that `alias`, which is not signed, was made from; None if there is none that fits."""
    for rrset in message.answer:
        if rrset.rdtype != dns.rdatatype.DNAME or not alias.name.is_subdomain(rrset.name):
            continue
        target = rrset[0].target
        made = alias.name.relativize(rrset.name).derelativize(target)
        if made == alias[0].target:
            return rrset
    return None
