"""The document of attainment: records of a contract, from a replay document or from what is stored."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec

from controller.core.calendars import Period
from controller.core.fleet import Fleet
from controller.core.quorum import Verdict
from controller.core.replay import Replay, ReplayedInterval
from controller.core.sla.accounting import Stretch
from controller.core.sla.clocks import clocks_in
from controller.core.sla.composites import combined, down_times, timed_of
from controller.core.sla.contracts import Agreement
from controller.core.sla.crediting import Credited, Missed, Taken, credited
from controller.core.sla.exclusions import Declaration
from controller.core.sla.judgement import Frame, Judgement, Observed, judged
from controller.core.sla.objectives import Timed
from controller.core.sla.record import record_of
from controller.core.sla.reliability import OutageTimes
from controller.core.sla.scopes import Scope
from controller.core.sla.scoring import Standing
from controller.core.sla.segments import segments

Record = dict[str, Any]


def records(
    agreement: Agreement, period: Period, observed: Observed, as_of_us: int, *, revision: int = 1
) -> list[Record]:
    """A record for each objective of the contract and each segment of the period, in that order.

    `revision` counts what the contract was until then; where one file is all that there is, it is the first.
    Amendments that stand in the file count on from there.
    """
    found: list[Record] = []
    taken = Taken()
    for own in judgements(agreement, period, observed, as_of_us):
        whole_us = sum(one.whole.eligible_us("as_up") for one in own)
        # What begins later than the facts end has no record yet, unless there would be none at all.
        for one in [one for one in own if one.segment.hull.from_us < as_of_us] or own[:1]:
            credit = _credit(one, whole_us, taken)
            if credit is not None:
                taken = Taken(taken.money + credit.money, taken.days + credit.days)
            said = None if credit is None else credit.plain
            version = one.segment.version
            found.append(record_of(one, said, revision=revision + version - 1))
    return found


def judgements(
    agreement: Agreement, period: Period, observed: Observed, as_of_us: int
) -> Iterator[list[Judgement]]:
    """The segments of each objective, judged by the facts until an instant, in that order."""
    if as_of_us < period.to_us:
        observed = observed.until(as_of_us)
    in_force_us = min(max(period.from_us, agreement.first.effective_us), period.to_us)
    frame = Frame(period, in_force_us, as_of_us)
    for objective in agreement.objectives:
        yield [judged(one, observed, frame) for one in segments(agreement, objective, period)]


def _credit(one: Judgement, whole_us: int, taken: Taken) -> Credited | None:
    """What a judgement is worth; the fee is shared by segments as their time in schedule is (S-32)."""
    terms, figures = one.segment.contract.credits, one.figures
    if terms is None or (isinstance(one.segment.objective, Timed) and terms.at_risk is None):
        # Tiers, minutes, blocks, bands and days are of time that was lost; people lose what is at risk.
        return None
    counted_us = figures.account.downtime_us
    own_us = one.whole.eligible_us("as_up")
    missed = Missed(
        one.segment.objective.id,
        one.score.share,
        one.score.standing is Standing.BREACHED,
        figures.down_us(counted_us),
        Fraction(own_us, whole_us) if whole_us else Fraction(0),
        one.outages,
        one.days,
    )
    return credited(terms, missed, taken)


def records_bytes(found: Sequence[Record]) -> bytes:
    """The document as JSON: compact, fixed order of keys, one newline."""
    return msgspec.json.encode({"version": 1, "records": found}) + b"\n"


def observed_in(document: Replay, fleet: Fleet, scope: Scope) -> Observed:
    """What a replay document says of the checks of a contract.

    A document without the timelines of S-8 has the bounds' totals, which fit its whole time only: over a
    part of it the bounds equal the figure, and of several checks too.
    """
    members: list[Known] = []
    for name in scope.members:
        found = document.checks[name]
        lists = [
            found.intervals,
            found.intervals_min or found.intervals,
            found.intervals_max or found.intervals,
        ]
        timed = None if found.clocks is None else clocks_in(name, found.clocks)
        by_start = {one.started_us: one for one in timed or () if not one.region}
        outages = [
            by_start.get(one.started_at, OutageTimes(one.started_at))._replace(
                ended_us=one.ended_at
            )
            for one in found.outages
        ]
        members.append(Known(_stretches(lists), outages, timed))
    observed = observed_from(members, fleet, scope)
    only = document.checks[scope.members[0]]
    if len(members) > 1 or only.intervals_min:
        return observed
    return replace(observed, bounds_us=(only.downtime_min, only.downtime_max))


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


class Known(NamedTuple):
    """What is known of one check. `timed` are its outages and those of its regions; None: they are not known."""

    stretches: Sequence[Stretch]
    outages: Sequence[OutageTimes]
    timed: Sequence[OutageTimes] | None = None


def observed_from(
    members: Sequence[Known],
    fleet: Fleet,
    scope: Scope,
    declared: Sequence[Declaration] | None = None,
) -> Observed:
    """What is known of the checks of a contract, as one; `declared` as for `exclusions_of`."""
    stretches = combined([one.stretches for one in members], scope.needed)
    outages = members[0].outages
    if len(members) > 1:
        outages = [OutageTimes(*one) for one in down_times(stretches)]
    # All members have one weight for PARTIAL time (S-14): others were refused.
    counts_partial = fleet.checks[scope.members[0]].quorum.partial_weight == "1"
    return Observed(
        stretches,
        outages,
        counts_partial,
        exclusions=exclusions_of(fleet, scope, declared),
        timed=timed_of([one.timed for one in members], stretches, scope),
    )


def exclusions_of(
    fleet: Fleet, scope: Scope, declared: Sequence[Declaration] | None = None
) -> list[Declaration]:
    """The declared exclusions that cover all of the scope, in order; without `declared` those of the file.

    One that covers a part of a composite says nothing of what the others were.
    """
    listed = [Declaration(one) for one in fleet.exclusions.values()]
    members = [fleet.checks[name] for name in scope.members]
    return [
        one
        for one in (listed if declared is None else declared)
        if all(one.exclusion.covers(check.id, check.service) for check in members)
    ]
