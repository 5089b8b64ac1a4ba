"""Wishes: which agent is still to be asked about which check, and how many of them may be served now.

A storm of failures makes many wishes at once. Orders stay within a rate for each agent and one over all
of them; who has waited longest is served first, and a wish that is not served in time is forgotten: the check's
next slot looks as well.
"""

import heapq
from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

from controller.core.quota import Bucket, Rate
from vedette.shared.limits import (
    CONFIRM_AGENT_ORDERS_PER_SECOND,
    CONFIRM_ORDERS_PER_SECOND,
    CONFIRM_WISHES_MAX,
)

AGENT_RATE: Final = Rate(CONFIRM_AGENT_ORDERS_PER_SECOND, CONFIRM_AGENT_ORDERS_PER_SECOND)
TOTAL_RATE: Final = Rate(CONFIRM_ORDERS_PER_SECOND, CONFIRM_ORDERS_PER_SECOND)


class Wish(NamedTuple):
    """That an agent looks at `check`, from `due_us` on and before `until_us`.

    A lesser `rank` goes first, and of one rank who has waited since the earliest instant.
    """

    rank: int
    since_us: int
    check: str
    due_us: int
    until_us: int


class _Line:
    """The wishes of one agent, one for each check: those that are due, and those that are not yet."""

    __slots__ = ("_due", "_held", "_later", "bucket")

    def __init__(self, rate: Rate, now_us: int) -> None:
        self.bucket = Bucket.full(rate, now_us)
        self._held: dict[str, Wish] = {}
        self._due: list[Wish] = []
        self._later: list[tuple[int, Wish]] = []

    def __len__(self) -> int:
        return len(self._held)

    def held(self, check: str) -> Wish | None:
        return self._held.get(check)

    def put(self, wish: Wish) -> None:
        self._held[wish.check] = wish
        heapq.heappush(self._later, (wish.due_us, wish))

    def first(self, now_us: int) -> Wish | None:
        """The first wish that is due and not too old."""
        while self._later and self._later[0][0] <= now_us:
            heapq.heappush(self._due, heapq.heappop(self._later)[1])
        while self._due:
            wish = self._due[0]
            if self._held.get(wish.check) == wish:
                if now_us < wish.until_us:
                    return wish
                del self._held[wish.check]
            heapq.heappop(self._due)
        return None

    def pop(self) -> Wish:
        """The one that `first` gave, which is no wish any more."""
        wish = heapq.heappop(self._due)
        del self._held[wish.check]
        return wish

    def next_us(self, now_us: int) -> int | None:
        """When the next one is due; None if there is none."""
        if self.first(now_us) is not None:
            return now_us
        return self._later[0][0] if self._later else None


class Wishes:
    """Wishes of all agents, and the rates at which they are served. `dropped` found no room."""

    def __init__(self, agent_rate: Rate = AGENT_RATE, total_rate: Rate = TOTAL_RATE) -> None:
        self._agent_rate = agent_rate
        self._total_rate = total_rate
        self._total: Bucket | None = None
        self._lines: dict[str, _Line] = {}
        self.dropped = 0

    def put(self, agent: str, wish: Wish, now_us: int) -> None:
        """Wish it, unless the same was wished before and comes no later."""
        line = self._lines.get(agent)
        if line is None:
            line = self._lines[agent] = _Line(self._agent_rate, now_us)
        known = line.held(wish.check)
        if known is not None and now_us < known.until_us and _goes_before(known, wish):
            return
        if known is None and len(line) >= CONFIRM_WISHES_MAX:
            self.dropped += 1
            return
        line.put(wish)

    def take(
        self,
        now_us: int,
        agents: Collection[str],
        is_wanted: Callable[[str, Wish], bool],
    ) -> list[tuple[str, Wish]]:
        """The wishes to serve now at these agents, as far as the rates allow; the oldest first.

        One that is not wanted any more is forgotten and costs nothing.
        """
        total = self._total = self._total or Bucket.full(self._total_rate, now_us)
        queue = [
            (wish, agent)
            for agent in agents
            if (line := self._lines.get(agent)) is not None
            and (wish := line.first(now_us)) is not None
        ]
        heapq.heapify(queue)
        served: list[tuple[str, Wish]] = []
        while queue:
            wish, agent = queue[0]
            line = self._lines[agent]
            if is_wanted(agent, wish):
                if total.wait_us(1, now_us):
                    break
                if line.bucket.wait_us(1, now_us):
                    heapq.heappop(queue)
                    continue
                line.bucket.take(1, now_us)
                total.take(1, now_us)
                served.append((agent, wish))
            line.pop()
            if (following := line.first(now_us)) is not None:
                heapq.heapreplace(queue, (following, agent))
            else:
                heapq.heappop(queue)
        return served

    def next_us(self, now_us: int, agents: Collection[str]) -> int | None:
        """When `take` may give something again; None as long as nothing is wished."""
        found: int | None = None
        for agent in agents:
            line = self._lines.get(agent)
            due_us = None if line is None else line.next_us(now_us)
            if line is None or due_us is None:
                continue
            if due_us <= now_us:
                wait_us = line.bucket.wait_us(1, now_us)
                if self._total is not None:
                    wait_us = max(wait_us, self._total.wait_us(1, now_us))
                due_us = now_us + wait_us
            found = due_us if found is None else min(found, due_us)
        return found

    def retain(self, agents: Mapping[str, object]) -> None:
        """Forget agents that are not among these."""
        self._lines = {agent: line for agent, line in self._lines.items() if agent in agents}


def _goes_before(known: Wish, other: Wish) -> bool:
    """The one is at least as urgent as the other."""
    return (known.rank, known.due_us) <= (other.rank, other.due_us)
