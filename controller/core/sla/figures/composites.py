"""Composites on timelines (S-49): what several checks are together, instant by instant."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from operator import itemgetter
from typing import Final, NamedTuple

from controller.core.intervals import FOREVER_US, clip, union
from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.downtime import FULL, NOTHING
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.terms.scopes import Scope

_FROM_BEST: Final = (
    Verdict.UP, Verdict.DEGRADED, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.DOWN,
)  # fmt: skip
_RANK: Final = {verdict: rank for rank, verdict in enumerate(_FROM_BEST)}


class _State(NamedTuple):
    """What a member is in one timeline. Of two that are PARTIAL the one that weighs less is better."""

    rank: int
    weight: Fraction


_States = tuple[_State, _State, _State]
_PLAIN: Final = {verdict: _State(rank, NOTHING) for verdict, rank in _RANK.items()}
_TIMELINES: Final = range(3)
_NOTHING: Final[_States] = (_PLAIN[Verdict.UNKNOWN],) * 3


def combined(members: Sequence[Sequence[Stretch]], needed: int) -> list[Stretch]:
    """The timeline of which the verdict at any instant is the `needed`-th best of the members' verdicts.

    One is a set of parallel members, all of them a series; between them it is Kleene's logic. A member
    that says nothing of an instant is UNKNOWN there. Each member's stretches are in order and disjoint.
    """
    if needed == len(members):
        return _together(members, max)
    return _together(members, min if needed == 1 else lambda states: sorted(states)[needed - 1])


def weighted(members: Sequence[Sequence[Stretch]], weights: Sequence[Fraction]) -> list[Stretch]:
    """The timeline of a weighted composite: DOWN where all are, PARTIAL by the weight of those that are not up.

    It shows when what happened; figures are the weighted sums of the members' own.
    """

    def one_of(states: Sequence[_State]) -> _State:
        lost = sum(
            (weight * _lost(state) for weight, state in zip(weights, states, strict=True)), NOTHING
        )
        if lost == FULL:
            return _State(_RANK[Verdict.DOWN], NOTHING)
        if lost:
            return _State(_RANK[Verdict.PARTIAL], lost)
        return _State(max(state.rank for state in states), NOTHING)

    return _together(members, one_of)


def _lost(state: _State) -> Fraction:
    return FULL if _FROM_BEST[state.rank] is Verdict.DOWN else state.weight


def _together(
    members: Sequence[Sequence[Stretch]], state_of: Callable[[Sequence[_State]], _State]
) -> list[Stretch]:
    if len(members) == 1:
        return list(members[0])
    changes = sorted(
        (
            (at_us, member, states)
            for member, stretches in enumerate(members)
            for at_us, states in _changes(stretches)
        ),
        key=itemgetter(0),
    )
    present = [[state] * len(members) for state in _NOTHING]
    now = [state_of(each) for each in present]
    found: list[Stretch] = []
    for place, (at_us, member, states) in enumerate(changes):
        for each in _TIMELINES:
            own = present[each]
            if own[member] is not states[each]:
                own[member] = states[each]
                now[each] = state_of(own)
        until_us = changes[place + 1][0] if place + 1 < len(changes) else at_us
        if until_us > at_us:
            figure, low, high = _ordered(*now)
            weights = (figure.weight, low.weight, high.weight)
            first, least, most = (_FROM_BEST[one.rank] for one in (figure, low, high))
            _add(found, Stretch(at_us, until_us, first, least, most, weights))
    return found


def _ordered(figure: _State, low: _State, high: _State) -> _States:
    """The states with bounds that hold (P6).

    Of parallel members one that is not known may stand for one that costs something in only one of the timelines.
    """
    if low is figure and high is figure:
        return figure, low, high
    return (
        figure,
        figure if _lost(low) > _lost(figure) else low,
        figure if _lost(high) < _lost(figure) else high,
    )


def _changes(stretches: Sequence[Stretch]) -> Iterator[tuple[int, _States]]:
    """From when on a member says what; nothing where it has a hole."""
    for place, one in enumerate(stretches):
        _, _, figure, low, high, weights = one
        yield one.from_us, (
            _state(figure, weights[0]), _state(low, weights[1]), _state(high, weights[2])
        )  # fmt: skip
        if place + 1 == len(stretches) or stretches[place + 1].from_us > one.to_us:
            yield one.to_us, _NOTHING


def _state(verdict: Verdict, weight: Fraction) -> _State:
    if verdict is Verdict.PARTIAL and weight:
        return _State(_RANK[verdict], weight)
    return _PLAIN[verdict]


def _add(found: list[Stretch], one: Stretch) -> None:
    if found and found[-1].to_us == one.from_us and found[-1][2:] == one[2:]:
        found[-1] = Stretch(found[-1].from_us, *one[1:])
    else:
        found.append(one)


def down_times(stretches: Sequence[Stretch]) -> list[tuple[int, int | None]]:
    """When the outages of a composite begin and end: its DOWN times, each by itself.

    One has no end while nothing known has followed it.
    """
    return _times(stretches, lambda one: one.verdict is Verdict.DOWN)


def loss_times(stretches: Sequence[Stretch]) -> list[tuple[int, int | None]]:
    """The same of the times at which a weighted composite loses something."""
    return _times(
        stretches,
        lambda one: (
            one.verdict is Verdict.DOWN or (one.verdict is Verdict.PARTIAL and one.weights[0] > 0)
        ),
    )


def _times(
    stretches: Sequence[Stretch], is_bad: Callable[[Stretch], bool]
) -> list[tuple[int, int | None]]:
    bad = union((one.from_us, one.to_us) for one in stretches if is_bad(one))
    known_us = max(
        (one.to_us for one in stretches if one.verdict is not Verdict.UNKNOWN), default=0
    )
    return [(from_us, to_us if known_us > to_us else None) for from_us, to_us in bad]


def timed_of(
    members: Sequence[Sequence[OutageTimes] | None], stretches: Sequence[Stretch], scope: Scope
) -> list[OutageTimes] | None:
    """The outages of members that people have to see to (S-47); None if those of one are not known.

    Where not all members are needed, an outage concerns the composite from when on that is not well: an
    outage that the others make up for starts no timer.
    """
    known = [one for one in members if one is not None]
    if len(known) < len(members):
        return None
    listed = [one for own in known for one in own]
    if scope.needed == len(scope.members):
        return listed
    well = (Verdict.UP, Verdict.DEGRADED)
    bad = union((one.from_us, one.to_us) for one in stretches if one.verdict not in well)
    found: list[OutageTimes] = []
    for one in listed:
        until_us = FOREVER_US if one.ended_us is None else one.ended_us
        felt = clip(bad, one.started_us, until_us)
        if felt:
            from_us = felt[0].from_us
            seen_us = None if one.detected_us is None else max(one.detected_us, from_us)
            found.append(one._replace(started_us=from_us, detected_us=seen_us))
    return found
