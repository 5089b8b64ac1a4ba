"""Pinned certificates: the one that a peer shows, or its key, is one that the check names."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure


def demand_pin(chain: Sequence[bytes], pins: Sequence[str]) -> None:
    """Fault unless `pins` is empty, or has the first certificate of `chain` (DER).

    Only the first: a peer can send what it likes behind it.
    """
    if not pins:
        return
    shown = pins_of(chain[0]) if chain else ()
    if not set(shown) & set(pins):
        raise Fault(
            Failure.TLS_VERIFY_FAILED,
            f"the certificate is none of those that are pinned: {' and '.join(shown) or 'there is none'}",
        )


@lru_cache(maxsize=1024)
def pins_of(der: bytes) -> tuple[str, ...]:
    """The pins that a certificate would satisfy."""
    whole = f"cert:{sha256(der).hexdigest()}"
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, x509.InvalidVersion):
        return (whole,)
    return whole, f"spki:{sha256(info).hexdigest()}"
