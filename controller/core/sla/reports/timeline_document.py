"""What is known of the checks of a contract as a replay document: what `observed_in` reads, written."""

from collections.abc import Mapping, Sequence

import msgspec

from controller.core.intervals import clip, length
from controller.core.quorum import Verdict
from controller.core.replay import (
    Replay,
    ReplayedCheck,
    ReplayedInterval,
    ReplayedOutage,
    ReplayedSample,
    ReplayedWeight,
)
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.clocks import clocks_of
from controller.core.sla.figures.sampling import Listed
from controller.core.sla.reports.records import Known
from vedette.shared.result import Outcome


def timeline_document(
    members: Mapping[str, Known],
    samples: Mapping[str, Sequence[Listed]],
    from_us: int,
    to_us: int,
    horizon_us: int,
) -> Replay:
    """The document over [from_us, to_us) as seen from the horizon, with the timelines of S-8.

    `samples` are those of the checks of which objectives count them.
    """
    checks = {name: _replayed(one, to_us) for name, one in sorted(members.items())}
    for name, listed in samples.items():
        written = [
            ReplayedSample(one.at_us, Outcome.UP if one.is_good else Outcome.DOWN, one.took_us)
            for one in listed
        ]
        checks[name] = msgspec.structs.replace(checks[name], samples=written)
    return Replay(1, from_us, to_us, horizon_us, checks)


def _replayed(known: Known, to_us: int) -> ReplayedCheck:
    stretches = known.stretches
    lists = [
        _intervals([(one.from_us, one.to_us, one.verdict) for one in stretches]),
        _intervals([(one.from_us, one.to_us, one.low) for one in stretches]),
        _intervals([(one.from_us, one.to_us, one.high) for one in stretches]),
    ]
    figure, least, most = (
        sum(one.end - one.start for one in each if one.verdict is Verdict.DOWN) for each in lists
    )
    outages = [
        ReplayedOutage(
            one.started_us,
            one.ended_us,
            *(
                _within(stretches, verdict, one.started_us, one.ended_us or to_us)
                for verdict in (Verdict.DOWN, Verdict.UNKNOWN)
            ),
        )
        for one in known.outages
    ]
    clocks = None if known.timed is None else clocks_of(known.timed)
    return ReplayedCheck(
        lists[0], figure, least, most, outages, lists[1], lists[2], clocks, _partial(stretches)
    )


def _intervals(said: Sequence[tuple[int, int, Verdict]]) -> list[ReplayedInterval]:
    """Verdicts one after another; neighbours that say the same are one."""
    found: list[ReplayedInterval] = []
    for from_us, to_us, verdict in said:
        last = found[-1] if found else None
        if last is not None and last.end == from_us and last.verdict is verdict:
            found[-1] = ReplayedInterval(last.start, to_us, verdict)
        else:
            found.append(ReplayedInterval(from_us, to_us, verdict))
    return found


def _partial(stretches: Sequence[Stretch]) -> list[ReplayedWeight] | None:
    """What PARTIAL time weighs, where it weighs something."""
    found: list[ReplayedWeight] = []
    for one in stretches:
        if not any(one.weights):
            continue
        figure, low, high = map(str, one.weights)
        last = found[-1] if found else None
        if last is not None and (last.end, last.weights) == (one.from_us, (figure, low, high)):
            found[-1] = ReplayedWeight(last.start, one.to_us, last.weights)
        else:
            found.append(ReplayedWeight(one.from_us, one.to_us, (figure, low, high)))
    return found or None


def _within(stretches: Sequence[Stretch], verdict: Verdict, from_us: int, to_us: int) -> int:
    """For how long that was the verdict in [from_us, to_us)."""
    own = [(one.from_us, one.to_us) for one in stretches if one.verdict is verdict]
    return length(clip(own, from_us, to_us))
