"""Composites on timelines (S-49): what several checks are together, instant by instant."""

from collections.abc import Iterator, Sequence
from typing import Final

from controller.core.intervals import union
from controller.core.quorum import Verdict
from controller.core.sla.accounting import Stretch

_FROM_BEST: Final = (
    Verdict.UP, Verdict.DEGRADED, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.DOWN,
)  # fmt: skip
_RANK: Final = {verdict: rank for rank, verdict in enumerate(_FROM_BEST)}
_Ranks = tuple[int, int, int]
_NOTHING: Final[_Ranks] = (_RANK[Verdict.UNKNOWN],) * 3


def combined(members: Sequence[Sequence[Stretch]], needed: int) -> list[Stretch]:
    """The timeline of which the verdict at any instant is the `needed`-th best of the members' verdicts.

    One is a set of parallel members, all of them a series; between them it is Kleene's logic. A member
    that says nothing of an instant is UNKNOWN there. Each member's stretches are in order and disjoint.
    """
    if len(members) == 1:
        return list(members[0])
    changes = sorted(
        (at_us, member, ranks)
        for member, stretches in enumerate(members)
        for at_us, ranks in _changes(stretches)
    )
    present = [_NOTHING] * len(members)
    found: list[Stretch] = []
    for place, (at_us, member, ranks) in enumerate(changes):
        present[member] = ranks
        until_us = changes[place + 1][0] if place + 1 < len(changes) else at_us
        if until_us > at_us:
            figure, low, high = (
                _FROM_BEST[sorted(each)[needed - 1]] for each in zip(*present, strict=True)
            )
            _add(found, Stretch(at_us, until_us, figure, low, high))
    return found


def _changes(stretches: Sequence[Stretch]) -> Iterator[tuple[int, _Ranks]]:
    """From when on a member says what; nothing where it has a hole."""
    for place, one in enumerate(stretches):
        yield one.from_us, (_RANK[one.verdict], _RANK[one.low], _RANK[one.high])
        if place + 1 == len(stretches) or stretches[place + 1].from_us > one.to_us:
            yield one.to_us, _NOTHING


def _add(found: list[Stretch], one: Stretch) -> None:
    if found and found[-1].to_us == one.from_us and found[-1][2:] == one[2:]:
        found[-1] = Stretch(found[-1].from_us, *one[1:])
    else:
        found.append(one)


def down_starts(stretches: Sequence[Stretch]) -> list[int]:
    """When the outages of a composite begin: its DOWN times, each by itself."""
    down = union((one.from_us, one.to_us) for one in stretches if one.verdict is Verdict.DOWN)
    return [one.from_us for one in down]
