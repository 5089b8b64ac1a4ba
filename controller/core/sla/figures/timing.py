"""The timers of a segment (S-47): which ones are its own, and how a record tells of them."""

from collections.abc import Sequence
from typing import Any, Final

from controller.core.intervals import Interval, clip, union
from controller.core.severity import Severity
from controller.core.sla.figures.applied import Applied, Status
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.figures.timers import Timer, timers
from controller.core.sla.terms.objectives import Timed
from controller.core.sla.terms.scopes import Scope
from controller.core.sla.terms.segments import Segment

NEVER_REGIONAL: Final = frozenset({Severity.P1})
"""The only severity that no outage of a single region has."""


def was_nothing_asked(scope: Scope, objective: Timed, outages: Sequence[OutageTimes]) -> bool:
    """A timeline without outages alone says that nothing was asked of people: nobody has to know what they did.

    It does not say so where outages of single regions count, or those of members that others make up for.
    """
    needs_all = scope.needed == len(scope.members)
    return needs_all and not outages and objective.severities <= NEVER_REGIONAL


def timers_of(
    segment: Segment,
    objective: Timed,
    outages: Sequence[OutageTimes],
    exclusions: Sequence[Applied],
    as_of_us: int,
) -> list[Timer]:
    """The timers of the outages that begin in a segment, as they stand at an instant.

    An outage belongs to where it begins, like those that are counted (S-46), whenever its timer starts.
    """
    terms = objective.terms(segment.contract.period.tz)
    found = timers(outages, terms, as_of_us, excluded_time(exclusions))
    return [one for one in found if clip(segment.span, one.began_us, one.began_us + 1)]


def excluded_time(exclusions: Sequence[Applied]) -> list[Interval]:
    """When no clock runs: in exclusions that apply, whatever the hours of the contract are.

    Of one that is capped only what it takes.
    """
    whole = [one.exclusion.interval for one in exclusions if one.status is Status.APPLIED]
    part = [span for one in exclusions if one.status is Status.CAPPED for span in one.taken]
    return union([*whole, *part])


def timer_plain(timer: Timer) -> dict[str, Any]:
    """A timer as it stands in a record; instants and lengths in microseconds."""
    return {
        "outage": timer.outage,
        "reopened": list(timer.reopened),
        "check": timer.check,
        "region": timer.region or None,
        "severity": timer.severity,
        "began": timer.began_us,
        "started": timer.started_us,
        "due": timer.due_us,
        "stopped": timer.stopped_us,
        "elapsed": timer.elapsed_us,
        "remaining": timer.remaining_us,
        "pauses": [list(one) for one in timer.pauses],
        "state": timer.state,
    }
