"""What is kept of trust: the standing of agents, alarms, the ledger of privileged acts, sealed secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

# Secrets are sealed for agents, and for this recipient, which is no agent's id: the controller itself.
CONTROLLER: Final = "@controller"
LOCAL: Final = "local"
MACHINE: Final = "agent"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which role, and from where."""

    name: str
    role: str = LOCAL
    peer: str = LOCAL

    def act(self, at_us: int, action: str, subject: str, detail: str = "") -> "Act":
        """The ledger's entry of something that this actor did."""
        return Act(at_us, self.name, self.role, action, subject, detail, self.peer)


@dataclass(frozen=True, slots=True)
class Act:
    """One entry of the ledger: who did what to what, when, and from where. Never changed, never removed."""

    at_us: int
    who: str
    role: str
    action: str
    subject: str
    detail: str
    peer: str
    number: int = 0


class Standing(StrEnum):
    """What an agent may do here."""

    PENDING = "pending"
    APPROVED = "approved"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class AgentStanding:
    """Since when, by whom and why; and its recoveries since the instant from which they are counted."""

    agent: str
    standing: Standing = Standing.APPROVED
    since_us: int = 0
    by: str = ""
    reason: str = ""
    recoveries: int = 0
    recoveries_since_us: int = 0


class AlarmKind(StrEnum):
    """What makes an identity doubtful."""

    CLONE_SERIAL = "clone_serial"
    CLONE_INSTANCE = "clone_instance"
    RECOVERY = "recovery"
    # What makes the evidence of an agent doubtful.
    SEAL_FORKED = "seal_forked"
    SEAL_REFUSED = "seal_refused"
    SEAL_MISSING = "seal_missing"
    # It was shown a head of the log that does not begin with what it saw before.
    LOG_REFUSED = "log_refused"
    # It signs heads of the log with another key than before.
    WITNESS_CHANGED = "witness_changed"
    # Two different lines under one identity (S-2).
    LINES_CONFLICT = "lines_conflict"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something about an identity that should not be. What repeats is one alarm with a count."""

    agent: str
    kind: AlarmKind
    first_us: int
    last_us: int
    count: int
    detail: str
    peer: str
    cleared_us: int | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """What is known of a secret. Its row stays when it is deleted, so that versions are never given twice."""

    name: str
    version: int
    set_us: int
    set_by: str
    agents_only: bool
    deleted_us: int | None = None


@dataclass(frozen=True, slots=True)
class SealedCopy:
    """One version of a secret as only `recipient` can open it."""

    name: str
    recipient: str
    version: int
    sealed: bytes = field(repr=False)


class TrustStore(Protocol):
    """Standings, alarms and acts."""

    def standing(self, agent: str) -> AgentStanding:
        """How an agent stands; one of which nothing was noted is approved."""
        ...

    def standings(self) -> Mapping[str, AgentStanding]:
        """Every standing that was noted, by agent."""
        ...

    def put_standing(self, standing: AgentStanding) -> None:
        """Insert or replace."""
        ...

    def raise_alarm(self, alarm: Alarm) -> None:
        """Keep an alarm; one of that agent and kind that is there already is counted and not cleared any more."""
        ...

    def alarms(self) -> Sequence[Alarm]:
        """Every alarm, the newest first."""
        ...

    def clear_alarms(self, agent: str, at_us: int) -> int:
        """Note that somebody has seen the alarms of an agent; how many were not cleared before."""
        ...

    def record(self, act: Act) -> None:
        """Append to the ledger; the number is given by it."""
        ...

    def acts(self, before: int | None, limit: int) -> Sequence[Act]:
        """The newest acts (with a number below `before`), newest first."""
        ...


class SecretStore(Protocol):
    """Secrets: names, versions, and ciphertext."""

    def put_secret(self, secret: Secret) -> None:
        """Insert or replace."""
        ...

    def secret(self, name: str) -> Secret | None:
        """The secret of that name, deleted ones included."""
        ...

    def secrets(self) -> Sequence[Secret]:
        """Every secret that is not deleted, by name."""
        ...

    def put_copy(self, copy: SealedCopy) -> None:
        """Insert or replace the recipient's copy."""
        ...

    def copies(self, name: str) -> Sequence[SealedCopy]:
        """Every copy of a secret, by recipient."""
        ...

    def copies_for(self, recipient: str) -> Sequence[SealedCopy]:
        """Every copy of a recipient, by name."""
        ...

    def delete_copies(self, *, name: str | None = None, recipient: str | None = None) -> None:
        """Forget the copies of a secret, or those of a recipient."""
        ...


class CustodyStore(TrustStore, SecretStore, Protocol):
    """Everything that is kept of trust."""
