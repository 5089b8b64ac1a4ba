"""What is to be told of one contract now: judged by what is known, against what was told before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from controller.core.calendars import Period, PeriodKind
from controller.core.quorum import Verdict
from controller.core.sla.figures.books import Observed
from controller.core.sla.figures.burn import LOOKED_US
from controller.core.sla.figures.judgement import Judgement
from controller.core.sla.figures.sampling import Samples
from controller.core.sla.notices.burn_notices import EVENTS, abandoned, burn_notices
from controller.core.sla.notices.grade_notices import Grading, grade_notices
from controller.core.sla.notices.notices import SlaNotice, Told
from controller.core.sla.reports.records import judgements
from controller.core.sla.terms.contracts import ROLLING
from controller.ports.storage import Transaction
from controller.services.contracts.observing import observed
from controller.services.contracts.remembered import Remembered
from controller.services.contracts.sight import Sight, StoredSight
from controller.services.contracts.terms import Agreed
from controller.services.outages.grading import Grading as Severities
from controller.services.timeline.evaluate import Evaluator

_WELL: Final = frozenset({Verdict.UP, Verdict.DEGRADED})


class RememberingSight(StoredSight):
    """By all that is stored, with what is remembered of the counts of samples."""

    def __init__(
        self,
        tx: Transaction,
        evaluator: Evaluator,
        horizon_us: int,
        severities: Severities,
        remembered: Remembered,
    ) -> None:
        super().__init__(tx, evaluator, horizon_us, severities)
        self._remembered = remembered

    def samples(self, check: str, from_us: int, to_us: int) -> Samples:
        """The results that are evidence, of which some counts are remembered."""
        stored = super().samples(check, from_us, to_us)
        return self._remembered.of(check, stored, self.horizon_us)


def notices_of(tx: Transaction, sight: Sight, agreed: Agreed, now_us: int) -> list[SlaNotice]:
    """What is to be told of a contract, and was not."""
    periods = _periods(agreed, now_us)
    # What a rolling period was when something was told of it begins before what it is now.
    lengths = [LOOKED_US, *(2 * (one.to_us - one.from_us) for one in periods if _rolls(one))]
    from_us = min([now_us - max(lengths), *(one.from_us for one in periods)])
    whole = Period(from_us, now_us, PeriodKind.ROLLING, ROLLING)
    known = observed(sight, agreed, whole)
    looking = _Looking(agreed, known, told_of(tx, agreed.contract.first.id), now_us)
    return [*(one for period in periods for one in looking.grades(period)), *looking.burns()]


def told_of(tx: Transaction, contract: str) -> dict[str, Told]:
    """What was told last of each subject of a contract."""
    return {
        one.subject: Told(one.ordinal, one.event, one.recorded_us)
        for one in tx.newest_sla_events(contract)
    }


def _periods(agreed: Agreed, now_us: int) -> list[Period]:
    """The period that runs, and the one before it until its report is sealed by itself (S-22)."""
    terms = agreed.contract.period
    current = terms.at(now_us)
    if _rolls(current):
        return [current]
    before = terms.at(current.from_us - 1)
    is_sealed = now_us >= before.to_us + agreed.contract.lateness_of(before).seal_after_us
    return [current] if is_sealed else [before, current]


def _rolls(period: Period) -> bool:
    return period.kind is PeriodKind.ROLLING


@dataclass(slots=True)
class _Looking:
    """A contract, what is known of it, and what was told of it."""

    agreed: Agreed
    known: Observed
    told: Mapping[str, Told]
    now_us: int
    judged: dict[tuple[Period, int], list[list[Judgement]]] = field(default_factory=dict)

    def grades(self, period: Period) -> Iterator[SlaNotice]:
        """What is to be told of the grades over a period."""

        def then(at_us: int) -> Sequence[Sequence[Judgement]]:
            return self._judged(
                self.agreed.contract.period.at(at_us) if _rolls(period) else period, at_us
            )

        found = Grading(self._judged(period, self.now_us), self.agreed.revision, self.told, then)
        return grade_notices(found)

    def burns(self) -> Iterator[SlaNotice]:
        """What is to be told of budgets: by the last days, whichever period they lie in."""
        last_days = Period(self.now_us - LOOKED_US, self.now_us, PeriodKind.ROLLING, ROLLING)
        contract = self.agreed.contract
        yield from abandoned(contract.first.id, self.told, contract.objectives)
        is_burning = any(one.event in EVENTS for one in self.told.values())
        if not is_burning and self._is_quiet(last_days.from_us):
            return
        current = self.agreed.contract.period.at(self.now_us)
        now = {own[-1].segment.objective.id: own[-1] for own in self._judged(current, self.now_us)}
        for own in self._judged(last_days, self.now_us):
            recent = own[-1]
            objective = recent.segment.objective
            if objective.id in now and recent.span:
                own_now = now[objective.id]
                revision = self.agreed.revision + own_now.segment.version - 1
                yield from burn_notices(recent, own_now, self.told, revision=revision)

    def _judged(self, period: Period, at_us: int) -> list[list[Judgement]]:
        found = self.judged.get((period, at_us))
        if found is None:
            listed = judgements(self.agreed.contract, period, self.known, at_us)
            found = self.judged[period, at_us] = [own for own in listed if own]
        return found

    def _is_quiet(self, from_us: int) -> bool:
        """Since then nothing was down, which is all that can have burnt a budget."""
        objectives = [o for one in self.agreed.contract.versions for o in one.objectives]
        is_of_downtime = all(
            not one.is_of_samples and one.unknown_policy in ("exclude", "as_up")
            for one in objectives
        )
        return is_of_downtime and all(
            one.verdict in _WELL or one.verdict is Verdict.UNKNOWN
            for one in self.known.stretches
            if one.to_us > from_us
        )
