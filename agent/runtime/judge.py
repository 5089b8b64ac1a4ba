"""Judges observations without keeping the loop waiting: what may take long is evaluated on a thread.

Most expectations take microseconds, and are evaluated at once. A pattern over a large page can take a second at
worst; while it is matched, other threads run.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

from agent.core.evaluation import is_light
from agent.core.verdict import Verdict, verdict
from agent.ports import Clock, Observation
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import EVALUATION_THREADS_MAX, EVALUATION_US_MAX
from vedette.shared.result import Outcome

# As little as the heartbeat takes for no lateness.
_NOISE_US: Final = 2_000
_BUSY: Final = (
    f"the expectations were not evaluated within {EVALUATION_US_MAX / 1e6:g} s: this agent evaluates as many at a "
    "time as it may"
)


class Judged(NamedTuple):
    """A verdict, and how long the loop stood still for it, in microseconds."""

    verdict: Verdict
    stood_us: int = 0


class Judge:
    """Gives verdicts. Threads are begun when the first is needed, and are at most `threads_max`."""

    def __init__(self, clock: Clock, threads_max: int = EVALUATION_THREADS_MAX) -> None:
        self._clock = clock
        self._threads_max = threads_max
        self._threads: ThreadPoolExecutor | None = None

    async def verdict(self, check: Check, seen: Observation) -> Judged:
        """What `seen` means for `check`; agent_error where no thread came to it in time."""
        begun_us = self._clock.monotonic_us()
        if is_light(check, seen.variables):
            result = verdict(check, seen)
            stood_us = self._clock.monotonic_us() - begun_us
            return Judged(result, stood_us if stood_us > _NOISE_US else 0)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self._threads_max, thread_name_prefix="judge")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(EVALUATION_US_MAX / 1e6):
                return Judged(await loop.run_in_executor(self._threads, verdict, check, seen))
        except TimeoutError:
            return Judged(Verdict(Outcome.AGENT_ERROR, Failure.EXHAUSTED, _BUSY))
