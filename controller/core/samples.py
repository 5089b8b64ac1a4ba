"""Samples: results as the arithmetic sees them, after admission (SEMANTICS S-1 to S-5)."""

from dataclasses import dataclass
from typing import NamedTuple

from vedette.shared.identity import ResultId
from vedette.shared.result import Outcome


class Sample(NamedTuple):
    """One admitted result. A tuple, because there are many and most live briefly.

    `at_us` is the event time t of S-3: the agent's clock, corrected by its measured offset. `outcome` is
    what counts: a line without a usable clock is AGENT_ERROR here, whatever it says.
    """

    agent: str
    epoch: str
    stream: str
    seq: int
    check: str
    region: str
    at_us: int
    outcome: Outcome
    kind: str | None = None
    took_us: int | None = None
    digest: int = 0
    """The first 63 bits of the SHA-256 of the line's bytes: decides between two lines that claim one
    identity with equal outcomes (S-2). 0 where it is not known."""

    @property
    def id(self) -> ResultId:
        """The result's identity (S-2)."""
        return ResultId(self.agent, self.epoch, self.stream, self.seq)


class AnchorRound(NamedTuple):
    """One round of an agent's self-test (S-10): `ok` of `total` anchors answered at `at_us`."""

    agent: str
    epoch: str
    stream: str
    seq: int
    at_us: int
    ok: int
    total: int
    digest: int = 0

    @property
    def id(self) -> ResultId:
        """The round's identity (S-2)."""
        return ResultId(self.agent, self.epoch, self.stream, self.seq)

    @property
    def is_bad(self) -> bool:
        """More than half of the anchors were out of reach."""
        return 2 * (self.total - self.ok) > self.total


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A line that is kept and listed but not evaluated, and why (S-3)."""

    id: ResultId
    reason: str
