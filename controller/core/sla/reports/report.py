"""The report on one contract over one period, made from the facts that were known at an instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from controller.core.calendars import Period, tzdata_version
from controller.core.fleet import Fleet
from controller.core.instants import instant
from controller.core.sla.figures.books import Observed, frame_of
from controller.core.sla.figures.courses import course_of
from controller.core.sla.figures.downtime import Downtime, Exact
from controller.core.sla.reports.records import Record, records
from controller.core.sla.reports.report_document import (
    KIND,
    VERSION,
    CheckPart,
    ContractPart,
    Course,
    Issue,
    Made,
    Outcome,
    PeriodPart,
    Report,
    ReportedExclusion,
    ReportedOutage,
    Terms,
    encode_report,
)
from controller.core.sla.terms.contracts import Agreement, Contract
from controller.core.sla.terms.exclusions import Declaration
from controller.core.sla.terms.objectives import Timed, written
from controller.core.sla.terms.segments import segments
from vedette.shared.definitions import written_out

_Told = tuple[Course, Downtime] | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report is made from: a contract of a fleet file, and what was known of its checks.

    `revision` counts what the contract was until then, `code` is the version of the program. `outages`
    are those of the contract's checks that touch the period, without what of them counts. `rights` are what
    follows from several periods, where the contract has such clauses.
    """

    agreement: Agreement
    fleet: Fleet
    observed: Observed
    outages: Sequence[ReportedOutage]
    revision: int
    code: str
    issue: Issue | None = None
    rights: Mapping[str, Any] = field(default_factory=dict)


def report_bytes(facts: Facts, period: Period, as_of_us: int) -> bytes:
    """The report document; the same facts give the same bytes."""
    return encode_report(report(facts, period, as_of_us))


def report(facts: Facts, period: Period, as_of_us: int) -> Report:
    """The report on a period by facts of event times until `as_of_us`."""
    found = records(facts.agreement, period, facts.observed, as_of_us, revision=facts.revision)
    told = _courses(facts, period, as_of_us, found)
    return Report(
        version=VERSION,
        kind=KIND,
        made=Made(as_of=as_of_us, code=facts.code, tzdata=tzdata_version(), issue=facts.issue),
        contract=_contract(facts, period),
        period=_period(facts.agreement, period, as_of_us),
        records=tuple(found),
        courses=tuple(None if one is None else one[0] for one in told),
        exclusions=tuple(_exclusions(facts.observed, period, found)),
        outages=tuple(_outages(facts.outages, told, period, as_of_us)),
        rights=dict(facts.rights) or msgspec.UNSET,
    )


def _courses(facts: Facts, period: Period, as_of_us: int, found: Sequence[Record]) -> list[_Told]:
    """A course for each record of time, in their order, with the downtime that counts in it."""
    parts = {
        (one.objective.id, min(one.hull.from_us, period.to_us)): one
        for name in facts.agreement.objectives
        for one in segments(facts.agreement, name, period)
    }
    frame = frame_of(facts.agreement, period, min(as_of_us, period.to_us))
    observed = facts.observed.until(as_of_us) if as_of_us < period.to_us else facts.observed
    courses: list[_Told] = []
    for record in found:
        segment = parts.get((record["objective"], record["period"]["from"]))
        courses.append(
            None
            if segment is None or isinstance(segment.objective, Timed)
            else course_of(segment, observed, frame, record["budget"])
        )
    return courses


def _contract(facts: Facts, period: Period) -> ContractPart:
    first, fleet = facts.agreement.first, facts.fleet
    checks = [fleet.checks[name] for name in facts.agreement.scope.members]
    return ContractPart(
        id=first.id,
        title=first.title,
        party=first.party,
        level=first.level,
        tz=first.period.tz,
        revision=facts.revision,
        checks=tuple(
            CheckPart(
                id=one.id, service=one.service, service_title=fleet.services[one.service].title
            )
            for one in checks
        ),
        terms=tuple(_terms(facts, period)),
    )


