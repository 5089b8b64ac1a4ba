"""How agents are posted: their place and labels, whether they are to probe, what they say, who fell silent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Mode(StrEnum):
    """Whether an agent is to probe."""

    RUN = "run"
    DRAIN = "drain"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Posting:
    """What people decided about an agent. `place` is its own among the agents of its region."""

    agent: str
    place: int
    labels: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = Mode.RUN
    mode_since_us: int = 0
    mode_reason: str = ""


@dataclass(frozen=True, slots=True)
class AgentReport:
    """What an agent said of itself last. `claimed` are its site's labels, which select nothing.

    `refused` counts runs that its site's policy refused, by kind; `unrunnable` are the first of the checks
    that it cannot or may not run, with the reason.
    """

    agent: str
    protocol: int = 0
    claimed: Mapping[str, str] = field(default_factory=dict)
    missed_slots: int = 0
    spool_bytes: int = 0
    clock_synced: bool | None = None
    clock_steps: int = 0
    policy: str = ""
    is_paused: bool = False
    refused: Mapping[str, int] = field(default_factory=dict)
    refused_orders: int = 0
    unrunnable: Sequence[tuple[str, str]] = ()
    unrunnable_count: int = 0


class NoticeKind(StrEnum):
    """What people are told of an agent."""

    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that people should know of an agent; `to_us` is None while it lasts."""

    agent: str
    region: str
    kind: NoticeKind
    from_us: int
    detail: str
    to_us: int | None = None
    number: int = 0


class PostingStore(Protocol):
    """Postings, reports and notices."""

    def posting(self, agent: str) -> Posting | None:
        """How an agent is posted; None if nobody has asked yet."""
        ...

    def postings(self) -> Mapping[str, Posting]:
        """Every posting, by agent."""
        ...

    def put_posting(self, posting: Posting) -> None:
        """Insert or replace."""
        ...

    def report(self, agent: str) -> AgentReport:
        """What an agent said of itself last; nothing, if it never spoke."""
        ...

    def reports(self) -> Mapping[str, AgentReport]:
        """Every report, by agent."""
        ...

    def put_report(self, report: AgentReport) -> None:
        """Insert or replace."""
        ...

    def notices(self, *, include_ended: bool, limit: int) -> Sequence[Notice]:
        """Notices that last (or all), the newest first."""
        ...

    def put_notice(self, notice: Notice) -> None:
        """Insert (number 0) or replace."""
        ...
