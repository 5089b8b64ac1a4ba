"""Secrets that are shown once: join tokens and people's tokens. Only SHA-256 of a secret is kept."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

_ID_BYTES: Final = 8
_SECRET_BYTES: Final = 32
_PERSON: Final = re.compile(r"vdt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Secret:
    """A new token: its public id, its secret half (256 bits, base64url), and what is kept of it."""

    id: str
    secret: str = field(repr=False)

    @property
    def sha256(self) -> bytes:
        """What is stored."""
        return digest_of_secret(self.secret)

    @property
    def person_text(self) -> str:
        """The bearer token that a person sends."""
        return f"vdt_{self.id}_{self.secret}"


def new_secret() -> Secret:
    """A fresh token."""
    return Secret(secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES))


def digest_of_secret(secret: str) -> bytes:
    """SHA-256 of the secret. Plain, because 256 random bits cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()


def is_secret_of(secret: str, sha256: bytes) -> bool:
    """`secret` is the one whose hash was kept; takes the same time whether it is or not."""
    return hmac.compare_digest(digest_of_secret(secret), sha256)


def parse_person_token(text: str) -> Secret | None:
    """The token that `text` writes as `vdt_<id>_<secret>`, or None if it is no such text."""
    match = _PERSON.fullmatch(text)
    return Secret(match[1], match[2]) if match else None
