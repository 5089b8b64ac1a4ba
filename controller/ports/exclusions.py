"""What people did to exclusions by command: declared, approved, withdrew. A ledger that is only ever appended to.

The controller sets the time of every entry, so nobody can declare anything for an earlier time than now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class EntryKind(StrEnum):
    """What was done."""

    DECLARED = "declared"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ExclusionEntry:
    """One entry: who did what to the exclusion of that id, when, in which role and from where.

    `digest` names the type, time and scope that it is about. `body` is the exclusion as JSON where it was
    declared, else empty; `text` what was said to the act. `uid` and `recurrence` name the event of a calendar and
    which of its occurrences it is, where an import did it; else they are empty.
    """

    exclusion: str
    kind: EntryKind
    at_us: int
    who: str
    role: str
    peer: str
    digest: str
    text: str = ""
    body: bytes = b""
    uid: str = ""
    recurrence: str = ""
    sequence: int = 0


class ExclusionStore(Protocol):
    """The ledger of exclusions."""

    def put_exclusion_entry(self, entry: ExclusionEntry) -> int:
        """Append; gives the sequence."""
        ...

    def exclusion_entries(self, recorded_us: int | None = None) -> Sequence[ExclusionEntry]:
        """Every entry, or those recorded at or before that instant, the oldest first."""
        ...

    def last_exclusion_entry(self, recorded_us: int) -> ExclusionEntry | None:
        """The last one that was recorded at or before that instant."""
        ...
