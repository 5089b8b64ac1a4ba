"""Who this agent is: the `identity` directory of its state, and the certificates that come and go in it.

agent.json     what the controller assigned: id, region, address
ca.pem         the only CA that this agent trusts
tls.pem        key and certificate in use; candidate.pem: the next ones, until they have worked once
evidence.key   signs what this agent saw
sealing.key    opens secrets that were sealed for this agent
revoked        what the controller said when it revoked this agent; then it never runs again
"""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agent.errors import BadInput, Fatal, Revoked
from agent.files import PRIVATE_DIRECTORY, replace, sync_directory, write_synced
from agent.link.credential import Credential

DIRECTORY: Final = "identity"
_FACTS: Final = "agent.json"
_CA: Final = "ca.pem"
_TLS: Final = "tls.pem"
_CANDIDATE: Final = "candidate.pem"
_EVIDENCE: Final = "evidence.key"
_SEALING: Final = "sealing.key"
_REVOKED: Final = "revoked"
_VERSION: Final = 1


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the controller assigned when this agent joined."""

    version: int = _VERSION
    agent: str
    region: str
    session_address: str
    enrol_address: str = ""


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """Everything that an enrolment gives, before any of it is on disk."""

    facts: Facts
    ca_pem: bytes
    credential: Credential
    evidence_pem: bytes
    sealing_pem: bytes


class Identity:
    """The identity in a state directory."""

    def __init__(self, directory: Path, facts: Facts, ca_pem: bytes) -> None:
        self._directory = directory
        self.facts = facts
        self.ca_pem = ca_pem

    @classmethod
    def load(cls, state: Path) -> "Identity":
        """The identity in `state`. BadInput if there is none, Fatal if it cannot be used."""
        directory = state / DIRECTORY
        try:
            facts = msgspec.json.decode((directory / _FACTS).read_bytes(), type=Facts)
            identity = cls(directory, facts, (directory / _CA).read_bytes())
        except FileNotFoundError as error:
            raise BadInput(
                f"There is no agent in {state}: run `vedette-agent join FILE --state {state}` first."
            ) from error
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Fatal(f"The identity in {directory} cannot be read: {error}.") from error
        if facts.version > _VERSION:
            raise Fatal(
                f"The identity in {directory} has version {facts.version} and this vedette-agent knows "
                f"version {_VERSION}: install the newer vedette-agent that wrote it."
            )
        identity.credential()
        return identity

    def credential(self) -> Credential:
        """The key and certificate in use. Fatal if they cannot be read."""
        path = self._directory / _TLS
        try:
            return Credential.of_pem(path.read_bytes())
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Fatal(
                f"{path} does not hold a TLS key and its certificate ({error}): restore it, or let this "
                "machine join again with a new join file and an empty state directory."
            ) from error

    def organisation(self) -> str:
        """The organisation that this agent belongs to. Fatal if its certificate does not say."""
        try:
            return self.credential().organisation
        except (ValueError, x509.ExtensionNotFound) as error:
            raise Fatal(
                f"The certificate in {self._directory} does not name an agent ({error}): let this machine "
                "join again with a new join file and an empty state directory."
            ) from error

    def evidence_key(self) -> Ed25519PrivateKey:
        """The key that signs what this agent saw. Fatal if it cannot be read."""
        key = self._key(_EVIDENCE)
        if not isinstance(key, Ed25519PrivateKey):
            raise Fatal(f"{self._directory / _EVIDENCE} holds no Ed25519 key: restore it.")
        return key

    def sealing_key(self) -> X25519PrivateKey:
        """The key that opens what was sealed for this agent. Fatal if it cannot be read."""
        key = self._key(_SEALING)
        if not isinstance(key, X25519PrivateKey):
            raise Fatal(f"{self._directory / _SEALING} holds no X25519 key: restore it.")
        return key

    def _key(self, name: str) -> object:
        path = self._directory / name
        try:
            return load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise Fatal(
                f"{path} does not hold a key ({error}): restore it, or let this machine join again with a"
                " new join file and an empty state directory."
            ) from error

    def revocation(self) -> str | None:
        """What the controller said when it revoked this agent; None while it has not."""
        try:
            return (self._directory / _REVOKED).read_text(errors="replace").strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Fatal(f"The identity in {self._directory} cannot be read: {error}.") from error

    def retire(self, reason: str) -> None:
        """Remember, across restarts, that the controller has revoked this agent."""
        replace(self._directory / _REVOKED, reason.encode() + b"\n")

    def require_in_service(self) -> None:
        """Revoked if this agent was: it must not probe, not even until the controller says so again."""
        reason = self.revocation()
        if reason is not None:
            raise Revoked(
                f"This agent was revoked, and does not run again. {reason} To use this machine again, join "
                "with a new join file and an empty state directory."
            )

    def candidate(self) -> Credential | None:
        """The next key and certificate, if there are any that have not worked yet."""
        path = self._directory / _CANDIDATE
        try:
            return Credential.of_pem(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):
            self.discard_candidate()
            return None

    def keep_candidate(self, credential: Credential) -> None:
        """Store the next key and certificate beside those in use."""
        replace(self._directory / _CANDIDATE, credential.pem)

    def commit_candidate(self) -> None:
        """The candidate has worked: it is now the one in use, and the old key is gone."""
        (self._directory / _CANDIDATE).replace(self._directory / _TLS)
        sync_directory(self._directory)

    def discard_candidate(self) -> None:
        """Forget the candidate: the controller does not take it."""
        (self._directory / _CANDIDATE).unlink(missing_ok=True)


@contextlib.contextmanager
def staged(state: Path) -> Iterator[Path]:
    """A place in `state` to prepare an identity in; unless it is committed, `state` is as it was before.

    Making it first shows that the state directory can be written, before a join token is spent.
    """
    made = [path for path in (state, *state.parents) if not path.exists()]
    staging = state / f".{DIRECTORY}.{secrets.token_hex(4)}"
    try:
        state.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        staging.mkdir(mode=PRIVATE_DIRECTORY)
    except OSError as error:
        _remove_empty(made)
        raise BadInput(
            f"The state directory {state} cannot be written: {error.strerror or error}. Choose another "
            "one with --state, or change its owner."
        ) from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(made)


def commit(staging: Path, state: Path, new: NewIdentity) -> Identity:
    """Write everything in `staging`, then make it the identity of `state` in one step."""
    write_synced(staging / _CA, new.ca_pem)
    write_synced(staging / _TLS, new.credential.pem)
    write_synced(staging / _EVIDENCE, new.evidence_pem)
    write_synced(staging / _SEALING, new.sealing_pem)
    write_synced(staging / _FACTS, msgspec.json.encode(new.facts) + b"\n")
    sync_directory(staging)
    staging.rename(state / DIRECTORY)
    sync_directory(state)
    return Identity(state / DIRECTORY, new.facts, new.ca_pem)


def require_none(state: Path) -> None:
    """BadInput if an agent lives in `state` already."""
    if (state / DIRECTORY).exists():
        found = Identity.load(state).facts
        raise BadInput(
            f"{state} already holds agent {found.agent} of region {found.region}: choose another state "
            "directory with --state, or remove this one to start afresh."
        )


def _remove_empty(directories: list[Path]) -> None:
    for path in directories:
        with contextlib.suppress(OSError):
            path.rmdir()
