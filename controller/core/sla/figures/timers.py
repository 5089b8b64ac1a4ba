"""Response and resolution timers (S-47): how long people took, on the clock that the contract gives them.

The clock of a timer runs in support hours, not while it is paused, and not in time that the contract excludes.
Instants and lengths are integer microseconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from controller.core.intervals import (
    FOREVER_US,
    Interval,
    clip,
    difference,
    intersection,
    length,
    union,
)
from controller.core.severity import Severity
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.terms.service_hours import ServiceHours, in_service

_DAY_US: Final = 86_400_000_000
# Due times are looked for in steps that grow, and no further than this.
_FIRST_STEP_US: Final = 16 * _DAY_US
_LOOKED_AHEAD_US: Final = 3660 * _DAY_US


class Stop(StrEnum):
    """What stops a clock: that somebody took the outage on, that or its end, or its end."""

    ACK = "ack"
    ACK_OR_END = "ack_or_end"
    END = "end"


class TimerState(StrEnum):
    """How a timer stands. One that runs on beyond its time is breached, whatever comes."""

    MET = "met"
    BREACHED = "breached"
    RUNNING = "running"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class TimerTerms:
    """What was promised: for outages of which severities, how soon, by which clock.

    `calendar` is read in the zone `tz`. An outage that begins within `reopen_us` after one of the same check
    and region ended goes on with its timer.
    """

    stop: Stop
    severities: frozenset[Severity]
    target_us: int
    calendar: ServiceHours | Literal["always"]
    tz: str
    from_detection: bool = True
    reopen_us: int = 0


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer as it stands. `began_us` is the start of its first outage; `reopened` are the outages that went on with the clock of the first.

    `stopped_us` is None while it runs; `due_us`, when its time is used up, is None while nobody can say.
    """

    outage: str
    reopened: Sequence[str]
    check: str
    region: str
    severity: Severity | None
    began_us: int
    started_us: int
    stopped_us: int | None
    due_us: int | None
    elapsed_us: int
    target_us: int
    pauses: Sequence[tuple[int, int]]
    state: TimerState

    @property
    def remaining_us(self) -> int:
        """How much of its time is left, on its clock; less than 0 if it took longer."""
        return self.target_us - self.elapsed_us

    @property
    def is_decided(self) -> bool:
        """It is met or breached."""
        return self.state in (TimerState.MET, TimerState.BREACHED)


def timers(
    outages: Iterable[OutageTimes],
    terms: TimerTerms,
    now_us: int,
    excluded: Sequence[Interval] = (),
) -> list[Timer]:
    """The timers of all outages that the terms are about, as they stand at `now_us`, by when they began.

    Nothing later than `now_us` is used. An outage that lies in excluded time altogether has none.
    """
    groups = _groups(outages, terms, now_us, excluded)
    found = [_timer(group, terms, now_us, excluded) for group in groups]
    return sorted(found, key=lambda one: (one.started_us, one.outage))


def _groups(
    outages: Iterable[OutageTimes], terms: TimerTerms, now_us: int, excluded: Sequence[Interval]
) -> list[list[OutageTimes]]:
    """The outages that start a clock, each with those that are its reopening (S-47)."""
    own = [
        cut
        for cut in (_until(one, now_us) for one in outages if one.severity in terms.severities)
        if _begun_us(cut, terms) is not None and not _is_excluded(cut, excluded)
    ]
    found: list[list[OutageTimes]] = []
    latest: dict[tuple[str, str], list[OutageTimes]] = {}
    for one in sorted(own, key=lambda each: (each.started_us, each.handle)):
        group = latest.get((one.check, one.region))
        ended_us = group[-1].ended_us if group else None
        if group and ended_us is not None and one.started_us - ended_us <= terms.reopen_us:
            group.append(one)
            continue
        latest[one.check, one.region] = [one]
        found.append(latest[one.check, one.region])
    return found


def _until(one: OutageTimes, now_us: int) -> OutageTimes:
    """An outage as it was when nothing later than `now_us` was known."""

    def known(at_us: int | None) -> int | None:
        return at_us if at_us is not None and at_us <= now_us else None

    return one._replace(
        ended_us=known(one.ended_us), detected_us=known(one.detected_us), acked_us=known(one.acked_us)
    )  # fmt: skip


def _begun_us(one: OutageTimes, terms: TimerTerms) -> int | None:
    """When an outage starts the clock; None: it did not yet."""
    return one.detected_us if terms.from_detection else one.started_us


