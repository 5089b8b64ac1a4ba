"""Zones signed in the test, and a resolver over them that answers with signatures and proofs."""

import base64
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.transaction
import dns.zone
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dns.dnssectypes import Algorithm
from dns.rdtypes.ANY.NSEC3 import NSEC3
from dns.rdtypes.util import Bitmap

if TYPE_CHECKING:
    from dns.rdtypes.ANY.DNSKEY import DNSKEY

DAY_SECONDS = 86_400
SALT = bytes.fromhex("ab12")
Name = dns.name.Name
Type = dns.rdatatype.RdataType


def name_of(text: str) -> Name:
    return dns.name.from_text(text)


@dataclass
class SignedZone:
    """One zone. `records` are lines `owner TTL TYPE data`; SOA and NS are added."""

    origin: str
    records: list[str] = field(default_factory=list)
    days: float = 30
    is_signed: bool = True
    nsec3: bool = False
    opt_out: bool = False
    iterations: int = 0
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def __post_init__(self) -> None:
        self.apex = name_of(self.origin)
        self.dnskey: DNSKEY = dns.dnssec.make_dnskey(
            self.key.public_key(), Algorithm.ED25519, flags=257
        )
        self.zone = dns.zone.Zone(self.apex, relativize=False)
        self.ends = time.time() + self.days * DAY_SECONDS
        own = [
            f"{self.origin} 3600 SOA ns1.{self.origin} root.{self.origin} 1000 7200 3600 86400 60",
            f"{self.origin} 3600 NS ns1.{self.origin}",
        ]
        with self.zone.writer() as txn:
            for line in own + self.records:
                owner, ttl, rdtype, data = line.replace("..", ".").split(" ", 3)
                txn.add(name_of(owner), int(ttl), dns.rdata.from_text("IN", rdtype, data))
        if self.is_signed and not self.nsec3:
            dns.dnssec.sign_zone(
                self.zone,
                keys=[(self.key, self.dnskey)],
                inception=self.ends - 60 * DAY_SECONDS,
                expiration=self.ends,
            )
        elif self.is_signed:
            self._sign_with_nsec3()

    def ds(self) -> str:
        """The line that its parent needs."""
        ds = dns.dnssec.make_ds(self.apex, self.dnskey, "SHA256")
        return f"{self.origin} 3600 DS {ds.to_text()}"

    def anchor(self) -> str:
        """The record that a check trusts."""
        return f"{self.origin} DNSKEY {self.dnskey.to_text()}"

    def digest(self, name: Name) -> str:
        return dns.dnssec.nsec3_hash(name, SALT, self.iterations, 1)

    def _sign(self, txn: dns.transaction.Transaction, rrset: dns.rrset.RRset) -> None:
        keys: list[Any] = [(self.key, self.dnskey)]
        dns.dnssec.default_rrset_signer(
            txn, rrset, signer=self.apex, ksks=keys, zsks=keys,
            inception=self.ends - 60 * DAY_SECONDS, expiration=self.ends, origin=self.apex,
        )  # fmt: skip

    def _sign_with_nsec3(self) -> None:
        with self.zone.writer() as txn:
            txn.add(self.apex, 3600, self.dnskey)
            own = sorted(txn.iterate_names())
            types = {n: {s.rdtype for s in txn.get_node(n).rdatasets} for n in own}
            for name in own:
                for above in _between(name, self.apex):
                    types.setdefault(above, set())
            cuts = {n for n in own if dns.rdatatype.NS in types[n] and n != self.apex}
            if self.opt_out:
                types = {n: t for n, t in types.items() if n not in cuts or dns.rdatatype.DS in t}
            for name in own:
                for rdataset in list(txn.get_node(name).rdatasets):
                    if name not in cuts or rdataset.rdtype == dns.rdatatype.DS:
                        self._sign(txn, dns.rrset.from_rdata(name, rdataset.ttl, *rdataset))
            chain = sorted((self.digest(n), n) for n in types)
            for place, (digest, name) in enumerate(chain):
                following = base64.b32hexdecode(chain[(place + 1) % len(chain)][0].upper())
                shown = types[name] | ({dns.rdatatype.RRSIG} if types[name] - {2} else set())
                rdata = NSEC3(  # type: ignore[no-untyped-call]  # dnspython leaves rdata untyped
                    1, dns.rdatatype.NSEC3, 1, int(self.opt_out), self.iterations, SALT,
                    following, Bitmap.from_rdtypes(list(shown)).windows,
                )  # fmt: skip
                owner = dns.name.Name((digest.encode(), *self.apex.labels))
                rrset = dns.rrset.from_rdata(owner, 60, rdata)
                txn.add(rrset)
                self._sign(txn, rrset)


