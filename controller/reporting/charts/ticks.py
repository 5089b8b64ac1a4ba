"""Where a time axis has its marks, and what stands at them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controller.core.calendars import day_at, midnight_us
from controller.reporting.figures import Clock

_TICKS_MAX: Final = 12
_STEPS: Final = (1, 2, 3, 7, 14, 31, 92)
_DAY_US: Final = 86_400_000_000


def ticks(from_us: int, to_us: int, clock: Clock) -> Iterator[tuple[int, str]]:
    """Local midnights with their day (month and day), about a dozen of them; months by their first day."""
    days = (to_us - from_us) // _DAY_US
    step = next((one for one in _STEPS if days <= one * _TICKS_MAX), _STEPS[-1])
    day = day_at(from_us, clock.where)
    place = 0
    while (at_us := midnight_us(day, clock.where)) < to_us:
        wanted = day.day == 1 if step >= 31 else place % step == 0
        if wanted and at_us >= from_us:
            yield at_us, day.isoformat()[:7] if step >= 31 else day.isoformat()[5:]
        day += timedelta(days=1)
        place += 1
