"""The document of attainment: records of a contract, from a replay document or from what is stored."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import msgspec

from controller.core.attainment import Observed, OutageSpan, Stretch, record_of
from controller.core.calendars import Period
from controller.core.contracts import Contract
from controller.core.fleet import Fleet
from controller.core.quorum import Verdict
from controller.core.replay import Replay

Record = dict[str, Any]


def records(contract: Contract, period: Period, observed: Observed, as_of_us: int) -> list[Record]:
    """A record for each objective of the contract, in its order."""
    return [record_of(contract, one, period, observed, as_of_us) for one in contract.objectives]


def records_bytes(found: Sequence[Record]) -> bytes:
    """The document as JSON: compact, fixed order of keys, one newline."""
    return msgspec.json.encode({"version": 1, "records": found}) + b"\n"


def observed_in(document: Replay, fleet: Fleet, check: str) -> Observed:
    """What a replay document says of a check. Its bounds are totals, and used where they fit."""
    found = document.checks[check]
    return Observed(
        stretches=[
            Stretch(one.start, one.end, *(Verdict(one.verdict),) * 3) for one in found.intervals
        ],
        outages=[OutageSpan(one.started_at, one.ended_at) for one in found.outages],
        partial_weight=partial_weight_of(fleet, check),
        bounds_us=(found.downtime_min, found.downtime_max),
    )


def observed_from(
    stretches: Iterable[Stretch], outages: Iterable[OutageSpan], fleet: Fleet, check: str
) -> Observed:
    """What is stored of a check, bounds included."""
    return Observed(list(stretches), list(outages), partial_weight_of(fleet, check))


def partial_weight_of(fleet: Fleet, check: str) -> Fraction:
    """How much of PARTIAL time counts (S-14); contracts over other weights were refused."""
    return Fraction(int(fleet.checks[check].quorum.partial_weight))
