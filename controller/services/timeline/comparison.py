"""What is stored of a check beside what it should be.

What is settled must be the same to the microsecond, bounds included. After that the last verdict goes on until
something changes it, bounds are written when it is settled, and an outage that is open is written when
something of it changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from controller.ports.outcomes import StoredInterval, StoredOutage
from controller.services.outages.outage_body import OutageBody
from controller.services.timeline.intervals import cut, merged

_WHILE_OPEN = ("confirmed_us", "votes", "revision", "region")
# What an outage is found by.
_FILED = ("started_us", "ended_us", "region")


@dataclass(frozen=True, slots=True)
class Told:
    """What is stored: verdicts, outages by content id, and the instant before which they are complete."""

    intervals: Sequence[StoredInterval]
    outages: Mapping[str, OutageBody]
    settled_us: int


def told_otherwise(
    told: Told, expected: Sequence[StoredInterval], bodies: Mapping[str, OutageBody]
) -> Iterator[str]:
    """What is stored otherwise than expected, in words."""
    yield from _verdicts(told, expected)
    for key, body in sorted(bodies.items(), key=lambda item: item[1].started_us):
        if key not in told.outages:
            yield f"an outage from {body.started_us} is not stored{_of(body)}"
        else:
            yield from _fields(told.outages[key], body)
    for key, body in sorted(told.outages.items(), key=lambda item: item[1].started_us):
        if key not in bodies:
            yield f"an outage from {body.started_us} is stored, and the lines do not say so{_of(body)}"


def filed_otherwise(rows: Sequence[tuple[StoredOutage, OutageBody]]) -> Iterator[str]:
    """Outages that stand under two handles, or are filed under something else than they say themselves."""
    first: dict[str, str] = {}
    for row, body in sorted(rows, key=lambda item: item[0].number):
        if body.id in first:
            yield f"an outage from {body.started_us} is stored twice: {first[body.id]}, {row.handle}"
        first.setdefault(body.id, row.handle)
        for name in _FILED:
            filed, said = getattr(row, name) or None, getattr(body, name) or None
            if filed != said:
                yield (
                    f"outage from {body.started_us}{_of(body)}: {row.handle} is filed with {name} {filed},"
                    f" and says {said} itself"
                )


def _of(body: OutageBody) -> str:
    return f" (region {body.region})" if body.region else ""


def _verdicts(told: Told, expected: Sequence[StoredInterval]) -> Iterator[str]:
    """The first instant at which verdicts differ, bounds only where they are settled."""
    settled_us = told.settled_us
    stored = [*told.intervals]
    end_us = expected[-1].to_us if expected else 0
    if stored and stored[-1].to_us < end_us:
        stored[-1] = cut(stored[-1], stored[-1].from_us, end_us)
    here, there = _seen(stored, settled_us), _seen(expected, settled_us)
    if here == there or not (stored or any(one.verdict != "UNKNOWN" for one in expected)):
        return
    at_us = _parting_us(here, there)
    yield f"at {at_us} {_said(here, at_us)} is stored, the lines say {_said(there, at_us)}"


def _parting_us(here: Sequence[StoredInterval], there: Sequence[StoredInterval]) -> int:
    """The first instant of which two timelines, which differ, say different things."""
    for one, other in zip_longest(here, there):
        if one is None or other is None:
            return (one or other).from_us
        if one.from_us != other.from_us:
            return min(one.from_us, other.from_us)
        if cut(one, 0, 0) != cut(other, 0, 0):
            return int(one.from_us)
        if one.to_us != other.to_us:
            return min(one.to_us, other.to_us)
    raise AssertionError("the timelines are equal")


def _said(intervals: Sequence[StoredInterval], at_us: int) -> str:
    found = next((one for one in intervals if one.from_us <= at_us < one.to_us), None)
    if found is None:
        return "nothing"
    bounds = f" (least {found.low}, most {found.high})" if found.low else ""
    return f"{found.verdict}{bounds} until {found.to_us}"


def _seen(intervals: Sequence[StoredInterval], settled_us: int) -> list[StoredInterval]:
    """Intervals, without bounds from the settled instant on."""
    found: list[StoredInterval] = []
    for one in intervals:
        if one.from_us < settled_us:
            found.append(cut(one, one.from_us, min(one.to_us, settled_us)))
        if one.to_us > settled_us:
            from_us = max(one.from_us, settled_us)
            found.append(StoredInterval(one.check, from_us, one.to_us, one.verdict, "", ""))
    return merged(found)


def _fields(stored: OutageBody, expected: OutageBody) -> Iterator[str]:
    """Which fields of an outage differ, of one that is open those that are kept up to date."""
    names = expected.__struct_fields__
    if stored.ended_us is None:
        names = tuple(_WHILE_OPEN)
    wrong = [name for name in names if getattr(stored, name) != getattr(expected, name)]
    for name in wrong:
        yield (
            f"outage from {stored.started_us}{_of(stored)}: {name} is stored as"
            f" {getattr(stored, name)}, the lines say {getattr(expected, name)}"
        )
    if stored.ended_us is None and expected.ended_us is not None:
        yield (
            f"outage from {stored.started_us}{_of(stored)}: it is stored as open, the lines say"
            f" that it ended at {expected.ended_us}"
        )
