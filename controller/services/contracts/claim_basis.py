"""What a claim rests on: the figures of a period, and why it cannot be claimed where it cannot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from controller.core.calendars import Period, PeriodKind, day_at, zone
from controller.core.instants import instant_text
from controller.core.sla.claims.claims import DAYS_UNIT
from controller.core.sla.claims.deadlines import Deadline, deadline_of
from controller.core.sla.money.credits import Credits
from controller.core.sla.money.money import exact_text, rounded
from controller.core.sla.money.rights import Past, capped_by_year, credited_in, earned_back
from controller.core.sla.reports.records import Record, records
from controller.core.sla.terms.contracts import Agreement
from controller.errors import BadInput, NotFound, Rejected
from controller.services.contracts.observing import Seen, observed, seen
from controller.services.contracts.sight import Sight
from controller.services.contracts.terms import Agreed


@dataclass(frozen=True, slots=True)
class Figures:
    """All records of a contract over a period, and what they rest on."""

    agreed: Agreed
    period: Period
    horizon_us: int
    seen: Seen
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Basis(Figures):
    """Figures, the records of them that are claimed, and what these come to.

    `steps` are those that go beyond a single record.
    """

    claimed: Sequence[Record]
    amount: str
    unit: str
    steps: Sequence[str]
    terms: Credits


def figures(sight: Sight, agreed: Agreed, period: Period) -> Figures:
    """The records of a period, whether anything can be claimed or not."""
    known = seen(sight, agreed, period)
    found = records(
        agreed.contract, period, known.observed, sight.horizon_us, revision=agreed.revision
    )
    return Figures(agreed, period, sight.horizon_us, known, found)


def basis(sight: Sight, agreed: Agreed, label: str, objective: str | None) -> Basis:
    """What can be claimed of a period now. Rejected says why nothing can, BadInput what is no period."""
    now_us = sight.horizon_us
    period = _period(agreed.contract, label, now_us)
    if objective is not None and objective not in agreed.contract.objectives:
        listed = ", ".join(agreed.contract.objectives)
        raise NotFound(
            f"Expected an objective of {agreed.contract.first.id} ({listed}), found {objective!r}."
        )
    whole = figures(sight, agreed, period)
    claimed = _claimed(agreed, whole.records, objective, label)
    unit = _unit(claimed)
    terms = _terms(agreed.contract, claimed)
    amount, steps = _amount(sight, agreed, period, claimed, terms)
    if not amount:
        raise Rejected(
            f"Nothing can be claimed for {label}: {'; '.join(steps) or 'the credits come to nothing'}."
        )
    shown = str(int(amount)) if unit == DAYS_UNIT else rounded(amount, unit)
    return Basis(
        agreed, period, now_us, whole.seen, whole.records, claimed, shown, unit, steps, terms
    )


def _period(contract: Agreement, label: str, now_us: int) -> Period:
    if contract.period.kind is PeriodKind.ROLLING:
        raise Rejected(
            f"{contract.first.id} is judged over a rolling period, which never ends: credits are claimed for"
            " calendar periods. Agree on `period: {kind: month}` or another of these."
        )
    try:
        period = contract.period.named(label, now_us)
    except ValueError as error:
        raise BadInput(f"{error}.") from error
    if period.kind is not contract.period.kind:
        raise BadInput(
            f"{contract.first.id} is judged by {contract.period.kind}, and {label} is a {period.kind}: expected a"
            f" period such as {contract.period.at(now_us).label}."
        )
    if period.to_us > now_us:
        raise Rejected(
            f"{label} is not over: it ends at {instant_text(period.to_us)}. Claim then; `vedette sla status"
            f" --contract {contract.first.id}` shows how it stands."
        )
    return period


def _claimed(
    agreed: Agreed, found: Sequence[Record], objective: str | None, label: str
) -> list[Record]:
    """The records that are breached and have a credit."""
    name = agreed.contract.first.id
    own = [one for one in found if objective in (None, one["objective"])]
    breached = [one for one in own if one["verdict"] == "breached"]
    if not breached:
        verdicts = "; ".join(
            f"{one['objective']} {one['verdict'].replace('_', ' ')}, attainment"
            f" {one['attainment_shown'] or 'none'}, target {one['target']}"
            for one in own
        )
        lacks = any(one["verdict"] == "insufficient_evidence" for one in own)
        advice = (
            " Late results may still come; without them nobody can say whether it was kept."
            if lacks
            else ""
        )
        raise Rejected(f"Nothing was breached in {label}: {verdicts}.{advice}")
    if not any(one["credits"] for one in breached):
        raise Rejected(
            f"{name} has no `credits` clause in its revision of {label}, so a breach is worth nothing that can be"
            " claimed: amend the contract for later periods."
        )
    return [one for one in breached if one["credits"]]


def _unit(claimed: Sequence[Record]) -> str:
    units = {
        DAYS_UNIT if "days" in one["credits"] else one["credits"]["currency"] for one in claimed
    }
    if len(units) > 1:
        raise Rejected(
            f"The credits of this period are in several units ({', '.join(sorted(units))}), because the contract"
            " was amended within it: claim one objective at a time with --objective."
        )
    return str(units.pop())


def _amount(
    sight: Sight, agreed: Agreed, period: Period, claimed: Sequence[Record], terms: Credits
) -> tuple[Fraction, list[str]]:
    """What the records come to together, after earning back and the cap of the year."""
    if terms.extension is not None:
        days = sum(one["credits"]["days"] for one in claimed)
        return Fraction(days), [f"{days} days of service in all"]
    steps: list[str] = []
    total = Fraction(0)
    for one in claimed:
        amount = Fraction(one["credits"]["amount"])
        if terms.at_risk is not None and terms.at_risk.earn_back is not None and amount:
            later = list(_later(sight, agreed, period, terms.at_risk.earn_back.periods))
            became = earned_back(terms.at_risk.earn_back, one["objective"], later)
            steps += became.steps
            amount = Fraction(0) if became.standing == "earned_back" else amount
        total += amount
    steps.append(f"all claimed credits: {exact_text(total)} {terms.currency}")
    if terms.year_cap is not None and total:
        earlier = list(earlier_in_year(sight, agreed, period))
        capped = capped_by_year(terms.year_cap, total, earlier, str(terms.currency))
        total, steps = capped.amount, [*steps, *capped.steps]
    return total, steps


def _terms(contract: Agreement, claimed: Sequence[Record]) -> Credits:
    """The credits clause under which the last of the claimed records stands."""
    last = claimed[-1]["clauses"]["effective_from"]
    terms = next(one.credits for one in contract.versions if one.effective_us == last)
    assert terms is not None, "a record has a credit where its version has the clause"
    return terms


def deadline_for(contract: Agreement, period: Period) -> Deadline | None:
    """The last day to claim for a period, by the last version that names one and was in force in it."""
    clauses = [
        one.credits.claim_deadline
        for one in contract.versions
        if one.effective_us < period.to_us and one.credits is not None
    ]
    clause = clauses[-1] if clauses else None
    return deadline_of(clause, period.to_us, contract.period.tz) if clause else None


def _later(sight: Sight, agreed: Agreed, period: Period, most: int) -> Iterator[Past]:
    """The next periods that have begun."""
    after = period
    for _ in range(most):
        after = agreed.contract.period.at(after.to_us)
        if after.from_us >= sight.horizon_us:
            return
        yield past(sight, agreed, after)


def earlier_in_year(sight: Sight, agreed: Agreed, period: Period) -> Iterator[tuple[str, Fraction]]:
    """What earlier periods that begin in the same year of the contract's zone credit, the oldest first."""
    where = zone(agreed.contract.period.tz)
    year = day_at(period.from_us, where).year
    before: list[Period] = []
    one = agreed.contract.period.at(period.from_us - 1)
    while (
        day_at(one.from_us, where).year == year and one.to_us > agreed.contract.first.effective_us
    ):
        before.append(one)
        one = agreed.contract.period.at(one.from_us - 1)
    for each in reversed(before):
        yield each.label, credited_in(past(sight, agreed, each).records)


def past(sight: Sight, agreed: Agreed, period: Period) -> Past:
    """A period of a contract with its records."""
    known, horizon_us = observed(sight, agreed, period), sight.horizon_us
    found = records(agreed.contract, period, known, horizon_us, revision=agreed.revision)
    return Past(period.label, period.to_us, period.to_us <= horizon_us, found)
