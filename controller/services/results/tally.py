"""What ingest counted since start, in all and for each agent: what people look at when something is odd."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from controller.ports.evidence import Conflict
from controller.services.results.frames import Gathered, Refused

_REASONS_KEPT_MAX: Final = 5
_AGENTS_MAX: Final = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was not taken, and when."""

    at_us: int
    text: str


@dataclass(slots=True)
class AgentTally:
    """What came of one agent since start."""

    lines: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    unknown_checks: int = 0
    unknown_regions: int = 0
    lost: int = 0
    refused_frames: int = 0
    refusals: deque[Reason] = field(default_factory=lambda: deque(maxlen=_REASONS_KEPT_MAX))


@dataclass(slots=True)
class IngestCounters(AgentTally):
    """What happened since start."""

    commits: int = 0
    failed_commits: int = 0
    last_failure: str = ""
    failing_since_us: int | None = None
    defects: int = 0
    last_defect: str = ""


class Tally:
    """Counts, and logs what begins and ends: one line for each, however often it repeats."""

    def __init__(self) -> None:
        self.total = IngestCounters()
        self._agents: dict[str, AgentTally] = {}
        self._conflicting: set[tuple[str, str, str]] = set()

    def agents(self) -> dict[str, AgentTally]:
        """What came of each agent, by agent."""
        return {agent: self._agents[agent] for agent in sorted(self._agents)}

    def committed(self, taken: Sequence[tuple[str, Gathered]]) -> None:
        """A transaction with these is durable."""
        self.total.commits += 1
        for agent, gathered in taken:
            for one in (self.total, self._of(agent)):
                _add(one, gathered)
            for conflict in gathered.conflicts:
                self._tell_conflict(conflict)

    def outside(self, agent: str, count: int) -> None:
        """So many results came from a region that their checks do not ask."""
        for one in (self.total, self._of(agent)):
            one.unknown_regions += count

    def refused(self, agent: str, answer: Refused, at_us: int) -> None:
        """A frame was not taken."""
        for one in (self.total, self._of(agent)):
            one.refused_frames += 1
            one.refusals.append(Reason(at_us, answer.reason))

    def failed(self, reason: str, at_us: int) -> None:
        """A commit failed; it is tried again."""
        total = self.total
        total.failed_commits += 1
        total.last_failure = reason
        if total.failing_since_us is None:
            total.failing_since_us = at_us
            log.error("ingest.failing", extra={"reason": reason})

    def succeeded(self) -> None:
        """Storage takes commits."""
        if self.total.failing_since_us is not None:
            self.total.failing_since_us = None
            log.warning("ingest.recovered", extra={"failed_commits": self.total.failed_commits})

    def defect(self, agent: str, where: str, error: Exception) -> None:
        """A frame could not be worked on because of a fault of ours."""
        self.total.defects += 1
        self.total.last_defect = f"{where}: {error}"
        log.error("ingest.defect", exc_info=error, extra={"agent": agent, "frame": where})

    def _of(self, agent: str) -> AgentTally:
        if agent not in self._agents and len(self._agents) >= _AGENTS_MAX:
            del self._agents[next(iter(self._agents))]
        return self._agents.setdefault(agent, AgentTally())

    def _tell_conflict(self, conflict: Conflict) -> None:
        """Once for each stream: what follows on it is counted."""
        result = conflict.id
        stream = (result.agent, result.epoch, result.stream)
        if stream not in self._conflicting:
            self._conflicting.add(stream)
            names = {"agent": result.agent, "epoch": result.epoch, "stream": result.stream}
            log.error("ingest.conflict", extra={**names, "seq": result.seq})


def _add(to: AgentTally, gathered: Gathered) -> None:
    to.lines += gathered.lines
    to.duplicates += gathered.duplicates
    to.conflicts += len(gathered.conflicts)
    to.quarantined += len(gathered.quarantined)
    to.unknown_checks += len(gathered.strays)
    to.lost += gathered.lost