def _is_excluded(one: OutageTimes, excluded: Sequence[Interval]) -> bool:
    until_us = FOREVER_US if one.ended_us is None else one.ended_us
    return not difference([Interval(one.started_us, max(until_us, one.started_us + 1))], excluded)


def _timer(
    group: Sequence[OutageTimes], terms: TimerTerms, now_us: int, excluded: Sequence[Interval]
) -> Timer:
    first = group[0]
    started_us = _begun_us(first, terms)
    assert started_us is not None, "what starts no clock is in no group"
    stopped_us = _stopped_us(group, terms.stop)
    runs = union(_runs(group, terms))
    until_us = now_us if stopped_us is None else min(stopped_us, now_us)
    # What was paused after the clock stopped has no part in it.
    pauses = [one for one in union(_pauses(group)) if stopped_us is None or one.from_us < until_us]
    blocked = union([*excluded, *pauses])
    hours = in_service(terms.calendar, terms.tz, started_us, max(until_us, started_us))
    ran = difference(
        intersection(clip(runs, started_us, max(until_us, started_us)), hours), blocked
    )
    elapsed_us = length(ran)
    return Timer(
        outage=first.handle,
        reopened=[one.handle for one in group[1:]],
        check=first.check,
        region=first.region,
        severity=first.severity,
        began_us=first.started_us,
        started_us=started_us,
        stopped_us=stopped_us,
        due_us=_used_up_us(runs, terms, blocked),
        elapsed_us=elapsed_us,
        target_us=terms.target_us,
        pauses=clip(pauses, started_us, until_us),
        state=_state(elapsed_us, terms, group, is_stopped=stopped_us is not None),
    )


def _state(
    elapsed_us: int, terms: TimerTerms, group: Sequence[OutageTimes], *, is_stopped: bool
) -> TimerState:
    if elapsed_us > terms.target_us:
        return TimerState.BREACHED
    if is_stopped:
        return TimerState.MET
    is_paused = any(end_us == FOREVER_US for _, end_us in _pauses(group))
    return TimerState.PAUSED if is_paused else TimerState.RUNNING


def _stopped_us(group: Sequence[OutageTimes], stop: Stop) -> int | None:
    """When the clock stopped for good, as far as that is known; None: it runs."""
    ended_us, acked_us = group[-1].ended_us, _acked_us(group)
    if stop is Stop.END:
        return ended_us
    if stop is Stop.ACK or acked_us is not None:
        return acked_us
    return ended_us


def _acked_us(group: Sequence[OutageTimes]) -> int | None:
    return min((one.acked_us for one in group if one.acked_us is not None), default=None)


def _runs(group: Sequence[OutageTimes], terms: TimerTerms) -> Iterator[tuple[int, int]]:
    """When the clock runs, apart from hours and pauses, if nothing stops it that has not come yet.

    The end of the last outage of a group does not cut it: what is asked is when its time would be used up.
    """
    begun_us = _begun_us(group[0], terms)
    assert begun_us is not None
    if terms.stop is Stop.ACK:
        # Between an outage that nobody took on and its reopening somebody could have.
        yield begun_us, FOREVER_US
        return
    for place, one in enumerate(group):
        from_us = _begun_us(one, terms)
        assert from_us is not None
        is_last = place == len(group) - 1
        yield from_us, FOREVER_US if is_last or one.ended_us is None else one.ended_us


def _pauses(group: Sequence[OutageTimes]) -> list[tuple[int, int]]:
    """The pauses of all its outages; one that was not ended ends with its outage."""
    found: list[tuple[int, int]] = []
    for one in group:
        end_us = FOREVER_US if one.ended_us is None else one.ended_us
        found += [(a, min(b, end_us)) for a, b in one.pauses if a < min(b, end_us)]
    return found


def _used_up_us(
    runs: Sequence[Interval], terms: TimerTerms, blocked: Sequence[Interval]
) -> int | None:
    """The first instant at which the clock has run for the whole target; None if none can be named."""
    at_us, step_us, left_us = runs[0].from_us, _FIRST_STEP_US, terms.target_us
    last_us = at_us + _LOOKED_AHEAD_US
    if blocked and blocked[-1].to_us == FOREVER_US:
        last_us = min(last_us, blocked[-1].from_us)
    while at_us < last_us:
        to_us = min(at_us + step_us, last_us)
        hours = in_service(terms.calendar, terms.tz, at_us, to_us)
        for part in difference(intersection(runs, hours), blocked):
            if length([part]) >= left_us:
                return part.from_us + left_us
            left_us -= length([part])
        at_us, step_us = to_us, step_us * 2
    return None
