"""Where the time of a contract goes (S-26, S-34, S-36, S-39): counted, excluded, out of schedule or unknown.

Sets of instants and lengths in integer microseconds; nothing is divided here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from controller.core.intervals import Interval, difference, intersection, length, union
from controller.core.quorum import Verdict
from controller.core.sla.applied import Applied
from controller.core.sla.exclusions import Mode

MINUTE_US: Final = 60 * 1_000_000


class Stretch(NamedTuple):
    """A time over which the verdicts do not change: as attributed, and with least and most downtime."""

    from_us: int
    to_us: int
    verdict: Verdict
    low: Verdict
    high: Verdict


class MinuteRule(NamedTuple):
    """Downtime in whole minutes (S-36): those that are bad throughout or at all, in runs of at least `run`."""

    is_whole: bool
    run: int


@dataclass(frozen=True, slots=True)
class Counting:
    """How downtime is counted: whether PARTIAL time is, from which length on, and in which minutes."""

    counts_partial: bool = False
    shortest_us: int = 0
    minutes: MinuteRule | None = None


class Timeline:
    """The verdicts of a check as sets. Time that no stretch covers is UNKNOWN."""

    def __init__(self, stretches: Iterable[Stretch], counting: Counting) -> None:
        listed = list(stretches)
        self.known: dict[Verdict, list[Interval]] = {
            verdict: _where(listed, 2, verdict)
            for verdict in Verdict
            if verdict is not Verdict.UNKNOWN
        }
        self.counting = counting
        self.down, self.low, self.high = (_counted(listed, place, counting) for place in (2, 3, 4))


def _where(stretches: Sequence[Stretch], place: int, verdict: Verdict) -> list[Interval]:
    return union((one.from_us, one.to_us) for one in stretches if one[place] is verdict)


def _counted(stretches: Sequence[Stretch], place: int, counting: Counting) -> list[Interval]:
    """The time that counts as downtime before anything is excluded.

    Whether DOWN time is long enough is decided before it is cut to a period (S-39).
    """
    found = _where(stretches, place, Verdict.DOWN)
    if counting.shortest_us:
        found = [one for one in found if one.to_us - one.from_us >= counting.shortest_us]
    if counting.counts_partial:
        found = union([*found, *_where(stretches, place, Verdict.PARTIAL)])
    return found


@dataclass(frozen=True, slots=True)
class Account:
    """A part of a period, split up. `by_verdict`, `excluded_us` and `out_of_schedule_us` sum to its length.

    `dropped_us` is what exclusions take out of the denominator; `forgiven_us`, by exclusion, is downtime that
    they take out of the numerator. `counted` is the downtime that is left, as a set.
    """

    by_verdict: Mapping[Verdict, int]
    out_of_schedule_us: int
    excluded_us: int
    dropped_us: int
    downtime_us: int
    low_us: int
    high_us: int
    counted: Sequence[Interval]
    taken_us: Mapping[str, int]

    @property
    def unknown_us(self) -> int:
        """Time of which nothing is known."""
        return self.by_verdict[Verdict.UNKNOWN]


def account(
    timeline: Timeline,
    span: Sequence[Interval],
    in_service: Sequence[Interval],
    exclusions: Sequence[Applied],
) -> Account:
    """Split the instants of `span`: out of schedule first, then excluded, then by verdict (S-26)."""
    base = intersection(span, in_service)
    dropping = [one for one in exclusions if _drops_all(one)]
    dropped = intersection(union(i for one in dropping for i in one.taken), base)
    rest = difference(base, dropped)
    forgiving = [one for one in exclusions if one.taken and not _drops_all(one)]
    forgiven = intersection(union(i for one in forgiving for i in one.taken), rest)
    taken_us = {one.exclusion.id: length(intersection(one.taken, base)) for one in dropping}
    own = intersection(timeline.down, rest)
    taken_us |= {one.exclusion.id: length(intersection(one.taken, own)) for one in forgiving}
    spared = intersection(own, forgiven)
    by_verdict = {
        verdict: length(difference(intersection(where, rest), spared))
        for verdict, where in timeline.known.items()
    }
    by_verdict[Verdict.UNKNOWN] = length(rest) - length(spared) - sum(by_verdict.values())
    counted = difference(own, spared)
    leaving = [one for one in forgiving if one.terms.mode is Mode.DROP]
    left_us = sum(taken_us[one.exclusion.id] for one in leaving)
    low, high = (difference(intersection(w, rest), forgiven) for w in (timeline.low, timeline.high))
    rule = timeline.counting.minutes
    figure, least, most = (downtime_us(each, rule) for each in (counted, low, high))
    return Account(
        by_verdict=by_verdict,
        out_of_schedule_us=length(span) - length(base),
        excluded_us=length(dropped) + length(spared),
        dropped_us=length(dropped) + left_us,
        downtime_us=figure,
        low_us=least,
        high_us=most,
        counted=counted,
        taken_us=taken_us,
    )


def _drops_all(one: Applied) -> bool:
    return bool(one.taken) and one.terms.mode is Mode.DROP and one.terms.drop_scope == "all"


def downtime_us(down: Sequence[Interval], rule: MinuteRule | None) -> int:
    """How much downtime a set is; by minutes of UTC where there is a rule for them (S-36)."""
    if rule is None:
        return length(down)
    runs: list[list[int]] = []
    for minute in _bad_minutes(down, is_whole=rule.is_whole):
        if runs and minute == runs[-1][1]:
            runs[-1][1] = minute + 1
        elif not runs or minute > runs[-1][1]:
            runs.append([minute, minute + 1])
    return sum((last - first) * MINUTE_US for first, last in runs if last - first >= rule.run)


def _bad_minutes(down: Sequence[Interval], *, is_whole: bool) -> Iterable[int]:
    """The numbers of the bad minutes, in order; one may come twice."""
    for from_us, to_us in down:
        if is_whole:
            yield from range(-(-from_us // MINUTE_US), to_us // MINUTE_US)
        else:
            yield from range(from_us // MINUTE_US, -(-to_us // MINUTE_US))
