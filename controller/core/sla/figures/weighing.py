"""Accounts of the members of a weighted composite as one (S-49): every length is the weighted sum of theirs."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeVar

from controller.core.quorum import Verdict
from controller.core.sla.figures.accounting import FIGURE, HIGH, LOW, Account
from controller.core.sla.figures.downtime import NOTHING, Exact, Weighed, weighed

K = TypeVar("K")


class Portion(NamedTuple):
    """What one member adds: its weight, a share of 1, and its account."""

    weight: Fraction
    account: Account


def merged(portions: Sequence[Portion]) -> Account:
    """The account of the whole. Its parts are whole microseconds that sum to the length of the time, as theirs do."""
    if len(portions) == 1:
        return portions[0].account
    lengths: dict[str, Fraction] = {"excluded": NOTHING, "out_of_schedule": NOTHING}
    taken_us: dict[str, Exact] = {}
    for weight, own in portions:
        for verdict, us in own.by_verdict.items():
            lengths[verdict] = lengths.get(verdict, NOTHING) + weight * us
        lengths["excluded"] += weight * own.excluded_us
        lengths["out_of_schedule"] += weight * own.out_of_schedule_us
        for name, taken in own.taken_us.items():
            taken_us[name] = taken_us.get(name, 0) + weight * taken
    whole = whole_parts(lengths)
    steps = (
        Weighed(one.from_us, one.to_us, weight * one.weight)
        for weight, own in portions
        for one in own.down.steps
    )
    return Account(
        by_verdict={verdict: whole[verdict] for verdict in Verdict},
        out_of_schedule_us=whole["out_of_schedule"],
        excluded_us=whole["excluded"],
        dropped_us=sum((w * own.dropped_us for w, own in portions), NOTHING),
        down=weighed(steps),
        spent_us=_each([(w, own.spent_us) for w, own in portions]),
        carried_us=sum((w * own.carried_us for w, own in portions), NOTHING),
        carried_spent_us=_each([(w, own.carried_spent_us) for w, own in portions]),
        taken_us=taken_us,
    )


def _each(
    listed: Sequence[tuple[Fraction, tuple[Exact, Exact, Exact]]],
) -> tuple[Exact, Exact, Exact]:
    """The weighted sums of figures and of both bounds."""

    def at(place: int) -> Fraction:
        return sum((weight * each[place] for weight, each in listed), NOTHING)

    return at(FIGURE), at(LOW), at(HIGH)


def whole_parts(parts: Mapping[K, Fraction]) -> dict[K, int]:
    """Parts of a whole number as whole numbers of the same sum: those that lose most by cutting off gain one."""
    found = {key: part // 1 for key, part in parts.items()}
    missing = sum(parts.values(), NOTHING) // 1 - sum(found.values())
    by_loss = sorted(parts, key=lambda key: found[key] - parts[key])
    for key in by_loss[:missing]:
        found[key] += 1
    return found
