"""Secrets sealed for one agent: HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, ChaCha20Poly1305.

What is sealed can be opened with the recipient's private key only, and only as the secret, the version and
the recipient that it was sealed as: these stand in `info`, so nobody can pass one secret off as another.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_DOMAIN: Final = "vedette.secret/v1"


@dataclass(frozen=True, slots=True)
class SealLabel:
    """What a sealed value is: which secret, in which version, for whom."""

    recipient: str
    name: str
    version: int

    @property
    def info(self) -> bytes:
        """The context that seals and opens."""
        return f"{_DOMAIN}\n{self.recipient}\n{self.name}\n{self.version}\n".encode()


def sealed(value: str, public_key: bytes, label: SealLabel) -> bytes:
    """`value` for the owner of this raw X25519 key. ValueError if that is no key."""
    key = X25519PublicKey.from_public_bytes(public_key)
    return _SUITE.encrypt(value.encode(), key, label.info)


def opened(data: bytes, key: X25519PrivateKey, label: SealLabel) -> str:
    """What was sealed. ValueError if it was sealed for another key, as something else, or was changed."""
    try:
        return _SUITE.decrypt(data, key, label.info).decode()
    except (InvalidTag, UnicodeDecodeError) as error:
        raise ValueError(
            f"secret {label.name} was not sealed for {label.recipient} as version {label.version}"
        ) from error