def _between(name: Name, apex: Name) -> Iterator[Name]:
    while name != apex:
        name = name.parent()
        if name != apex:
            yield name


@dataclass
class Resolver:
    """Answers from the zones as a resolver would that validates nothing. `drop` leaves rdata types out."""

    zones: list[SignedZone]
    drop: set[Type] = field(default_factory=set)
    asked: list[tuple[Name, Type]] = field(default_factory=list)

    def __call__(self, query: dns.message.QueryMessage) -> list[bytes]:
        question = query.question[0]
        self.asked.append((question.name, question.rdtype))
        reply = dns.message.make_response(query, recursion_available=True)
        self._answer(reply, question.name, question.rdtype)
        return [reply.to_wire(max_size=65535)]

    def _answer(self, reply: dns.message.Message, name: Name, rdtype: Type) -> None:
        zone = self._zone_of(name, rdtype)
        if zone is None:
            reply.set_rcode(dns.rcode.REFUSED)
            return
        node = zone.zone.get_node(name)
        if node is not None and self._give(zone, reply.answer, name, name, rdtype):
            return
        if node is not None and self._give(zone, reply.answer, name, name, dns.rdatatype.CNAME):
            alias = zone.zone.get_rdataset(name, dns.rdatatype.CNAME)
            assert alias is not None
            target = alias[0].target
            self._answer(reply, target, rdtype)
            return
        exists = any(n.is_subdomain(name) for n in zone.zone.nodes)
        wildcard = _wildcard_of(zone, name)
        if not exists and wildcard is not None and zone.zone.get_rdataset(wildcard, rdtype):
            self._give(zone, reply.answer, wildcard, name, rdtype)
            self._prove(zone, reply, [name])
            return
        self._give(zone, reply.authority, zone.apex, zone.apex, dns.rdatatype.SOA)
        if not exists and wildcard is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        self._prove(zone, reply, [name, *_above(zone, name)])

    def _zone_of(self, name: Name, rdtype: Type) -> SignedZone | None:
        found = [z for z in self.zones if name.is_subdomain(z.apex)]
        if rdtype == dns.rdatatype.DS and any(
            z.apex.is_superdomain(name) and z.apex != name for z in found
        ):
            found = [z for z in found if z.apex != name]
        return max(found, key=lambda z: len(z.apex), default=None)

    def _give(
        self,
        zone: SignedZone,
        section: list[dns.rrset.RRset],
        owner: Name,
        shown: Name,
        rdtype: Type,
    ) -> bool:
        """Put the records of `owner` and their signatures into `section`, as if they stood at `shown`."""
        rdataset = zone.zone.get_rdataset(owner, rdtype)
        if rdataset is None:
            return False
        for part in (rdataset, zone.zone.get_rdataset(owner, dns.rdatatype.RRSIG, rdtype)):
            if part is not None and part.rdtype not in self.drop:
                rrset = dns.rrset.from_rdata(shown, part.ttl, *part)
                if rrset not in section:
                    section.append(rrset)
        return True

    def _prove(self, zone: SignedZone, reply: dns.message.Message, names: Iterable[Name]) -> None:
        for name in names:
            owner = _prover3(zone, name) if zone.nsec3 else _prover(zone, name)
            if owner is not None:
                rdtype = dns.rdatatype.NSEC3 if zone.nsec3 else dns.rdatatype.NSEC
                self._give(zone, reply.authority, owner, owner, rdtype)


def _above(zone: SignedZone, name: Name) -> list[Name]:
    """What else a denial has to speak of: every name above, and the wildcards beside it."""
    above = [*_between(name, zone.apex), zone.apex] if name != zone.apex else []
    return [*above, *(dns.name.Name((b"*", *n.labels)) for n in above)]


def _wildcard_of(zone: SignedZone, name: Name) -> Name | None:
    for above in [*_between(name, zone.apex), zone.apex]:
        wildcard = dns.name.Name((b"*", *above.labels))
        if wildcard in zone.zone.nodes:
            return wildcard
        if above in zone.zone.nodes:
            return None
    return None


def _prover(zone: SignedZone, name: Name) -> Name | None:
    """The owner of the NSEC that matches or covers `name`."""
    owners = sorted(n for n in zone.zone.nodes if zone.zone.get_rdataset(n, dns.rdatatype.NSEC))
    below = [n for n in owners if n <= name]
    return below[-1] if below else (owners[-1] if owners else None)


def _prover3(zone: SignedZone, name: Name) -> Name | None:
    owners = sorted(n for n in zone.zone.nodes if zone.zone.get_rdataset(n, dns.rdatatype.NSEC3))
    digest = zone.digest(name).lower().encode()
    below = [n for n in owners if n.labels[0].lower() <= digest]
    return below[-1] if below else (owners[-1] if owners else None)