def _terms(facts: Facts, period: Period) -> list[Terms]:
    """What the contract said in the period; before it begins, what it will say first."""
    versions = facts.agreement.versions
    begun = [n for n, one in enumerate(versions) if one.effective_us < period.to_us] or [0]
    last_before = max((n for n in begun if versions[n].effective_us <= period.from_us), default=0)
    return [
        Terms(
            revision=facts.revision + n,
            effective_from=versions[n].effective_us,
            clauses=_clauses(versions[n]),
        )
        for n in begun
        if n >= last_before
    ]


def _clauses(contract: Contract) -> dict[str, Any]:
    """Every clause as plain data, those that were left out too.

    Who is told of a grade is nothing that two sides agree on: a channel of another name is no revision. Nor is the
    contract with somebody else that this one supports, whose name is theirs.
    """
    said = {
        key: {name: written_out(one) for name, one in value.items()}
        if isinstance(value, dict)
        else value
        for key, value in written_out(contract).items()
    }
    said["parent"] = None
    said["objectives"] = [written(one) for one in contract.objectives]
    clauses: dict[str, Any] = msgspec.to_builtins(said, str_keys=True)
    for grade in clauses["grades"]:
        del grade["notify"]
    return clauses


def _period(agreement: Agreement, period: Period, as_of_us: int) -> PeriodPart:
    until_us = max(min(as_of_us, period.to_us), period.from_us)
    return PeriodPart(
        label=period.label,
        kind=period.kind.value,
        tz=agreement.period.tz,
        from_us=period.from_us,
        to_us=period.to_us,
        until=until_us,
    )


def _exclusions(
    observed: Observed, period: Period, found: Sequence[Record]
) -> list[ReportedExclusion]:
    outcomes: dict[str, list[Outcome]] = {}
    for record in found:
        for one in record["exclusions"]:
            outcome = Outcome(
                objective=record["objective"],
                from_us=record["period"]["from"],
                status=str(one["status"]),
                applied=one["applied"],
                why=one["why"],
            )
            outcomes.setdefault(one["id"], []).append(outcome)
    return [
        _exclusion(one, outcomes.get(one.exclusion.id, []))
        for one in observed.exclusions
        if one.exclusion.touches(period.from_us, period.to_us)
    ]


def _exclusion(declaration: Declaration, outcomes: Sequence[Outcome]) -> ReportedExclusion:
    one = declaration.exclusion
    return ReportedExclusion(
        id=one.id,
        type=one.type.value,
        from_us=one.interval.from_us,
        to_us=one.interval.to_us,
        declared_at=instant(one.declared_at),
        logged_at=declaration.logged_us,
        source=declaration.source.value,
        by=one.by,
        approved_by=declaration.approved_by,
        withdrawn_at=declaration.withdrawn_us,
        reason=one.reason,
        evidence=one.evidence,
        outcomes=tuple(outcomes),
    )


def _outages(
    listed: Sequence[ReportedOutage],
    told: Sequence[_Told],
    period: Period,
    as_of_us: int,
) -> list[ReportedOutage]:
    """The outages that touch the period, by when they began, with what of each counts by objective."""
    until_us = min(period.to_us, as_of_us)
    found: list[ReportedOutage] = []
    for one in sorted(listed, key=lambda each: (each.started_at, each.check, each.handle)):
        ended_us = until_us if one.ended_at is None else one.ended_at
        if one.started_at >= until_us or ended_us <= period.from_us:
            continue
        exact: dict[str, Exact] = {}
        for course, down in (each for each in told if each is not None and each[0].budget):
            own = down.us_between(one.started_at, ended_us)
            exact[course.objective] = exact.get(course.objective, 0) + own
        counted = {name: -(-us // 1) for name, us in exact.items()}
        found.append(msgspec.structs.replace(one, counted=counted))
    return found
