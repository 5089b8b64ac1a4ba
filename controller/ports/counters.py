"""Counter-evidence: what the other side says against an outage or a period, and the file that it rests on.

It is kept and shown, and changes no figure. Only appended to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Counter:
    """What somebody says against something: an outage (`OUT-3`) or a period of a contract (`acme 2026-06`).

    An outage as far as it is of a contract is `OUT-3 acme`: that stands in no bundle of another contract.

    `sha256` and `size` are those of the file, empty and 0 if there is none; `content` is the file where it is small
    enough to be kept.
    """

    subject: str
    at_us: int
    who: str
    role: str
    peer: str
    text: str
    file_name: str = ""
    size: int = 0
    sha256: str = ""
    content: bytes = b""
    sequence: int = 0


class CounterStore(Protocol):
    """What was said against anything."""

    def put_counter(self, counter: Counter) -> int:
        """Append; gives the sequence."""
        ...

    def counters_of(self, subject: str) -> Sequence[Counter]:
        """What was said against that, or that as far as it is of any contract, the oldest first."""
        ...

    def counters_against(self, handles: Sequence[str]) -> Mapping[str, Sequence[Counter]]:
        """What was said against these outages, of whatever contract, the oldest first; by handle."""
        ...
