"""Reports that were issued: sealed once, revised where late facts change them, and never changed or removed.

Beside them stands what is not looked at yet: checks of which something was told of long ago, and reports
that may no longer say what would be said now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class IssuedReport:
    """One revision (from 1) of the report on a period, as it was issued; `body` is its bytes.

    It says what was known at `as_of_us`. `issued_by` is empty where it was issued by itself; `reason` is why
    it was issued before its time, or what it revises. `unheard` are the agents whose results may have been missing:
    agent, and the event time up to which it was heard.
    """

    contract: str
    label: str
    revision: int
    as_of_us: int
    issued_us: int
    sha256: str
    body: bytes
    issued_by: str = ""
    role: str = ""
    reason: str = ""
    is_early: bool = False
    unheard: tuple[tuple[str, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Retold:
    """What is told of a check in [from_us, to_us) is not what was told before."""

    check: str
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Reopened:
    """A report that was issued, and may not say what would be said now.

    `since_us` is when that was first seen to be so; None: it is still to be looked at.
    """

    contract: str
    label: str
    since_us: int | None = None


class IssuedStore(Protocol):
    """Issued reports, only ever appended to, and what is to be looked at."""

    def put_issued(self, report: IssuedReport) -> bool:
        """Append the revision after the last one; False if there is one of that number, and nothing is changed."""
        ...

    def issued(self, contract: str, label: str) -> Sequence[IssuedReport]:
        """Every revision of a report, the oldest first."""
        ...

    def issued_heads(self, contract: str | None = None) -> Sequence[IssuedReport]:
        """Every revision of every report (of a contract), without bodies, by contract, label and revision."""
        ...

    def last_issued_us(self) -> int:
        """The newest instant as of which anything was issued; 0: nothing was."""
        ...

    def last_recorded_us(self) -> int:
        """The newest instant at which anything was recorded that a report may hang on; 0: nothing was."""
        ...

    def note_retold(self, retold: Retold) -> None:
        """Note that time of a check; what was noted of it before is widened."""
        ...

    def retold(self) -> Sequence[Retold]:
        """Everything that was noted, by check."""
        ...

    def forget_retold(self, check: str) -> None:
        """It was seen which reports that concerns."""
        ...

    def put_reopened(self, reopened: Reopened) -> None:
        """Insert or replace."""
        ...

    def reopened(self, contract: str | None = None) -> Sequence[Reopened]:
        """The reports (on a contract) that may not say what would be said now, by contract and label."""
        ...

    def forget_reopened(self, contract: str, label: str) -> None:
        """It says what would be said now, or a revision does."""
        ...

    def report_progress(self) -> bytes:
        """How far facts were read for what they change of issued reports, as JSON; empty at first."""
        ...

    def put_report_progress(self, body: bytes) -> None:
        """Insert or replace."""
        ...
