"""Checks whose timeline is behind their evidence: a backlog reaches back further than their engines do.

Judging a check anew reads all of its evidence from there on, which takes a good part of a second for a week.
One or two are judged at once. Where a backlog concerns many, its lines are kept and acknowledged, what is
stored is marked as complete only until there, and the checks are judged one at a time when no more comes
for them: results of now go in between. After a restart the mark says the same.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from controller.errors import ControllerError, Fatal
from controller.ports.storage import Worker

QUIET_US: Final = 30 * 1_000_000
# A backlog that never ends must not keep its checks behind for ever.
BEHIND_US_MAX: Final = 900 * 1_000_000
_IDLE_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 10.0


@dataclass(slots=True)
class _Late:
    at_us: int
    since_us: int
    last_us: int
    is_marked: bool = True


@dataclass(slots=True)
class Behind:
    """From which instant on each of these checks is to be judged, and how long it has waited for that."""

    _checks: dict[str, _Late] = field(default_factory=dict)

    def __contains__(self, check: str) -> bool:
        return check in self._checks

    def __len__(self) -> int:
        return len(self._checks)

    def add(self, check: str, at_us: int, now_us: int) -> bool:
        """Evidence of `at_us` came. True if storage has to be told: that is further back than it knows."""
        known = self._checks.get(check)
        if known is None:
            self._checks[check] = _Late(at_us, now_us, now_us)
            return True
        known.last_us = now_us
        is_news = at_us < known.at_us or not known.is_marked
        known.at_us = min(at_us, known.at_us)
        known.is_marked = True
        return is_news

    def unmark(self) -> None:
        """What storage was told in the last transaction was undone."""
        for late in self._checks.values():
            late.is_marked = False

    def due(self, now_us: int) -> str | None:
        """A check to judge now: for which nothing came for a while, or that has waited long enough."""
        for check, late in self._checks.items():
            if now_us - late.last_us >= QUIET_US or now_us - late.since_us >= BEHIND_US_MAX:
                return check
        return None

    def since_us(self, check: str) -> int:
        """From where on it is to be judged."""
        return self._checks[check].at_us

    def discard(self, check: str) -> None:
        """It was judged."""
        self._checks.pop(check, None)


class CatchesUp(Protocol):
    """What judges one check that is behind."""

    def catch_up(self, now_us: int) -> bool:
        """Judge one; False if none is due."""
        ...


async def catching_up(worker: Worker, evaluator: CatchesUp, now_us: Callable[[], int]) -> None:
    """Judge what is behind, one check a transaction, for ever. Fatal if storage is damaged."""
    while True:
        try:
            is_busy = await worker.run(lambda: evaluator.catch_up(now_us()))
        except Fatal:
            raise
        except ControllerError:
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        if not is_busy:
            await asyncio.sleep(_IDLE_SECONDS)
