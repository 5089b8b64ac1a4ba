"""What follows from several periods of a contract: read from its records, period by period."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from controller.core.calendars import Period, PeriodKind
from controller.core.sla.money.credits import AtRisk
from controller.core.sla.money.money import exact_text
from controller.core.sla.money.rights import Past, attained, chains, credited_in, earned_back
from controller.core.sla.terms.contracts import Agreement, Contract, Termination
from controller.ports.storage import Storage
from controller.services.contracts.claim_basis import earlier_in_year, past
from controller.services.contracts.report import period_of
from controller.services.contracts.sight import Sight, StoredSight
from controller.services.contracts.terms import Agreed, Terms
from controller.services.outages.grading import Grading
from controller.services.timeline.evaluate import Evaluator

# How far a chain is followed back for when it began.
_PERIODS_MAX: Final = 36
Plain = dict[str, Any]


class Rights:
    """Computes them. Synchronous: runs in the storage thread."""

    def __init__(
        self, storage: Storage, evaluator: Evaluator, terms: Terms, now_us: Callable[[], int]
    ) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._terms = terms
        self._now_us = now_us
        self._grading = Grading()

    def of(self, period: str, contract: str | None, as_of_us: int | None) -> list[Plain]:
        """What each contract (or one) gives by several periods up to that one; empty where none says so.

        `period` and `as_of_us` as for the records.
        """
        now_us = self._now_us()
        horizon_us = now_us if as_of_us is None else min(as_of_us, now_us)
        found: list[Plain] = []
        with self._storage.transaction() as tx:
            sight = StoredSight(tx, self._evaluator, horizon_us, self._grading)
            for agreed in self._terms.agreed(tx, contract, horizon_us):
                when = period_of(agreed.contract, period, horizon_us)
                own = rights_of(sight, agreed, when)
                found += [{"contract": agreed.contract.first.id, **own}] if own else []
        return found


def rights_of(sight: Sight, agreed: Agreed, when: Period, *, is_yearly: bool = True) -> Plain:
    """The clauses of the version in force when the period ends, and what they come to.

    Nothing for a period of another kind than the contract's. The cap of the year needs every period since
    January: where it is not asked for, it is left out.
    """
    if not when.kind is agreed.contract.period.kind is not PeriodKind.ROLLING:
        return {}
    terms = _in_force(agreed.contract, when)
    found: Plain = {}
    if terms.termination is not None:
        pasts = list(_back(sight, agreed, when, terms.termination))[::-1]
        of = chains(terms.termination, agreed.contract.objectives, pasts)
        found["termination"] = [one.plain for one in of]
    credit = terms.credits
    if credit is not None and credit.at_risk is not None and credit.at_risk.earn_back is not None:
        found["earn_back"] = list(_earning(sight, agreed, when, credit.at_risk))
    if is_yearly and credit is not None and credit.year_cap is not None:
        before = list(earlier_in_year(sight, agreed, when))
        own = credited_in(past(sight, agreed, when).records)
        each = {label: exact_text(amount) for label, amount in (*before, (when.label, own))}
        found["year"] = {"cap": credit.year_cap, "currency": credit.currency, "credited": each}
    return found


def _in_force(agreement: Agreement, when: Period) -> Contract:
    begun = [one for one in agreement.versions if one.effective_us < when.to_us]
    return begun[-1] if begun else agreement.first


def _back(sight: Sight, agreed: Agreed, when: Period, terms: Termination) -> Iterator[Past]:
    """The period and those before it, the newest first, as far back as a chain can reach."""
    names = [terms.objective] if terms.objective is not None else list(agreed.contract.objectives)
    for _ in range(_PERIODS_MAX):
        if when.to_us <= agreed.contract.first.effective_us:
            return
        one = past(sight, agreed, when)
        yield one
        shares = [attained(name, one.records) for name in names]
        if one.is_over and not any(s is not None and s < terms.below_share for s in shares):
            return
        when = agreed.contract.period.at(when.from_us - 1)


def _earning(
    sight: Sight, agreed: Agreed, when: Period, terms: AtRisk
) -> Iterator[Mapping[str, Any]]:
    """What was taken in the last periods and can be earned back, or was, the oldest first."""
    assert terms.earn_back is not None, "asked only where it is agreed on"
    recent: list[Past] = []
    for _ in range(terms.earn_back.periods + 1):
        if when.to_us <= agreed.contract.first.effective_us:
            break
        recent.insert(0, past(sight, agreed, when))
        when = agreed.contract.period.at(when.from_us - 1)
    for place, one in enumerate(recent):
        taken = {r["objective"] for r in one.records if r["credits"] and credited_in([r])}
        for name in agreed.contract.objectives:
            if name in taken and one.is_over:
                became = earned_back(terms.earn_back, name, recent[place + 1 :])
                amount = credited_in([r for r in one.records if r["objective"] == name])
                yield {
                    "objective": name,
                    "label": one.label,
                    "taken": exact_text(amount),
                    "standing": became.standing,
                    "steps": list(became.steps),
                }
