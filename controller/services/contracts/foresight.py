"""What was known at an instant, made out step by step: some days of a check a transaction, so that others come in between.

What was known then is the same whenever it is asked for (S-21), so it may be remembered from one transaction to the
next. What is told by all that is stored now is not, and is never remembered.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.figures.sampling import Samples
from controller.services.contracts.sight import PastSight, Sight, Told

# Judging so much takes up to a second where agents ask their anchors every 20 s.
_PART_US: Final = 8 * 86_400 * 1_000_000

_Key = tuple[str, str, int, int, int]


class NotYet(Exception):
    """What is asked for takes a further step: ask again in the next transaction."""


class Foresight:
    """What was told of checks so far."""

    def __init__(self) -> None:
        self._told: dict[_Key, Any] = {}
        self._steps: int | None = None

    def over(self, sight: Sight, steps: int | None = None) -> Sight:
        """That sight, and what is remembered of it. With `steps` it makes out so much at most, and raises NotYet then."""
        self._steps = steps
        return _Remembering(self, sight) if isinstance(sight, PastSight) else sight

    def remembered(self, key: _Key, made: Callable[[], Any]) -> Any:
        """What is remembered under that key, or made now."""
        if key not in self._told:
            if self._steps == 0:
                raise NotYet
            if self._steps is not None:
                self._steps -= 1
            self._told[key] = made()
        return self._told[key]


class _Remembering:
    """controller.services.contracts.sight.Sight that remembers."""

    def __init__(self, foresight: Foresight, sight: Sight) -> None:
        self.horizon_us: Final = sight.horizon_us
        self._foresight = foresight
        self._sight = sight

    def told(self, check: str, from_us: int, to_us: int) -> Told:
        """What is told of [from_us, to_us), cut at the horizon."""
        parts: list[Told] = []
        for start_us in range(from_us, to_us, _PART_US):
            span = start_us, min(start_us + _PART_US, to_us)
            made = partial(self._sight.told, check, *span)
            parts.append(self._foresight.remembered(("told", check, *span, self.horizon_us), made))
        return _joined(parts)

    def clocks(self, check: str, from_us: int, to_us: int) -> Sequence[OutageTimes]:
        """What people are measured by in the outages of a check and its regions that touch that time."""
        return self._sight.clocks(check, from_us, to_us)

    def samples(self, check: str, from_us: int, to_us: int) -> Samples:
        """The results of a check that are evidence, as far as [from_us, to_us) and the horizon go."""
        made = partial(self._sight.samples, check, from_us, to_us)
        key = ("samples", check, from_us, to_us, self.horizon_us)
        found: Samples = self._foresight.remembered(key, made)
        return found


def _joined(parts: Sequence[Told]) -> Told:
    """What is told of times that follow one another, as of one: a verdict does not end where a part does."""
    stretches: list[Stretch] = []
    for part in parts:
        for number, one in enumerate(part.stretches):
            if not number and stretches and _goes_on(stretches[-1], one):
                stretches[-1] = stretches[-1]._replace(to_us=one.to_us)
            else:
                stretches.append(one)
    return Told(stretches, [span for part in parts for span in part.spans])


def _goes_on(before: Stretch, after: Stretch) -> bool:
    return before.to_us == after.from_us and before[2:] == after[2:]
