"""How claims are kept: a ledger of acts, and the files of each pack. Both are only ever appended to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ClaimEvent:
    """One act on the claim of that number; `revision` counts them from 1.

    `facts` is what the claim is about, as JSON: the first act has it, all others have nothing there.
    """

    number: int
    revision: int
    action: str
    at_us: int
    who: str
    role: str
    peer: str
    reason: str = ""
    amount: str | None = None
    late: str = ""
    by_claim: int = 0
    facts: bytes = b""
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class ClaimFile:
    """A file of a pack as it was handed out: `packed` is its content, compressed."""

    number: int
    place: int
    name: str
    sha256: str
    size: int
    packed: bytes


class ClaimStore(Protocol):
    """The ledger of claims, and their packs."""

    def last_claim(self) -> int:
        """The number of the newest claim; 0: there is none."""
        ...

    def put_claim_event(self, event: ClaimEvent) -> int:
        """Append; gives the sequence."""
        ...

    def claim_events(self, number: int | None = None) -> Sequence[ClaimEvent]:
        """Everything that was done to a claim (or to all), the oldest first."""
        ...

    def put_claim_files(self, files: Sequence[ClaimFile]) -> None:
        """Append the files of a pack."""
        ...

    def claim_files(self, number: int) -> Sequence[ClaimFile]:
        """The files of the pack of a claim, in their order."""
        ...
