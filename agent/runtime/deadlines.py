"""Deadlines of runs: of many that are set, hardly one is ever reached, so that setting one must cost nothing.

No timer for each, but one look at all of them now and then. Deadlines of one length are reached in the order in
which they were set, so that a look at the first of each length is enough.
"""

import asyncio
from types import TracebackType
from typing import Final

_SECOND_US: Final = 1_000_000


class Deadline:
    """Used with `with`: TimeoutError if the task was still inside when the deadline was found to be over."""

    __slots__ = ("_cancelling", "_cohort", "_ends_at", "_is_over", "_task")

    def __init__(
        self, cohort: "dict[Deadline, None]", task: "asyncio.Task[object]", ends_at: float
    ) -> None:
        self._cohort = cohort
        self._task = task
        self._ends_at = ends_at
        self._cancelling = task.cancelling()
        self._is_over = False

    def __enter__(self) -> None:
        self._cohort[self] = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._cohort.pop(self, None)
        # Who cancelled the task besides is to see it cancelled: the same rule as asyncio.timeout's.
        if (
            self._is_over
            and self._task.uncancel() <= self._cancelling
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error

    def ends_by(self, now: float) -> bool:
        """It is over at `now`, a time of the loop; then whoever is inside is being thrown out."""
        if now < self._ends_at:
            return False
        self._is_over = True
        self._task.cancel()
        return True


class Deadlines:
    """The deadlines that tasks of one loop are inside of. Somebody has to `look` every so often."""

    def __init__(self) -> None:
        self._cohorts: dict[int, dict[Deadline, None]] = {}

    def after(self, length_us: int) -> Deadline:
        """A deadline for the running task, so long after now."""
        cohort = self._cohorts.get(length_us)
        if cohort is None:
            cohort = self._cohorts[length_us] = {}
        task = asyncio.current_task()
        assert task is not None
        now = asyncio.get_running_loop().time()
        return Deadline(cohort, task, now + length_us / _SECOND_US)

    def look(self, now: float) -> None:
        """Throw out who is inside a deadline that is over at `now`, a time of the loop."""
        for length_us, cohort in list(self._cohorts.items()):
            while cohort and (first := next(iter(cohort))).ends_by(now):
                del cohort[first]
            if not cohort:
                del self._cohorts[length_us]
