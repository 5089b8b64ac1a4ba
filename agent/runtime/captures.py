"""When a failure is captured: once, at the first one of a check, and never in the way of a probe.

The line of the failure does not wait: an outage has to be known at once. What was captured travels with the next
line of the same check, and says in `of` which line it belongs to. A check that goes on failing is not
captured again until it has been up.
"""

import asyncio
from typing import Any, Final

from agent.ports import Capture
from agent.runtime.line import Finding
from vedette.shared.definitions import Check
from vedette.shared.limits import CAPTURE_US_MAX, CAPTURES_AT_ONCE_MAX, CAPTURES_WAITING_MAX
from vedette.shared.result import Outcome

_TOO_MANY: Final = "too many checks of this agent failed at once"


class Captures:
    """Which checks fail here, what is being captured of them, and what is ready to be sent."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._failing: set[str] = set()
        self._ready: dict[str, dict[str, Any]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(CAPTURES_AT_ONCE_MAX)

    def ready_for(self, check: str) -> dict[str, Any] | None:
        """What was captured of `check` and has not been sent; it is given once."""
        return self._ready.pop(check, None)

    def saw(self, check: Check, finding: Finding, seq: int) -> None:
        """A run of `check` found this, in line `seq`: begin a capture if it is the first failure."""
        if finding.outcome in (Outcome.UP, Outcome.DEGRADED):
            self._failing.discard(check.id)
            return
        if finding.outcome is not Outcome.DOWN or check.id in self._failing:
            return
        self._failing.add(check.id)
        if len(self._tasks) >= CAPTURES_AT_ONCE_MAX + CAPTURES_WAITING_MAX:
            self._ready[check.id] = {"of": _of(finding, seq), "fault": _TOO_MANY}
        elif check.id not in self._tasks:
            task = asyncio.create_task(self._captured(check, finding, seq))
            self._tasks[check.id] = task
            task.add_done_callback(lambda task: self._ended(check.id, task))

    def forget(self, check: str) -> None:
        """`check` is not run any more, or is another one now."""
        self._failing.discard(check)
        self._ready.pop(check, None)
        if task := self._tasks.pop(check, None):
            task.cancel()

    async def stop(self) -> None:
        """End what is under way; what is not ready is not sent."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, check: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(check) is task:
            del self._tasks[check]

    async def _captured(self, check: Check, finding: Finding, seq: int) -> None:
        async with self._places:
            self._ready[check.id] = await captured(self._capture, check, finding, seq)


async def captured(capture: Capture, check: Check, finding: Finding, seq: int) -> dict[str, Any]:
    """What `capture` sees around the failure that line `seq` tells of, in its time."""
    try:
        async with asyncio.timeout(CAPTURE_US_MAX / 1e6):
            has_answer = finding.facts.get("status") is not None
            parts = await capture.of(check, finding.addr, has_answer=has_answer)
    except TimeoutError:
        parts = {"fault": f"not seen within {CAPTURE_US_MAX / 1e6:g} s"}
    return {"of": _of(finding, seq), **parts}


def _of(finding: Finding, seq: int) -> dict[str, int]:
    return {"seq": seq, "at": finding.at_us}
