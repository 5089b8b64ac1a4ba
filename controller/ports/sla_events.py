"""What was told of contracts: a ledger that is only ever appended to.

Whether something was told is asked of it, and it is written in the transaction that writes the messages: a
controller that ends at any point tells everything once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SlaEvent:
    """One thing that was told. `subject` is what it is of, `ordinal` counts what was told of that, from 1.

    `facts` is JSON: what it was told with.
    """

    subject: str
    ordinal: int
    event: str
    contract: str
    recorded_us: int
    facts: bytes
    sequence: int = 0


class SlaEventStore(Protocol):
    """The ledger of what was told of contracts."""

    def put_sla_event(self, event: SlaEvent) -> bool:
        """Append; False if there is one of that subject and ordinal, and nothing was changed."""
        ...

    def sla_events(self, contract: str) -> Sequence[SlaEvent]:
        """Everything that was told of a contract, the oldest first."""
        ...

    def sla_contracts(self) -> Sequence[str]:
        """The contracts of which anything was told, by id."""
        ...

    def newest_sla_events(self, contract: str) -> Sequence[SlaEvent]:
        """The last one of each subject of a contract."""
        ...
