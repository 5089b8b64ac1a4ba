"""What a certificate chain says, as values for expectations and for the line."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from cryptography import x509

_DAY_US: Final = 86_400_000_000
_NAMES_SHOWN_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. Times are microseconds since the Unix epoch."""

    subject: str
    issuer: str
    san: tuple[str, ...]
    not_before_us: int
    not_after_us: int
    sha256: str


@lru_cache(maxsize=1024)
def certificate_of(der: bytes) -> Certificate | None:
    """What the certificate `der` says; None if it cannot be read as one."""
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            subject=found.subject.rfc4514_string(),
            issuer=found.issuer.rfc4514_string(),
            san=_names(found),
            not_before_us=int(found.not_valid_before_utc.timestamp()) * 1_000_000,
            not_after_us=int(found.not_valid_after_utc.timestamp()) * 1_000_000,
            sha256=sha256(der).hexdigest(),
        )
    except (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension):
        return None


def tls_variables(
    chain: Sequence[bytes], version: str, cipher: str, *, verified: bool, now_us: int
) -> dict[str, Any]:
    """The `tls` variable of a probe. `days_left` is of the certificate of the chain that ends first."""
    known = [c for c in map(certificate_of, chain) if c is not None]
    values: dict[str, Any] = {"version": version, "cipher": cipher, "verified": verified}
    if known:
        leaf = known[0]
        ends_us = min(c.not_after_us for c in known)
        values |= {
            "days_left": round((ends_us - now_us) / _DAY_US, 3),
            "issuer": leaf.issuer,
            "subject": leaf.subject,
            "san": list(leaf.san),
            "sha256": leaf.sha256,
        }
    return values


def tls_facts(chain: Sequence[bytes], version: str, cipher: str) -> dict[str, Any]:
    """The `tls` part of a line: what the target supplied, and nothing that depends on the reader's now."""
    known = [c for c in map(certificate_of, chain) if c is not None]
    facts: dict[str, Any] = {"version": version, "cipher": cipher}
    if known:
        leaf = known[0]
        facts |= {
            "sha256": leaf.sha256,
            "subject": leaf.subject[:200],
            "issuer": leaf.issuer[:200],
            "not_after": min(c.not_after_us for c in known),
            "chain": len(chain),
        }
    return facts


def _names(found: x509.Certificate) -> tuple[str, ...]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.UnsupportedGeneralNameType, ValueError):
        return ()
    return tuple(
        str(name.value)
        for name in names
        if isinstance(name, x509.DNSName | x509.IPAddress | x509.UniformResourceIdentifier)
    )[:_NAMES_SHOWN_MAX]
