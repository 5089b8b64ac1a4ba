"""Proofs that something does not exist: NSEC (RFC 4035 5.4) and NSEC3 (RFC 5155 8), signatures already checked.

Every function takes the proofs of one zone only. What they do not prove is not assumed.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import dns.dnssec
import dns.name
import dns.rdatatype

from vedette.shared.limits import NSEC3_ITERATIONS_MAX

_SHA1: Final = 1
_OPT_OUT: Final = 1
_WILDCARD: Final = dns.name.Name((b"*",))


class Delegation(Enum):
    """What proofs say of a name that has no DS record."""

    INSECURE = auto()  # a zone of its own, and nobody vouches for it
    NO_CUT = auto()  # a name within the zone
    NO_NAME = auto()  # no name at all


class Denied(Enum):
    """How well it is proven that something does not exist."""

    PROVEN = auto()
    OPT_OUT = auto()  # an unsigned delegation may be there
    UNPROVEN = auto()


@dataclass(frozen=True, slots=True)
class Proofs:
    """The NSEC and NSEC3 records of one reply that the zone `apex` signed, with their owners."""

    apex: dns.name.Name
    nsec: tuple[tuple[dns.name.Name, Any], ...] = ()
    nsec3: tuple[tuple[dns.name.Name, Any], ...] = ()

    @property
    def are_too_dear(self) -> bool:
        """An NSEC3 record asks for more hashing than is reasonable (RFC 9276): it proves nothing."""
        return any(rdata.iterations > NSEC3_ITERATIONS_MAX for _, rdata in self.nsec3)

    def delegation(self, name: dns.name.Name) -> Delegation | None:
        """What is proven of the child `name`, for which there was no DS; None if nothing is."""
        types = self._types_at(name)
        if types is not None:
            return _delegation_of(types)
        if self._is_empty(name):
            return Delegation.NO_CUT
        covered = self._encloser(name)
        if covered is None:
            return None
        return Delegation.INSECURE if covered.is_opt_out else Delegation.NO_NAME

    def no_data(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Denied:
        """`name` has no records of `rdtype`, neither its own nor by a wildcard."""
        types = self._types_at(name)
        if types is not None:
            return _without(types, rdtype)
        if self._is_empty(name):
            return Denied.PROVEN
        covered = self._encloser(name)
        if covered is None:
            return Denied.UNPROVEN
        if covered.is_opt_out and rdtype == dns.rdatatype.DS:
            return Denied.OPT_OUT
        types = self._types_at(_WILDCARD + covered.encloser)
        return Denied.UNPROVEN if types is None else _without(types, rdtype)

    def no_name(self, name: dns.name.Name) -> Denied:
        """`name` does not exist, and no wildcard stands in for it."""
        covered = self._encloser(name)
        if covered is None:
            return Denied.UNPROVEN
        wildcard = _WILDCARD + covered.encloser
        if not self._is_covered(wildcard):
            return Denied.UNPROVEN
        return Denied.OPT_OUT if covered.is_opt_out else Denied.PROVEN

    def no_closer(self, name: dns.name.Name, labels: int) -> Denied:
        """`name` is made by the wildcard below its last `labels` labels, because it is not there itself."""
        if self.nsec and self._is_covered(name):
            return Denied.PROVEN
        next_closer = dns.name.Name(name.labels[-(labels + 2) :])
        for owner, rdata in self.nsec3:
            if _covers3(owner, rdata, next_closer):
                return Denied.OPT_OUT if rdata.flags & _OPT_OUT else Denied.PROVEN
        return Denied.UNPROVEN

    def _types_at(self, name: dns.name.Name) -> "_Types | None":
        """The types that stand at `name`; None if no proof is about it."""
        for owner, rdata in self.nsec:
            if owner == name:
                return _Types(rdata)
        for owner, rdata in self.nsec3:
            if _digest_in(owner) == _digest_of(name, rdata):
                return _Types(rdata)
        return None

    def _is_empty(self, name: dns.name.Name) -> bool:
        """`name` has nothing itself, and something below it."""
        return any(
            _covers(owner, rdata.next, name, self.apex)
            and rdata.next.is_subdomain(name)
            and not _is_across_cut(owner, rdata, name)
            for owner, rdata in self.nsec
        )

    def _is_covered(self, name: dns.name.Name) -> bool:
        """`name` lies between two names that follow each other."""
        return any(
            _covers(owner, rdata.next, name, self.apex)
            and not rdata.next.is_subdomain(name)
            and not _is_across_cut(owner, rdata, name)
            for owner, rdata in self.nsec
        ) or any(_covers3(owner, rdata, name) for owner, rdata in self.nsec3)

    def _encloser(self, name: dns.name.Name) -> "_Encloser | None":
        """The closest name above `name` that exists, if it is proven that nothing lies between them."""
        for owner, rdata in self.nsec:
            if _covers(owner, rdata.next, name, self.apex) and not (
                rdata.next.is_subdomain(name) or _is_across_cut(owner, rdata, name)
            ):
                return _Encloser(max(_shared(name, owner), _shared(name, rdata.next), key=len))
        next_closer = name
        for ancestor in _ancestors(name, self.apex) if self.nsec3 else ():
            types = self._types_at(ancestor)
            if types is not None and not types.is_cut:
                for owner, rdata in self.nsec3:
                    if _covers3(owner, rdata, next_closer):
                        return _Encloser(ancestor, bool(rdata.flags & _OPT_OUT))
                return None
            next_closer = ancestor
        return None


@dataclass(frozen=True, slots=True)
class _Encloser:
    encloser: dns.name.Name
    is_opt_out: bool = False


class _Types:
    """The types in a bitmap."""

    def __init__(self, rdata: Any) -> None:
        self._windows = dict(rdata.windows)

    def __contains__(self, rdtype: int) -> bool:
        bitmap = self._windows.get(rdtype >> 8, b"")
        place, bit = (rdtype & 0xFF) >> 3, 0x80 >> (rdtype & 7)
        return place < len(bitmap) and bool(bitmap[place] & bit)

    @property
    def is_cut(self) -> bool:
        """The name is handed to other servers, as its parent sees it."""
        return dns.rdatatype.NS in self and dns.rdatatype.SOA not in self


def _delegation_of(types: _Types) -> Delegation | None:
    if dns.rdatatype.DS in types or dns.rdatatype.SOA in types:
        return None  # it says that there is a DS, or comes from the child itself
    return Delegation.INSECURE if types.is_cut else Delegation.NO_CUT


def _without(types: _Types, rdtype: dns.rdatatype.RdataType) -> Denied:
    if rdtype in types or dns.rdatatype.CNAME in types:
        return Denied.UNPROVEN
    if types.is_cut and rdtype != dns.rdatatype.DS:
        return Denied.UNPROVEN  # the parent's word says nothing about the child's records
    return Denied.PROVEN


def _covers(
    owner: dns.name.Name, following: dns.name.Name, name: dns.name.Name, apex: dns.name.Name
) -> bool:
    if not name.is_subdomain(apex):
        return False
    return bool(owner < name < following or (following == apex and owner < name))


def _is_across_cut(owner: dns.name.Name, rdata: Any, name: dns.name.Name) -> bool:
    """`name` lies below a cut (or a DNAME) at `owner`, of which this record says nothing."""
    if owner == name or not name.is_subdomain(owner):
        return False
    types = _Types(rdata)
    return types.is_cut or dns.rdatatype.DNAME in types


def _covers3(owner: dns.name.Name, rdata: Any, name: dns.name.Name) -> bool:
    first, wanted, following = _digest_in(owner), _digest_of(name, rdata), bytes(rdata.next)
    if first is None or wanted is None:
        return False
    if first < following:
        return first < wanted < following
    return wanted > first or wanted < following


def _digest_in(owner: dns.name.Name) -> bytes | None:
    try:
        return base64.b32hexdecode(owner.labels[0].upper())
    except (binascii.Error, ValueError, IndexError):
        return None


def _digest_of(name: dns.name.Name, rdata: Any) -> bytes | None:
    if rdata.algorithm != _SHA1:
        return None
    text = dns.dnssec.nsec3_hash(name, rdata.salt, rdata.iterations, rdata.algorithm)
    return base64.b32hexdecode(text.upper())


def _shared(one: dns.name.Name, other: dns.name.Name) -> dns.name.Name:
    """The longest name that both are below, or are."""
    _, _, count = one.fullcompare(other)
    return dns.name.Name(one.labels[-count:]) if count else dns.name.root


def _ancestors(name: dns.name.Name, apex: dns.name.Name) -> Iterator[dns.name.Name]:
    while name != apex and name != dns.name.root:
        name = name.parent()
        yield name


def proofs_of(apex: dns.name.Name, verified: Iterable[Sequence[Any]]) -> Proofs:
    """The proofs in `verified`: (owner, rdata) pairs that the zone `apex` signed."""
    pairs = [(owner, rdata) for owner, rdata in verified]
    return Proofs(
        apex,
        tuple((o, r) for o, r in pairs if r.rdtype == dns.rdatatype.NSEC),
        tuple((o, r) for o, r in pairs if r.rdtype == dns.rdatatype.NSEC3 and o.parent() == apex),
    )
