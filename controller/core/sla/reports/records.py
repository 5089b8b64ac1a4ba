"""The document of attainment: records of a contract, from a replay document or from what is stored."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from controller.core.calendars import Period, PeriodKind
from controller.core.fleet import Fleet
from controller.core.replay import Replay, ReplayedCheck
from controller.core.sla.figures.accounting import Stretch, Weights
from controller.core.sla.figures.books import Member, Observed, frame_of
from controller.core.sla.figures.clocks import clocks_in
from controller.core.sla.figures.composites import (
    combined,
    down_times,
    loss_times,
    timed_of,
    weighted,
)
from controller.core.sla.figures.downtime import Exact
from controller.core.sla.figures.downtime_start import DowntimeStart, counted_from
from controller.core.sla.figures.judgement import Judgement, judged
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.figures.sampling import Listed, ListedSamples, Samples
from controller.core.sla.figures.scoring import Standing
from controller.core.sla.money.crediting import Credited, Missed, Taken, credited
from controller.core.sla.reports.record import record_of
from controller.core.sla.terms.contracts import Agreement
from controller.core.sla.terms.exclusions import Declaration
from controller.core.sla.terms.objectives import Timed
from controller.core.sla.terms.scopes import Scope
from controller.core.sla.terms.segments import segments
from vedette.shared.result import Outcome

T = TypeVar("T")
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
            credit = _credit(one, period.kind, whole_us, taken)
            if credit is not None:
                taken = Taken(taken.money + credit.money, taken.days + credit.days)
            said = None if credit is None else credit.plain
            version = one.segment.version
            found.append(record_of(one, said, revision=revision + version - 1))
    return found


def judgements(
    agreement: Agreement, period: Period, observed: Observed, as_of_us: int
) -> Iterator[list[Judgement]]:
    """The segments of each objective, judged by the facts until an instant, in that order.

    What happened after a calendar period that was asked for as a whole tells when its last outage was over. A
    rolling one ends with what is known.
    """
    if as_of_us < period.to_us or period.kind is PeriodKind.ROLLING:
        observed = observed.until(as_of_us)
    frame = frame_of(agreement, period, as_of_us)
    for objective in agreement.objectives:
        yield [judged(one, observed, frame) for one in segments(agreement, objective, period)]


def _credit(one: Judgement, kind: PeriodKind, whole_us: Exact, taken: Taken) -> Credited | None:
    """What a judgement is worth; the fee is shared by segments as their time in schedule is (S-32).

    The fee is of the contract's own kind of period: a quarter of a contract by months is no period of it.
    """
    terms, figures = one.segment.contract.credits, one.figures
    if terms is None or (isinstance(one.segment.objective, Timed) and terms.at_risk is None):
        # Tiers, minutes, blocks, bands and days are of time that was lost; people lose what is at risk.
        return None
    own = one.segment.contract.period.kind
    own_us = one.whole.eligible_us("as_up")
    missed = Missed(
        one.segment.objective.id,
        one.score.share,
        one.score.standing is Standing.BREACHED,
        figures.down_us(),
        Fraction(own_us) / whole_us if whole_us else Fraction(0),
        one.outages if terms.blocks else (),
        one.days if terms.day_bands else {},
        one.segment.objective.is_of_time,
        "" if kind is own else f"credits are by the {own}, and this is the figure of a {kind}",
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
        timed = None if found.clocks is None else clocks_in(name, found.clocks)
        by_start = {one.started_us: one for one in timed or () if not one.region}
        outages = [
            by_start.get(one.started_at, OutageTimes(one.started_at))._replace(
                ended_us=one.ended_at
            )
            for one in found.outages
        ]
        stretches = _stretches(found, fleet.checks[name].quorum.partial_weight)
        members.append(Known(stretches, outages, timed, _samples(found)))
    observed = observed_from(members, fleet, scope)
    only = document.checks[scope.members[0]]
    if len(members) > 1 or only.intervals_min or only.partial or observed.costing:
        return observed
    return replace(observed, bounds_us=(only.downtime_min, only.downtime_max))


def _samples(found: ReplayedCheck) -> ListedSamples | None:
    if found.samples is None:
        return None
    return ListedSamples(
        [Listed(one.at, one.outcome is not Outcome.DOWN, one.took) for one in found.samples]
    )


def _stretches(found: ReplayedCheck, weighs: str) -> list[Stretch]:
    """The three timelines of a check as one, cut wherever one of them changes, or what PARTIAL time weighs."""
    lists = [
        found.intervals,
        found.intervals_min or found.intervals,
        found.intervals_max or found.intervals,
    ]
    weights = {(one.start, one.end): one.weights for one in found.partial or ()}
    spans = [(one.start, one.end) for each in lists for one in each] + list(weights)
    cuts = sorted({instant for span in spans for instant in span})
    cursors = [_Cursor([(one.start, one.end, one.verdict) for one in each]) for each in lists]
    weight_of = _Cursor([(*span, _weights(texts, found)) for span, texts in weights.items()])
    always = Fraction(int(weighs == "1" and found.partial is None))
    stretches: list[Stretch] = []
    for from_us, to_us in itertools.pairwise(cuts):
        verdicts = [cursor.at(from_us) for cursor in cursors]
        own = weight_of.at(from_us) or (always,) * 3
        figure, low, high = verdicts
        if figure is not None and low is not None and high is not None:
            stretches.append(Stretch(from_us, to_us, figure, low, high, own))
    return stretches


def _weights(texts: tuple[str, str, str], found: ReplayedCheck) -> Weights:
    """What PARTIAL time weighs in each timeline; in that of the figure alone, where there are no others."""
    figure, low, high = (Fraction(text) for text in texts)
    return (figure, low, high) if found.intervals_min else (figure, figure, figure)


class _Cursor(Generic[T]):
    """Looks up what stands at instants that only go forward, in what follows one another."""

    def __init__(self, listed: Sequence[tuple[int, int, T]]) -> None:
        self._listed = listed
        self._place = 0

    def at(self, at_us: int) -> T | None:
        """What stands at an instant, no earlier than the one before."""
        while self._place < len(self._listed) and self._listed[self._place][1] <= at_us:
            self._place += 1
        if self._place < len(self._listed) and self._listed[self._place][0] <= at_us:
            return self._listed[self._place][2]
        return None


class Known(NamedTuple):
    """What is known of one check. `timed` are its outages and those of its regions; None: they are not known.

    So it is with `samples`.
    """

    stretches: Sequence[Stretch]
    outages: Sequence[OutageTimes]
    timed: Sequence[OutageTimes] | None = None
    samples: Samples | None = None


def observed_from(
    members: Sequence[Known],
    fleet: Fleet,
    scope: Scope,
    declared: Sequence[Declaration] | None = None,
) -> Observed:
    """What is known of the checks of a contract, as one; of a weighted composite also of each.

    `declared` as for `exclusions_of`.
    """
    stretches = _as_one([one.stretches for one in members], scope)
    outages = members[0].outages
    if len(members) > 1:
        times = loss_times(stretches) if scope.weighted else down_times(stretches)
        outages = [OutageTimes(*one) for one in times]
    costing = [_costing(one, _starts(fleet, scope)) for one in members]
    return Observed(
        stretches,
        outages,
        exclusions=exclusions_of(fleet, scope, declared),
        members=list(_members(members, costing, fleet, scope, declared)),
        samples=[one.samples for one in members if one.samples is not None],
        timed=timed_of([one.timed for one in members], stretches, scope),
        costing={start: _as_one([own[start] for own in costing], scope) for start in costing[0]},
    )


def _as_one(timelines: Sequence[Sequence[Stretch]], scope: Scope) -> Sequence[Stretch]:
    """The timelines of the members as one."""
    if len(timelines) == 1:
        return timelines[0]
    if scope.weighted:
        return weighted(timelines, list(scope.weights.values()))
    return combined(timelines, scope.needed)


def _starts(fleet: Fleet, scope: Scope) -> set[DowntimeStart]:
    """From when on downtime costs by the contracts of that scope, where it is not the first failure (S-39)."""
    agreements = (one for one in fleet.contracts.values() if one.scope == scope)
    said = {version.outage.downtime_start for one in agreements for version in one.versions}
    return said - {DowntimeStart.FIRST_FAILURE}


def _costing(
    known: Known, starts: Iterable[DowntimeStart]
) -> dict[DowntimeStart, Sequence[Stretch]]:
    return {start: counted_from(known.stretches, known.outages, start) for start in starts}


def _members(
    members: Sequence[Known],
    costing: Sequence[Mapping[DowntimeStart, Sequence[Stretch]]],
    fleet: Fleet,
    scope: Scope,
    declared: Sequence[Declaration] | None,
) -> Iterator[Member]:
    """Each member of a weighted composite; none of any other."""
    weights = scope.weights.items() if len(members) > 1 else ()
    for (name, weight), known, own in zip(weights, members, costing, strict=False):
        samples = [] if known.samples is None else [known.samples]
        covering = _covering(fleet, name, declared)
        yield Member(name, weight, known.stretches, covering, samples, own)


def exclusions_of(
    fleet: Fleet, scope: Scope, declared: Sequence[Declaration] | None = None
) -> list[Declaration]:
    """The declared exclusions that cover all of the scope, in order; without `declared` those of the file.

    One that covers a part of a composite says nothing of what the others were; of a weighted one it covers
    that part.
    """
    covering = [_covering(fleet, name, declared) for name in scope.members]
    ids = [{one.exclusion.id for one in own} for own in covering]
    wanted = set.union(*ids) if scope.weighted else set.intersection(*ids)
    return [one for one in _declared(fleet, declared) if one.exclusion.id in wanted]


def _covering(fleet: Fleet, name: str, declared: Sequence[Declaration] | None) -> list[Declaration]:
    service = fleet.checks[name].service
    return [one for one in _declared(fleet, declared) if one.exclusion.covers(name, service)]


def _declared(fleet: Fleet, declared: Sequence[Declaration] | None) -> Sequence[Declaration]:
    return [Declaration(one) for one in fleet.exclusions.values()] if declared is None else declared
