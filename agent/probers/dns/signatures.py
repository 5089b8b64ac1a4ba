"""Signatures of one zone, checked within a budget: the arithmetic is dear, and a hostile zone can ask for a lot."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import dns.dnssec
import dns.exception
import dns.message
import dns.name
import dns.rdataset
import dns.rdatatype
import dns.rrset

from vedette.shared.limits import (
    DNSSEC_KEYS_MAX,
    DNSSEC_SIGNATURES_MAX,
    DNSSEC_VERIFICATIONS_MAX,
)

_DAY_SECONDS: Final = 86_400
_SAME_TAG_MAX: Final = 4
# RSA with SHA-1, -256 and -512, ECDSA P-256 and P-384, Ed25519, Ed448; digests SHA-1, SHA-256, SHA-384.
_ALGORITHMS: Final = frozenset({5, 7, 8, 10, 13, 14, 15, 16})
_DIGESTS: Final = frozenset({1, 2, 4})


class State(StrEnum):
    """What validation came to (RFC 4035 4.3)."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"
    INDETERMINATE = "indeterminate"


class Unproven(Exception):
    """The chain of trust ends here: in which state, and why in a sentence. Never leaves this package."""

    def __init__(self, state: State, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone whose keys are proven."""

    name: dns.name.Name
    keys: dns.rdataset.Rdataset


@dataclass(slots=True)
class Signatures:
    """Checks signatures of one probe and remembers when they expire."""

    now_seconds: Callable[[], float]
    _left: int = DNSSEC_VERIFICATIONS_MAX
    _expirations: list[int] = field(default_factory=list)

    @property
    def days_left(self) -> float | None:
        """Days until the first of the signatures that were looked at expires; None if there were none."""
        if not self._expirations:
            return None
        return round((min(self._expirations) - self.now_seconds()) / _DAY_SECONDS, 3)

    def verified(
        self, zone: Zone, rrset: dns.rrset.RRset, section: Sequence[dns.rrset.RRset]
    ) -> Any:
        """The RRSIG in `section` that proves `rrset` with the keys of `zone`. Unproven if there is none."""
        what = f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}"
        found = rrsigs_of(rrset, section)
        if not found:
            raise Unproven(State.BOGUS, f"{what} is not signed, although {zone.name} is")
        reason = "no key of the zone made it"
        seen: list[int] = []
        for rrsig in found[:DNSSEC_SIGNATURES_MAX]:
            if rrsig.signer != zone.name or not rrset.name.is_subdomain(zone.name):
                reason = f"it is of {rrsig.signer}, not of {zone.name}"
                continue
            seen.append(rrsig.expiration)
            try:
                self._spend(zone, rrsig)
                dns.dnssec.validate_rrsig(
                    rrset, rrsig, {zone.name: zone.keys}, now=self.now_seconds()
                )
            except (dns.exception.ValidationFailure, dns.exception.UnsupportedAlgorithm) as error:
                reason = str(error) or "it does not fit"
                continue
            except (dns.exception.DNSException, ValueError) as error:
                reason = f"it cannot be checked: {error}"
                continue
            self._expirations.append(rrsig.expiration)
            return rrsig
        self._expirations += seen
        raise Unproven(State.BOGUS, f"no signature of {what} holds: {reason}")

    def _spend(self, zone: Zone, rrsig: Any) -> None:
        """Count the tries that this signature may cost. Unproven when there were too many."""
        tries = sum(
            key.algorithm == rrsig.algorithm and dns.dnssec.key_id(key) == rrsig.key_tag
            for key in zone.keys
        )
        self._left -= tries
        if tries > _SAME_TAG_MAX or self._left < 0:
            raise Unproven(
                State.BOGUS, f"{zone.name} asks for more arithmetic than an honest zone needs"
            )


def rrsigs_of(rrset: dns.rrset.RRset, section: Sequence[dns.rrset.RRset]) -> list[Any]:
    """The signatures of `rrset` in `section`."""
    return [
        rrsig
        for other in section
        if other.rdtype == dns.rdatatype.RRSIG
        and other.name == rrset.name
        and other.covers == rrset.rdtype
        for rrsig in other
    ]


def trusted_keys(
    name: dns.name.Name, keys: dns.rrset.RRset, anchors: Iterable[Any]
) -> dns.rdataset.Rdataset | None:
    """The keys of `keys` that `anchors` (DS or DNSKEY records of `name`) name; None if there are none."""
    named = list(anchors)
    if len(keys) > DNSSEC_KEYS_MAX:
        raise Unproven(State.BOGUS, f"{name} has more than {DNSSEC_KEYS_MAX} keys")
    found = dns.rdataset.Rdataset(keys.rdclass, dns.rdatatype.DNSKEY)
    for key in keys:
        if any(_names(anchor, name, key) for anchor in named):
            found.add(key)
    return found or None


def is_supported(ds: Any) -> bool:
    """Both algorithms of a DS record are ones that can be checked here."""
    return ds.digest_type in _DIGESTS and ds.algorithm in _ALGORITHMS


def _names(anchor: Any, name: dns.name.Name, key: Any) -> bool:
    if anchor.rdtype == dns.rdatatype.DNSKEY:
        same = (anchor.protocol, anchor.algorithm, anchor.key) == (
            key.protocol,
            key.algorithm,
            key.key,
        )
        return bool(same)
    if anchor.algorithm != key.algorithm or anchor.key_tag != dns.dnssec.key_id(key):
        return False
    try:
        return bool(dns.dnssec.make_ds(name, key, anchor.digest_type, validating=True) == anchor)
    except (dns.exception.DNSException, ValueError):
        return False
