"""From when on an outage costs downtime (S-39): its first failure, its confirmation, or the first message of it."""

from collections.abc import Sequence
from enum import StrEnum

from controller.core.intervals import FOREVER_US, Interval, union
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.reliability import OutageTimes


class DowntimeStart(StrEnum):
    """From when on an outage costs downtime."""

    FIRST_FAILURE = "first_failure"
    CONFIRMATION = "confirmation"
    NOTIFICATION = "notification"


def counted_from(
    stretches: Sequence[Stretch], outages: Sequence[OutageTimes], start: DowntimeStart
) -> list[Stretch]:
    """A timeline in which DOWN time that does not count yet is UP, in the figure and in both bounds.

    What is DOWN outside of every outage, as it may be where most downtime is assumed, was never confirmed,
    and nobody was told of it: it does not count either. So it is with an outage that never was.
    """
    if start is DowntimeStart.FIRST_FAILURE:
        return list(stretches)
    counts = union(_counts(one, start) for one in outages if not one.region)
    found: list[Stretch] = []
    place = 0
    for one in stretches:
        if Verdict.DOWN not in one[2:5]:
            found.append(one)
            continue
        while place < len(counts) and counts[place].to_us <= one.from_us:
            place += 1
        found += _split(one, counts, place)
    return found


def _counts(outage: OutageTimes, start: DowntimeStart) -> Interval:
    """The part of an outage that costs; empty if there is none."""
    ended_us = FOREVER_US if outage.ended_us is None else outage.ended_us
    begun_us = outage.confirmed_us if start is DowntimeStart.CONFIRMATION else _told_us(outage)
    return Interval(ended_us if begun_us is None else max(begun_us, outage.started_us), ended_us)


def _told_us(outage: OutageTimes) -> int | None:
    """When people were first told of it, or were not because they were told of what explains it (S-16)."""
    instants = (outage.notified_us, outage.held_us)
    return min((one for one in instants if one is not None), default=None)


def _split(one: Stretch, counts: Sequence[Interval], place: int) -> list[Stretch]:
    """A stretch in parts, of which those that do not count are not DOWN."""
    found: list[Stretch] = []
    at_us = one.from_us
    for span in counts[place:]:
        if span.from_us >= one.to_us:
            break
        from_us, to_us = max(span.from_us, at_us), min(span.to_us, one.to_us)
        if at_us < from_us:
            found.append(_uncounted(one, at_us, from_us))
        found.append(one._replace(from_us=from_us, to_us=to_us))
        at_us = to_us
    if at_us < one.to_us:
        found.append(_uncounted(one, at_us, one.to_us))
    return found


def _uncounted(one: Stretch, from_us: int, to_us: int) -> Stretch:
    figure, low, high = (Verdict.UP if verdict is Verdict.DOWN else verdict for verdict in one[2:5])
    return Stretch(from_us, to_us, figure, low, high, one.weights)
