"""Report documents: the bytes of a contract's report on a period, as of an instant (S-21)."""

from collections.abc import Sequence

from controller.core.calendars import Period
from controller.core.sla.reports.report import Facts, report_bytes
from controller.core.sla.reports.report_document import Issue
from controller.ports.issued import IssuedReport
from controller.ports.storage import Transaction
from controller.services.contracts.observing import observed
from controller.services.contracts.reported import reported_outages
from controller.services.contracts.rights import rights_of
from controller.services.contracts.sight import PastSight, Sight, StoredSight
from controller.services.contracts.terms import Agreed, Terms
from controller.services.outages.grading import Grading
from controller.services.timeline.evaluate import Evaluator


class Documents:
    """Makes documents inside a transaction. `code` is the version of this program.

    Whichever way one is made, the same facts give the same bytes.
    """

    def __init__(self, evaluator: Evaluator, terms: Terms, code: str) -> None:
        self.terms = terms
        self._evaluator = evaluator
        self._grading = Grading()
        self._code = code

    def now(
        self,
        tx: Transaction,
        contract: str,
        when: Period,
        now_us: int,
        issue: Issue | None = None,
    ) -> bytes:
        """By all that is stored; `now_us` is later than everything that was recorded before."""
        return self._made(
            tx, contract, when, StoredSight(tx, self._evaluator, now_us, self._grading), issue
        )

    def then(
        self,
        tx: Transaction,
        contract: str,
        when: Period,
        known_us: int,
        issue: Issue | None = None,
    ) -> bytes:
        """By what was known at an instant, itself included."""
        return self._made(
            tx, contract, when, PastSight(tx, self._evaluator, known_us, self._grading), issue
        )

    def behind(self, tx: Transaction, contract: str, at_us: int) -> Sequence[str]:
        """The checks of a contract whose newest evidence was not judged yet."""
        members = self.terms.agreement(tx, contract, at_us).scope.members
        return [check for check in members if self._evaluator.is_behind(check)]

    def _made(
        self, tx: Transaction, contract: str, when: Period, sight: Sight, issue: Issue | None
    ) -> bytes:
        known_us = sight.horizon_us
        agreed: Agreed = self.terms.latest(tx, contract, known_us)
        outages = reported_outages(
            tx,
            self._evaluator,
            self._grading,
            agreed.contract.scope.members,
            from_us=when.from_us,
            to_us=when.to_us,
            known_us=known_us,
            contract=agreed.contract.first.id,
        )
        facts = Facts(
            agreement=agreed.contract,
            fleet=agreed.fleet,
            observed=observed(sight, agreed, when),
            outages=outages,
            revision=agreed.revision,
            code=self._code,
            issue=issue,
            rights=rights_of(sight, agreed, when, is_yearly=False),
        )
        return report_bytes(facts, when, known_us)


def issue_of(report: IssuedReport) -> Issue:
    """What the document says of how it was issued."""
    return Issue(
        revision=report.revision,
        by=report.issued_by,
        reason=report.reason,
        is_early=report.is_early,
        unheard=report.unheard,
    )
