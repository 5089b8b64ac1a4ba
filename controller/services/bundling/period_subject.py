"""A bundle about a contract and a period: the figures that are claimed, and what they rest on."""

from collections.abc import Iterator
from dataclasses import dataclass

from controller.core.bundle import layout
from controller.core.calendars import Period
from controller.core.sla.reports.records import records_bytes
from controller.errors import BadInput, Rejected
from controller.ports.leaves import LeafKind
from controller.ports.storage import Transaction
from controller.services.bundling.rules import fleets_in_force
from controller.services.bundling.subject import Subject, claimed
from controller.services.contracts.claim_basis import Figures, figures
from controller.services.contracts.claim_pack import (
    fleet_file,
    recomputed,
    require_same,
    timeline_file,
)
from controller.services.contracts.claim_source import listed_samples, sourced
from controller.services.contracts.foresight import Foresight
from controller.services.contracts.terms import Agreed, Terms
from controller.services.timeline.evaluate import Evaluator


@dataclass(frozen=True, slots=True)
class PeriodAsked:
    """A contract and a period that somebody asks for, and what was made out of it so far."""

    contract: str
    label: str
    foresight: Foresight

    def figures(
        self,
        tx: Transaction,
        evaluator: Evaluator,
        terms: Terms,
        now_us: int,
        *,
        steps: int | None = None,
    ) -> Figures:
        """The figures, as of the sealed report or now. Rejected says why there can be none; NotYet after so many steps."""
        _period(terms.latest(tx, self.contract, now_us), self.label, now_us)
        source = sourced(tx, evaluator, terms, self.contract, self.label, now_us)
        as_of_us = source.sight.horizon_us
        sight = self.foresight.over(source.sight, steps)
        return figures(sight, source.agreed, _period(source.agreed, self.label, as_of_us))


def period_subject(tx: Transaction, evaluator: Evaluator, found: Figures) -> Subject:
    """A contract and a period of it, by its figures."""
    contract, label = found.agreed.contract.first.id, found.period.label
    files = _files(tx, evaluator, found)
    when = found.period.label, found.period.from_us, found.period.to_us
    fleet = found.agreed.fleet
    return Subject(
        name=f"bundle {contract} {label}",
        act=(contract, label),
        title=f"{contract} in {label}",
        claim=claimed(contract, found.agreed.revision, when, found.horizon_us, files),
        files=files,
        checks=[fleet.checks[name] for name in found.agreed.contract.scope.members],
        from_us=found.seen.from_us,
        to_us=found.seen.to_us,
        rules=list(_rules(tx, found)),
    )


def _files(tx: Transaction, evaluator: Evaluator, found: Figures) -> dict[str, bytes]:
    """Files that say what they are by themselves. Fatal if they do not give the figures."""
    fleet = fleet_file(found)
    timeline = timeline_file(found, listed_samples(tx, evaluator, found))
    again = recomputed(found, fleet, timeline)
    require_same(found, again)
    return {
        layout.FLEET: fleet,
        layout.TIMELINE: timeline,
        layout.ATTAINMENT: records_bytes(again),
    }


def _period(agreed: Agreed, label: str, now_us: int) -> Period:
    try:
        period = agreed.contract.period.named(label, now_us)
    except ValueError as error:
        raise BadInput(f"{error}.") from error
    if period.from_us >= now_us:
        raise Rejected(f"{label} has not begun: there is nothing to hand over.")
    return period


def _rules(tx: Transaction, found: Figures) -> Iterator[tuple[LeafKind, str]]:
    contract, period = found.agreed.contract, found.period
    yield from fleets_in_force(tx, found.seen.from_us, found.horizon_us)
    for check in contract.scope.members:
        yield LeafKind.CHECK, check
        for outage in tx.outages(check, found.seen.from_us, found.seen.to_us):
            yield LeafKind.OUTAGE, outage.handle
            yield LeafKind.REMARK, outage.handle
            yield LeafKind.COUNTER, outage.handle
            yield LeafKind.COUNTER, f"{outage.handle} {contract.first.id}"
    checks = [found.agreed.fleet.checks[name] for name in contract.scope.members]
    for one in found.agreed.declared:
        # What was declared of others is theirs.
        if any(one.exclusion.covers(check.id, check.service) for check in checks):
            yield LeafKind.EXCLUSION, one.exclusion.id
    yield LeafKind.TERMS, contract.first.id
    yield LeafKind.REPORT, f"{contract.first.id} {period.label}"
    yield LeafKind.COUNTER, f"{contract.first.id} {period.label}"
