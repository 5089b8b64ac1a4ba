"""The time of which the evidence leaves open whether a check was down, and who leaves it open (S-8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.core.intervals import Interval, difference
from controller.core.labels import Label
from controller.core.timeline import HIGH, LOW, Segment, clipped, down_intervals


@dataclass(frozen=True, slots=True)
class Doubt:
    """A time that counts as down but may not have been, or the reverse, and the regions whose votes say so.

    A region leaves open what happened between two of its results that differ, or after its last one.
    """

    from_us: int
    to_us: int
    is_down: bool
    regions: tuple[str, ...]


def doubts(
    segments: Sequence[Segment], started_us: int, until_us: int, reach_us: int
) -> list[Doubt]:
    """The doubtful parts of an outage in [started_us, until_us), in order of time.

    What counts as down less those parts is the least downtime, and with the other ones it is the most;
    `reach_us` is how far before its start an outage may have begun, the freshness of its policy.
    """
    inside = clipped(segments, started_us, until_us)
    near = clipped(segments, started_us - reach_us, until_us)
    down = down_intervals(inside)
    low = down_intervals(inside, LOW)
    high = [one for one in down_intervals(near, HIGH) if one.to_us >= started_us]
    found = [_doubt(near, one, is_down=True) for one in difference(down, low)]
    found += [_doubt(near, one, is_down=False) for one in difference(high, down)]
    return sorted(found, key=lambda one: one.from_us)


def least_and_most(downtime_us: int, found: Sequence[Doubt]) -> tuple[int, int]:
    """The bounds of a downtime with these doubts."""
    less = sum(one.to_us - one.from_us for one in found if one.is_down)
    more = sum(one.to_us - one.from_us for one in found if not one.is_down)
    return downtime_us - less, downtime_us + more


def _doubt(segments: Sequence[Segment], part: Interval, *, is_down: bool) -> Doubt:
    regions = {
        segment.policy.regions[rank]
        for segment in clipped(segments, *part)
        if segment.policy is not None
        for rank, vote in enumerate(segment.votes)
        if (vote.low is not vote.label if is_down else _may_be_down(vote.label, vote.high))
    }
    return Doubt(part.from_us, part.to_us, is_down, tuple(sorted(regions)))


def _may_be_down(label: Label, high: Label) -> bool:
    return high is Label.DOWN and label is not Label.DOWN
