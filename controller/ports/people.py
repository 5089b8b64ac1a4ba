"""Tokens of people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PersonToken:
    """A person's bearer token `vdt_<id>_<secret>`; only the SHA-256 of the secret is kept.

    `contracts` are those that it is good for; empty: it is bound to none.
    """

    id: str
    secret_sha256: bytes
    name: str
    role: str
    expires_us: int
    created_us: int
    revoked_us: int | None = None
    contracts: tuple[str, ...] = ()


class PersonStore(Protocol):
    """Tokens of people."""

    def put_person_token(self, token: PersonToken) -> None:
        """Keep a new token."""
        ...

    def person_token(self, token_id: str) -> PersonToken | None:
        """The token of that id."""
        ...

    def person_tokens(self) -> Sequence[PersonToken]:
        """Every token that was made, the newest first."""
        ...

    def revoke_person_token(self, token_id: str, at_us: int) -> bool:
        """Revoke it, compare-and-set: False if it is not there, or was revoked before."""
        ...
