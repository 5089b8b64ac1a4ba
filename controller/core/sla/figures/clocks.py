"""What people are measured by in outages, as a replay document says it, and read from there."""

from collections.abc import Iterable

from controller.core.intervals import Interval
from controller.core.replay import ReplayedClock
from controller.core.sla.figures.reliability import OutageTimes


def clocks_in(check: str, clocks: Iterable[ReplayedClock]) -> list[OutageTimes]:
    """The instants that a document says of the outages of a check."""
    return [
        OutageTimes(
            started_us=one.started_at,
            ended_us=one.ended_at,
            detected_us=one.detected_at,
            notified_us=one.notified_at,
            held_us=one.held_at,
            acked_us=one.acked_at,
            confirmed_us=one.confirmed_at,
            handle=one.outage,
            check=check,
            region=one.region,
            severity=one.severity,
            pauses=tuple(Interval(*pause) for pause in one.pauses),
        )
        for one in clocks
    ]


def clocks_of(times: Iterable[OutageTimes]) -> list[ReplayedClock]:
    """The same as a document says it."""
    return [
        ReplayedClock(
            started_at=one.started_us,
            ended_at=one.ended_us,
            detected_at=one.detected_us,
            notified_at=one.notified_us,
            held_at=one.held_us,
            acked_at=one.acked_us,
            confirmed_at=one.confirmed_us,
            outage=one.handle,
            region=one.region,
            severity=one.severity,
            pauses=[(pause.from_us, pause.to_us) for pause in one.pauses],
        )
        for one in times
    ]
