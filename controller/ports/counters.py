"""Counter-evidence: what the other side says against an outage or a period, and the file that it rests on.

It is kept and shown, and changes no figure. Only appended to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Counter:
    """What somebody says against something: an outage (`OUT-3`) or a period of a contract (`acme 2026-06`).

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
        """What was said against that, the oldest first."""
        ...
