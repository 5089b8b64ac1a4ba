"""Samples as they are counted in storage, so that a year of them need not be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from controller.core.samples import AnchorRound


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which samples of a check are counted: of [from_us, to_us), from these regions, and of one agent or of all."""

    check: str
    from_us: int
    to_us: int
    regions: Sequence[str]
    agent: str | None = None


class SampledCount(NamedTuple):
    """How many samples of an agent are good, of how many, in the slice of that number."""

    agent: str
    number: int
    good: int
    valid: int


class SampledLatency(NamedTuple):
    """How many answers of an agent took about so long; None: those that never came."""

    agent: str
    start_us: int | None
    answers: int


class SampledStore(Protocol):
    """Counts samples. What is evidence but for the agent's own trouble is counted (S-4, S-10)."""

    def sample_counts(
        self,
        sampling: Sampling,
        *,
        within_us: int | None = None,
        slices: tuple[int, int] | None = None,
    ) -> Sequence[SampledCount]:
        """Good and valid samples by agent, and by slice, where origin and length of slices are given.

        An agent has one for each of its streams.
        With `within_us` those are good that took no longer; answers of unknown length are then left out.
        """
        ...

    def sample_latencies(self, sampling: Sampling) -> Sequence[SampledLatency]:
        """Answers by agent and by the begin of the bucket of how long they took (see core.sla.sketch).

        An agent has one for each of its streams.
        """
        ...

    def bad_anchors(self, agent: str, from_us: int, to_us: int) -> Sequence[AnchorRound]:
        """The bad anchor rounds of an agent in that time, by time."""
        ...

    def next_good_anchor_us(self, agent: str, after_us: int) -> int | None:
        """Event time of the first good anchor round of an agent after that instant."""
        ...
