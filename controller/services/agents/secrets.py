"""Secrets that checks name: kept as ciphertext, one copy sealed for each agent that may use them.

Unless it is entered for the agents of today only, one more copy is sealed for the controller itself, so
that an agent that enrols later gets the secret without anybody entering it again. That copy can be opened
with a key of the state directory, which no database holds.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from controller.errors import BadInput, NotFound
from controller.ports.agents import AgentRecord
from controller.ports.custody import CONTROLLER, Actor, SealedCopy, Secret, Standing
from controller.ports.storage import Storage, Transaction
from vedette.shared.identity import ID_EXPECTED, is_id
from vedette.shared.limits import SECRET_CHARS_MAX, SECRET_VALUE_CHARS_MIN, SECRETS_MAX
from vedette.shared.sealing import SealLabel, opened, sealed

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Vault(Protocol):
    """The controller's own key pair for secrets."""

    @property
    def key(self) -> X25519PrivateKey:
        """The private key."""
        ...

    @property
    def public_key(self) -> bytes:
        """The raw public key."""
        ...


@dataclass(frozen=True, slots=True)
class SecretStatus:
    """A secret, the agents that hold its newest version, and the approved ones that do not."""

    secret: Secret
    agents: Sequence[str]
    lacking: Sequence[str]


class Secrets:
    """Takes secrets in and seals them. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, vault: Vault, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._vault = vault
        self._now_us = now_us

    def set(
        self, name: str, value: str, by: Actor, *, agents_only: bool = False
    ) -> tuple[Secret, Sequence[str]]:
        """Keep `value` as the next version; gives it and the agents that have a copy now."""
        _require_name(name)
        _require_value(value)
        now = self._now_us()
        with self._storage.transaction() as tx:
            old = tx.secret(name)
            if old is None and len(tx.secrets()) >= SECRETS_MAX:
                raise BadInput(f"There are {SECRETS_MAX} secrets already; delete one first.")
            version = old.version + 1 if old else 1
            secret = Secret(name, version, now, by.name, agents_only)
            tx.delete_copies(name=name)
            agents = _approved(tx)
            for agent in agents:
                tx.put_copy(_copy(value, secret, agent.id, agent.sealing_key))
            if not agents_only:
                tx.put_copy(_copy(value, secret, CONTROLLER, self._vault.public_key))
            tx.put_secret(secret)
            kept = "agents only" if agents_only else "agents and controller"
            tx.record(by.act(now, "secret.set", name, f"version {version}, for {kept}"))
        return secret, [agent.id for agent in agents]

    def list(self) -> Sequence[SecretStatus]:
        """Every secret, by name, and who holds it."""
        found: list[SecretStatus] = []
        with self._storage.transaction() as tx:
            approved = [agent.id for agent in _approved(tx)]
            for secret in tx.secrets():
                holders = {c.recipient for c in tx.copies(secret.name)}
                found.append(
                    SecretStatus(
                        secret,
                        [agent for agent in approved if agent in holders],
                        [agent for agent in approved if agent not in holders],
                    )
                )
        return found

    def delete(self, name: str, by: Actor) -> None:
        """Forget every copy. NotFound if there is no such secret."""
        now = self._now_us()
        with self._storage.transaction() as tx:
            secret = tx.secret(name)
            if secret is None or secret.deleted_us is not None:
                raise NotFound(f"There is no secret {name!r}.")
            tx.delete_copies(name=name)
            tx.put_secret(replace(secret, deleted_us=now))
            tx.record(by.act(now, "secret.delete", name, f"version {secret.version}"))

    def values(self, tx: Transaction, names: Iterable[str]) -> Mapping[str, str]:
        """The values of secrets that the controller uses itself. BadInput names one that it cannot open."""
        found: dict[str, str] = {}
        copies = {copy.name: copy for copy in tx.copies_for(CONTROLLER)}
        for name in names:
            secret, copy = tx.secret(name), copies.get(name)
            if secret is None or secret.deleted_us is not None:
                raise BadInput(f"There is no secret {name}: `vedette secret set {name}`.")
            if copy is None or copy.version != secret.version:
                raise BadInput(
                    f"Secret {name} is kept for agents only: set it again, without --agents-only."
                )
            label = SealLabel(CONTROLLER, name, copy.version)
            try:
                found[name] = opened(copy.sealed, self._vault.key, label)
            except ValueError as error:
                raise BadInput(
                    f"Secret {name} cannot be opened with the vault key of this controller: set it again."
                ) from error
        return found

    def give(self, tx: Transaction, agent: AgentRecord) -> None:
        """Seal for an agent that may use secrets from now on what the controller can open itself."""
        for copy in tx.copies_for(CONTROLLER):
            secret = tx.secret(copy.name)
            if secret is None:
                continue
            label = SealLabel(CONTROLLER, copy.name, copy.version)
            value = opened(copy.sealed, self._vault.key, label)
            tx.put_copy(_copy(value, secret, agent.id, agent.sealing_key))

    def take_back(self, tx: Transaction, agent: str) -> None:
        """Forget the copies of an agent that may use none any more."""
        tx.delete_copies(recipient=agent)


def _approved(tx: Transaction) -> list[AgentRecord]:
    standings = tx.standings()
    return [
        agent
        for agent in tx.agents()
        if agent.id not in standings or standings[agent.id].standing is Standing.APPROVED
    ]


def _copy(value: str, secret: Secret, recipient: str, public_key: bytes) -> SealedCopy:
    label = SealLabel(recipient, secret.name, secret.version)
    try:
        data = sealed(value, public_key, label)
    except ValueError as error:
        raise BadInput(
            f"Agent {recipient} has no key that a secret could be sealed to; revoke it, and let its"
            " machine join again."
        ) from error
    return SealedCopy(secret.name, recipient, secret.version, data)


def _require_name(name: str) -> None:
    if not is_id(name):
        raise BadInput(f"Expected {ID_EXPECTED} as the name of a secret, found {name[:80]!r}.")


def _require_value(value: str) -> None:
    """BadInput unless it can be used and taken out of lines again. Never shows any of it."""
    if not SECRET_VALUE_CHARS_MIN <= len(value) <= SECRET_CHARS_MAX:
        raise BadInput(
            f"Expected a value of {SECRET_VALUE_CHARS_MIN} to {SECRET_CHARS_MAX} characters, found"
            f" {len(value)}: a shorter one could not be told from ordinary text in what a probe saw."
        )
    if _CONTROL.search(value):
        raise BadInput("Expected a value without control characters, except newline and tab.")
