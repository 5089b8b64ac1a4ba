"""The document of attainment: records of a contract, from a replay document or from what is stored."""

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from controller.core.attainment import Observed, OutageSpan, Stretch, record_of
from controller.core.calendars import Period
from controller.core.contracts import Contract
from controller.core.fleet import Fleet
from controller.core.quorum import Verdict
from controller.core.replay import Replay, ReplayedInterval

Record = dict[str, Any]


def records(
    contract: Contract, period: Period, observed: Observed, as_of_us: int, *, revision: int = 1
) -> list[Record]:
    """A record for each objective of the contract, in its order.

    `revision` counts what the contract was until then; where one file is all that there is, it is the first.
    """
    return [
        record_of(contract, one, period, observed, as_of_us, revision=revision)
        for one in contract.objectives
    ]


def records_bytes(found: Sequence[Record]) -> bytes:
    """The document as JSON: compact, fixed order of keys, one newline."""
    return msgspec.json.encode({"version": 1, "records": found}) + b"\n"


def observed_in(document: Replay, fleet: Fleet, check: str) -> Observed:
    """What a replay document says of a check.

    A document without the timelines of S-8 has the bounds' totals, which fit its whole time only: over a
    part of it the bounds equal the figure.
    """
    found = document.checks[check]
    lists = [
        found.intervals,
        found.intervals_min or found.intervals,
        found.intervals_max or found.intervals,
    ]
    return Observed(
        stretches=_stretches(lists),
        outages=[OutageSpan(one.started_at, one.ended_at) for one in found.outages],
        partial_weight=partial_weight_of(fleet, check),
        bounds_us=None if found.intervals_min else (found.downtime_min, found.downtime_max),
    )


def _stretches(lists: Sequence[Sequence[ReplayedInterval]]) -> list[Stretch]:
    """Three timelines over the same time as one, cut wherever one of them changes."""
    cuts = sorted({instant for each in lists for one in each for instant in (one.start, one.end)})
    places = [0] * len(lists)
    found: list[Stretch] = []
    for from_us, to_us in itertools.pairwise(cuts):
        verdicts: list[Verdict] = []
        for which, each in enumerate(lists):
            while places[which] < len(each) and each[places[which]].end <= from_us:
                places[which] += 1
            if places[which] < len(each) and each[places[which]].start <= from_us:
                verdicts.append(each[places[which]].verdict)
        if len(verdicts) == len(lists):
            found.append(Stretch(from_us, to_us, verdicts[0], verdicts[1], verdicts[2]))
    return found


def observed_from(
    stretches: Iterable[Stretch], outages: Iterable[OutageSpan], fleet: Fleet, check: str
) -> Observed:
    """What is stored of a check, bounds included."""
    return Observed(list(stretches), list(outages), partial_weight_of(fleet, check))


def partial_weight_of(fleet: Fleet, check: str) -> Fraction:
    """How much of PARTIAL time counts (S-14); contracts over other weights were refused."""
    return Fraction(int(fleet.checks[check].quorum.partial_weight))
