"""Where the time of a contract goes (S-26, S-34, S-36, S-39): counted, excluded, out of schedule or unknown.

Sets of instants and lengths in microseconds; nothing is divided here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from controller.core.intervals import (
    FOREVER_US,
    Interval,
    difference,
    intersection,
    length,
    union,
    window,
)
from controller.core.quorum import Verdict
from controller.core.sla.figures.applied import Applied
from controller.core.sla.figures.downtime import FULL, NOTHING, Downtime, Exact, MinuteRule, weighed
from controller.core.sla.terms.exclusions import Mode

Weights = tuple[Fraction, Fraction, Fraction]
UNWEIGHED: Final[Weights] = (NOTHING, NOTHING, NOTHING)
FIGURE, LOW, HIGH = 0, 1, 2


class Stretch(NamedTuple):
    """A time over which the verdicts do not change: as attributed, and with least and most downtime.

    `weights` say how much of it counts where these verdicts are PARTIAL (S-14).
    """

    from_us: int
    to_us: int
    verdict: Verdict
    low: Verdict
    high: Verdict
    weights: Weights = UNWEIGHED


@dataclass(frozen=True, slots=True)
class Counting:
    """How downtime is counted: in which minutes, and what of UNKNOWN time.

    `carry_us` is for how long a verdict may be carried on into UNKNOWN time (S-40), and `carry_from_us` from
    when on verdicts are that may be.
    """

    minutes: MinuteRule | None = None
    carry_us: int = FOREVER_US
    carry_from_us: int = -FOREVER_US


class Sets:
    """The verdicts of a check as sets, and its downtime: as attributed, at least and at most.

    Time that no stretch covers is UNKNOWN. Stretches are in order and disjoint, so that each set is made in one
    pass. Downtime that is shorter than `shortest_us` does not count. `costing` is the same timeline with only the
    DOWN time that costs, if that is not all (S-39).
    """

    def __init__(
        self,
        stretches: Sequence[Stretch],
        shortest_us: int = 0,
        costing: Sequence[Stretch] | None = None,
    ) -> None:
        self.known: dict[Verdict, list[Interval]] = {
            verdict: _glued([one for one in stretches if one[2] is verdict])
            for verdict in Verdict
            if verdict is not Verdict.UNKNOWN
        }
        self.anything = _glued([one for one in stretches if one[2] is not Verdict.UNKNOWN])
        self.down = tuple(_counted(stretches, place, shortest_us) for place in (FIGURE, LOW, HIGH))
        if costing is not None:
            self.down = tuple(
                _costing(each, stretches, costing, place) for place, each in enumerate(self.down)
            )


class Timeline:
    """Sets, and what becomes of the UNKNOWN time between them."""

    def __init__(self, sets: Sets, counting: Counting) -> None:
        self.known, self.down, self.counting = sets.known, sets.down, counting
        self.carried = list(_carried(sets.anything, counting))
        self.carried_down = tuple(_carried_down(self.carried, each) for each in self.down)


def _glued(stretches: Sequence[Stretch]) -> list[Interval]:
    """Stretches in order as a set: those that touch become one."""
    found: list[Interval] = []
    begun_us = until_us = -FOREVER_US
    for one in stretches:
        if one[0] != until_us:
            if begun_us < until_us:
                found.append(Interval(begun_us, until_us))
            begun_us = one[0]
        until_us = one[1]
    if begun_us < until_us:
        found.append(Interval(begun_us, until_us))
    return found


def _counted(stretches: Sequence[Stretch], place: int, shortest_us: int) -> Downtime:
    """The time that counts as downtime before anything is excluded.

    Whether it is long enough is decided before it is cut to a period (S-39): of DOWN time and of PARTIAL time that
    counts, without a break. So more downtime is never found too short where less was not.
    """
    full: list[Stretch] = []
    partly: dict[Fraction, list[Stretch]] = {}
    anything: list[Stretch] = []
    for one in stretches:
        verdict = one[2 + place]
        if verdict is Verdict.DOWN:
            full.append(one)
        elif verdict is Verdict.PARTIAL and (weight := one.weights[place]):
            (full if weight == FULL else partly.setdefault(weight, [])).append(one)
        else:
            continue
        anything.append(one)
    found = Downtime(_glued(full), {w: _glued(each) for w, each in sorted(partly.items())})
    if not shortest_us:
        return found
    return found.within([one for one in _glued(anything) if one[1] - one[0] >= shortest_us])


def _costing(
    down: Downtime, listed: Sequence[Stretch], costing: Sequence[Stretch], place: int
) -> Downtime:
    """Downtime without the DOWN time that costs nothing yet."""

    def down_in(stretches: Sequence[Stretch]) -> list[Interval]:
        return union(one[:2] for one in stretches if one[2 + place] is Verdict.DOWN)

    return down.without(difference(down_in(listed), down_in(costing)))


def _carried(known: Sequence[Interval], counting: Counting) -> Iterable[Interval]:
    """The UNKNOWN time that the last known verdict is carried on into."""
    listed = window(known, counting.carry_from_us, FOREVER_US)
    for place, one in enumerate(listed):
        next_us = listed[place + 1].from_us if place + 1 < len(listed) else FOREVER_US
        yield Interval(one.to_us, min(one.to_us + counting.carry_us, next_us))


def _carried_down(carried: Iterable[Interval], down: Downtime) -> Downtime:
    """What of carried time is downtime: it goes on where the time before it was."""
    found: dict[Fraction, list[Interval]] = {}
    for one in carried:
        weight = down.weight_before(one.from_us)
        if weight and one.from_us < one.to_us:
            found.setdefault(weight, []).append(one)
    return Downtime(found.pop(FULL, []), found)


@dataclass(frozen=True, slots=True)
class Account:
    """A part of a period, split up. `by_verdict`, `excluded_us` and `out_of_schedule_us` sum to its length.

    `dropped_us` is what exclusions take out of the denominator; `taken_us`, by exclusion, is what each takes
    out of either. `down` is the downtime that is left, `spent_us` how much it is, as attributed, at least and at
    most. `carried_us` is the UNKNOWN time into which verdicts are carried on, and `carried_spent_us` what
    downtime there is with it.
    """

    by_verdict: Mapping[Verdict, int]
    out_of_schedule_us: int
    excluded_us: int
    dropped_us: Exact
    down: Downtime
    spent_us: tuple[Exact, Exact, Exact]
    carried_us: Exact
    carried_spent_us: tuple[Exact, Exact, Exact]
    taken_us: Mapping[str, Exact]

    @property
    def unknown_us(self) -> int:
        """Time of which nothing is known."""
        return self.by_verdict[Verdict.UNKNOWN]

    @property
    def downtime_us(self) -> Exact:
        """Downtime as attributed."""
        return self.spent_us[FIGURE]

    @property
    def counted(self) -> Sequence[Interval]:
        """The instants that count in full."""
        return self.down.full


class Eligible(NamedTuple):
    """What exclusions leave of time in schedule: `rest` counts, but in `spared` downtime does not.

    `spared_up` is the part of that where it counts as up, in the remainder it leaves the denominator too (S-26).
    """

    base: list[Interval]
    rest: list[Interval]
    spared: list[Interval]
    spared_up: list[Interval]


def eligible(
    span: Sequence[Interval], in_service: Sequence[Interval], exclusions: Sequence[Applied]
) -> Eligible:
    """What schedule and exclusions leave of `span`."""
    base = intersection(span, in_service)
    dropped = union(i for one in exclusions if _drops_all(one) for i in one.taken)
    rest = difference(base, dropped)
    forgiving = [one for one in exclusions if not _drops_all(one)]
    spared = intersection(union(i for one in forgiving for i in one.taken), rest)
    as_up = [one for one in forgiving if one.terms.mode is Mode.AS_UP]
    spared_up = intersection(union(i for one in as_up for i in one.taken), rest)
    return Eligible(base, rest, spared, spared_up)


def account(
    timeline: Timeline,
    span: Sequence[Interval],
    in_service: Sequence[Interval],
    exclusions: Sequence[Applied],
) -> Account:
    """Split the instants of `span`: out of schedule first, then excluded, then by verdict (S-26)."""
    parts = eligible(span, in_service, exclusions)
    base, rest = parts.base, parts.rest
    own = intersection(timeline.down[FIGURE].anywhere, rest)
    taken_us: dict[str, Exact] = {
        one.exclusion.id: length(intersection(one.taken, base if _drops_all(one) else own))
        for one in exclusions
        if one.taken
    }
    forgiven = intersection(own, parts.spared)
    by_verdict = {
        verdict: length(difference(intersection(where, rest), forgiven)) if where else 0
        for verdict, where in timeline.known.items()
    }
    by_verdict[Verdict.UNKNOWN] = length(rest) - length(forgiven) - sum(by_verdict.values())
    dropped_us = length(base) - length(rest)
    left = [one for one in exclusions if one.terms.mode is Mode.DROP and not _drops_all(one)]
    down = [each.within(rest).without(parts.spared) for each in timeline.down]
    figure, least, most = (each.us(timeline.counting.minutes) for each in down)
    return Account(
        by_verdict=by_verdict,
        out_of_schedule_us=length(span) - length(base),
        excluded_us=dropped_us + length(forgiven),
        dropped_us=dropped_us + sum(taken_us.get(one.exclusion.id, 0) for one in left),
        down=down[FIGURE],
        spent_us=(figure, least, most),
        carried_us=length(intersection(timeline.carried, rest)),
        carried_spent_us=_with_carried(timeline, parts, down) or (figure, least, most),
        taken_us=taken_us,
    )  # fmt: skip


def _with_carried(
    timeline: Timeline, parts: Eligible, down: Sequence[Downtime]
) -> tuple[Exact, Exact, Exact] | None:
    """How much downtime there is with what is carried on; None where nothing of that is downtime."""
    if not any(each.full or each.partly for each in timeline.carried_down):
        return None
    carried = [each.within(parts.rest).without(parts.spared) for each in timeline.carried_down]
    figure, least, most = (
        _joined(*pair).us(timeline.counting.minutes) for pair in zip(down, carried, strict=True)
    )
    return figure, least, most


def _joined(own: Downtime, carried: Downtime) -> Downtime:
    """Both; what is downtime by itself is not so twice, as it may be of a composite where most is assumed."""
    if not carried.full and not carried.partly:
        return own
    return weighed([*own.steps, *carried.without(own.anywhere).steps])


def _drops_all(one: Applied) -> bool:
    return bool(one.taken) and one.terms.mode is Mode.DROP and one.terms.drop_scope == "all"
