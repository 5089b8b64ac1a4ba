"""Agents that are enrolled, and rights to enrol."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class JoinToken:
    """A one-use right to enrol. Only the SHA-256 of the secret is kept."""

    id: str
    secret_sha256: bytes
    region: str
    expires_us: int
    created_by: str
    used_by: str | None = None
    needs_approval: bool = False


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An enrolled machine."""

    id: str
    region: str
    hostname: str
    enrolled_us: int
    evidence_key: bytes
    sealing_key: bytes
    active_serial: str
    pending_serial: str | None
    certificate_ends_us: int
    seen_us: int | None = None
    version: str = ""
    clock_offset_us: int | None = None
    clock_error_us: int | None = None
    lines: int = 0
    lost: int = 0
    spool_lines: int = 0
    assignment_revision: str = ""


class AgentStore(Protocol):
    """Join tokens and enrolled agents."""

    def put_join_token(self, token: JoinToken) -> None:
        """Keep a new token."""
        ...

    def join_token(self, token_id: str) -> JoinToken | None:
        """The token of that id."""
        ...

    def use_join_token(self, token_id: str, agent: str) -> bool:
        """Mark it used, compare-and-set: False if it was used before."""
        ...

    def put_agent(self, agent: AgentRecord) -> None:
        """Insert or replace an agent; its counts of lines are not taken from here."""
        ...

    def agent(self, agent_id: str) -> AgentRecord | None:
        """The agent of that id."""
        ...

    def agents(self) -> Sequence[AgentRecord]:
        """All agents, by id, with the lines that were appended and lost on their streams."""
        ...
