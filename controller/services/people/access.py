"""People: their tokens, made, listed, revoked; and whose token this is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.fleet import read_fleet
from controller.errors import BadInput, NotFound, Rejected, Unauthenticated
from controller.identity.roles import ALWAYS_SCOPED, SCOPED_ROLES, Role
from controller.identity.tokens import is_secret_of, new_secret, parse_person_token
from controller.ports.custody import Actor
from controller.ports.people import PersonToken
from controller.ports.storage import Storage, Transaction

ADMIN_TOKEN_TTL_US: Final = 24 * 3600 * 1_000_000
TOKEN_TTL_US_MAX: Final = 366 * 24 * 3600 * 1_000_000
NAME_CHARS_MAX: Final = 100
_LOCAL: Final = Actor("local")


@dataclass(frozen=True, slots=True)
class Person:
    """Who calls, according to a token that was checked."""

    name: str
    role: Role
    expires_us: int
    peer: str = ""
    contracts: tuple[str, ...] = ()

    @property
    def is_scoped(self) -> bool:
        """No more than some contracts are this person's business."""
        return bool(self.contracts) or self.role is ALWAYS_SCOPED

    @property
    def actor(self) -> Actor:
        """This person as the ledger names them."""
        return Actor(self.name, self.role.value, self.peer)


class Access:
    """Issues and checks people's tokens. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._now_us = now_us

    def create_token(
        self,
        name: str,
        role: Role,
        ttl_us: int,
        by: Actor = _LOCAL,
        *,
        contracts: Sequence[str] = (),
    ) -> tuple[str, int]:
        """(token, expiry) of a new token. The text is not kept and cannot be shown again.

        With `contracts` it is good for these only; a counterparty's always is.
        """
        if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
            raise BadInput(f"Expected a name of 1 to {NAME_CHARS_MAX} printable characters.")
        if not 0 < ttl_us <= TOKEN_TTL_US_MAX:
            raise BadInput("Expected a time to live of more than 0 and at most 366 days.")
        _require_scope(role, contracts)
        secret, now = new_secret(), self._now_us()
        token = PersonToken(
            id=secret.id,
            secret_sha256=secret.sha256,
            name=name,
            role=role.value,
            expires_us=now + ttl_us,
            created_us=now,
            contracts=tuple(sorted(set(contracts))),
        )
        with self._storage.transaction() as tx:
            _require_contracts(tx, contracts)
            tx.put_person_token(token)
            scope = f", contracts {' '.join(token.contracts)}" if contracts else ""
            detail = f"{role.value} for {name}{scope}"
            tx.record(by.act(now, "token.create", secret.id, detail))
        return secret.person_text, token.expires_us

    def tokens(self) -> Sequence[PersonToken]:
        """Every token that was made, newest first."""
        with self._storage.transaction() as tx:
            return tx.person_tokens()

    def revoke_token(self, token_id: str, by: Actor) -> None:
        """Refuse a token from now on. NotFound if there is none, Rejected if it was revoked before."""
        now = self._now_us()
        with self._storage.transaction() as tx:
            kept = tx.person_token(token_id)
            if kept is None:
                raise NotFound(
                    f"There is no token {token_id[:40]!r}: `vedette token list` shows them by id."
                )
            if not tx.revoke_person_token(token_id, now):
                raise Rejected(f"Token {token_id} of {kept.name} was revoked before.")
            tx.record(by.act(now, "token.revoke", token_id, f"{kept.role} of {kept.name}"))

    def authenticate(self, text: str, peer: str = "") -> Person:
        """The person whose token `text` is. Unauthenticated says why it is not accepted."""
        shown = parse_person_token(text)
        if shown is None:
            raise Unauthenticated(
                "Expected a token of the form vdt_<id>_<secret>; log in again with `vedette login`."
            )
        with self._storage.transaction() as tx:
            kept = tx.person_token(shown.id)
        # One sentence for an unknown id and for a wrong secret: a guesser learns nothing.
        if kept is None or not is_secret_of(shown.secret, kept.secret_sha256):
            raise Unauthenticated("This token is not known here; ask an admin for a new one.")
        if kept.revoked_us is not None:
            raise Unauthenticated("This token was revoked; ask an admin for a new one.")
        if kept.expires_us <= self._now_us():
            raise Unauthenticated("This token has expired; ask an admin for a new one.")
        return Person(kept.name, Role(kept.role), kept.expires_us, peer, kept.contracts)


def _require_scope(role: Role, contracts: Sequence[str]) -> None:
    if contracts and role not in SCOPED_ROLES:
        names = " and ".join(sorted(SCOPED_ROLES))
        raise BadInput(
            f"Expected no contract for the role {role.value}: only tokens of {names} are for some contracts."
        )
    if role is ALWAYS_SCOPED and not contracts:
        raise BadInput(
            f"Expected the contracts that the token is for: the role {role.value} sees no others."
        )


def _require_contracts(tx: Transaction, contracts: Sequence[str]) -> None:
    """They stand in the file in force: a token for a name that is mistyped would be of no use."""
    if not contracts:
        return
    fleet = tx.fleet()
    known = read_fleet(fleet.text, fleet.file_name).contracts if fleet else {}
    for one in contracts:
        if one not in known:
            names = ", ".join(sorted(known)) or "it has none"
            raise BadInput(
                f"Expected a contract of the fleet file in force ({names}), found {one[:80]!r}."
            )
