"""The life of periods (S-22): reports as of any instant, their sealing, and their revisions."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from controller.core.calendars import Period
from controller.core.instants import instant_text
from controller.core.sla.reports.period_life import PeriodState
from controller.core.sla.reports.report_diff import changes_between
from controller.core.sla.terms.contracts import Agreement
from controller.errors import BadInput, NotFound, Rejected, Unreachable
from controller.ports.custody import Actor
from controller.ports.issued import IssuedReport, Reopened
from controller.ports.storage import Storage, Transaction
from controller.services.contracts.documents import Documents, issue_of
from controller.services.contracts.period_views import (
    PeriodView,
    PeriodViews,
    own_periods,
    period_of,
    require_own,
)
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.limits import REASON_CHARS_MAX

ITSELF = Actor("controller")
"""Who seals what nobody sealed in time."""


@dataclass(frozen=True, slots=True)
class GivenReport:
    """A document, and as what it was issued, if it was. `is_reopened`: late facts say otherwise by now."""

    document: bytes
    issued: IssuedReport | None = None
    is_reopened: bool = False


class Periods:
    """Tells, seals and revises. Synchronous: runs in the storage thread."""

    def __init__(
        self,
        storage: Storage,
        evaluator: Evaluator,
        documents: Documents,
        now_us: Callable[[], int],
    ) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._documents = documents
        self._now_us = now_us

    def report(
        self,
        contract: str,
        label: str,
        *,
        as_of_us: int | None = None,
        revision: int | None = None,
        is_fresh: bool = False,
    ) -> GivenReport:
        """The report on a period: that revision, or as of that instant, or the last one that was issued.

        Where none was, or a fresh one is asked for, it is made of what is known now.
        """
        with self._storage.transaction() as tx:
            now_us = self._now_us()
            if as_of_us is not None and as_of_us > now_us:
                raise BadInput(
                    f"Expected an instant that has passed, found {instant_text(as_of_us)}: what will be"
                    " known then is not known yet."
                )
            agreement = self._agreement(tx, contract, as_of_us or now_us)
            when = period_of(agreement, label, as_of_us or now_us)
            issued = tx.issued(contract, when.label)
            if revision is not None:
                return _given(_revision(issued, revision), _is_reopened(tx, issued))
            if as_of_us is not None:
                then = next((one for one in issued if one.as_of_us == as_of_us), None)
                if then is not None:
                    return _given(then, _is_reopened(tx, issued))
                return GivenReport(self._documents.then(tx, contract, when, as_of_us))
            if issued and not is_fresh:
                return _given(issued[-1], _is_reopened(tx, issued))
            return GivenReport(self._known_now(tx, contract, when, now_us))

    def contracts(self) -> Sequence[str]:
        """The contracts in force, in the order of the file."""
        with self._storage.transaction() as tx:
            tenures = self._documents.terms.tenures(tx)
            return [name for name, tenure in tenures.items() if tenure.until_us is None]

    def all(self, contract: str | None = None) -> Sequence[PeriodView]:
        """Every period (of one contract) until the one that runs now. NotFound: no such contract."""
        with self._storage.transaction() as tx:
            now_us = self._now_us()
            tenures = self._documents.terms.tenures(tx)
            found: list[PeriodView] = []
            for name in tenures if contract is None else [contract]:
                agreement = self._agreement(tx, name, now_us)
                views = self._views(tx, name, now_us)
                for when in own_periods(agreement, tenures[name]):
                    if when.from_us > now_us:
                        break
                    found.append(views.of(when, is_brief=True))
            return found

    def view(self, tx: Transaction, contract: str, when: Period, now_us: int) -> PeriodView:
        """How far a period is."""
        return self._views(tx, contract, now_us).of(when)

    def _views(self, tx: Transaction, contract: str, now_us: int) -> PeriodViews:
        agreement = self._agreement(tx, contract, now_us)
        known = self._evaluator.checks(tx)
        members = {check: known.get(check, ()) for check in agreement.scope.members}
        return PeriodViews(tx, contract, agreement, members, now_us)

    def seal(
        self, contract: str, label: str, by: Actor, *, is_early: bool = False, reason: str = ""
    ) -> IssuedReport:
        """Issue the report on a period, or its next revision where late facts have changed what it says.

        Rejected before the period is final, unless it is to be early, for a reason that stands in the report.
        """
        said = _reason(reason, is_needed=is_early)
        with self._storage.transaction() as tx:
            now_us = self._now_us()
            agreement = self._agreement(tx, contract, now_us)
            when = period_of(agreement, label, now_us)
            require_own(agreement, when)
            view = self.view(tx, contract, when, now_us)
            if view.life.state is PeriodState.OPEN:
                raise Rejected(
                    f"{contract} {when.label} is not over before {instant_text(when.to_us)}: a period that"
                    " runs is not sealed."
                )
            if view.issued:
                return self._revised(tx, view, by, said)
            if not view.life.is_final and not is_early:
                raise Rejected(_not_final(view))
            return self.issue(tx, view, by, said, is_early=not view.life.is_final)

    def issue(
        self, tx: Transaction, view: PeriodView, by: Actor, reason: str, *, is_early: bool = False
    ) -> IssuedReport:
        """Append the next revision, as of now, and put its hash into the ledger of acts."""
        now_us = view.life.now_us
        behind = self._documents.behind(tx, view.contract, now_us)
        if behind:
            raise Unreachable(
                f"Late results of {', '.join(behind)} are being judged just now: try again in a minute."
            )
        draft = IssuedReport(
            contract=view.contract,
            label=view.when.label,
            revision=len(view.issued) + 1,
            as_of_us=now_us,
            issued_us=now_us,
            sha256="",
            body=b"",
            issued_by="" if by is ITSELF else by.name,
            role="" if by is ITSELF else by.role,
            reason=reason,
            is_early=is_early,
            unheard=tuple((one.agent, one.heard_us) for one in view.life.unheard),
        )
        body = self._documents.now(tx, view.contract, view.when, now_us, issue_of(draft))
        made = replace(draft, body=body, sha256=hashlib.sha256(body).hexdigest())
        if not tx.put_issued(made):
            raise Rejected(
                f"{view.contract} {view.when.label} was issued by somebody else just now."
            )
        tx.forget_reopened(view.contract, view.when.label)
        subject = f"{view.contract} {view.when.label}"
        detail = f"revision {made.revision}, sha256 {made.sha256}"
        tx.record(
            by.act(now_us, "report.seal", subject, f"{detail}: {reason}" if reason else detail)
        )
        return made

    def is_changed(self, tx: Transaction, view: PeriodView) -> bool:
        """What would be said now differs from what the last revision says."""
        last = tx.issued(view.contract, view.when.label)[-1]
        fresh = self._known_now(tx, view.contract, view.when, view.life.now_us)
        return bool(changes_between(_given(last).document, fresh))

    def _revised(self, tx: Transaction, view: PeriodView, by: Actor, reason: str) -> IssuedReport:
        if not self.is_changed(tx, view):
            last = view.issued[-1]
            raise Rejected(
                f"{view.contract} {view.when.label} was sealed as revision {last.revision} as of"
                f" {instant_text(last.as_of_us)}, and nothing that came since changes what it says."
            )
        return self.issue(tx, view, by, reason)

    def _known_now(self, tx: Transaction, contract: str, when: Period, now_us: int) -> bytes:
        if self._documents.behind(tx, contract, now_us):
            return self._documents.then(tx, contract, when, now_us)
        return self._documents.now(tx, contract, when, now_us)

    def _agreement(self, tx: Transaction, contract: str, at_us: int) -> Agreement:
        return self._documents.terms.agreement(tx, contract, at_us)


def _given(one: IssuedReport, is_reopened: bool = False) -> GivenReport:
    """A report that was issued. Rejected if what is stored of it is not what was issued."""
    if hashlib.sha256(one.body).hexdigest() != one.sha256:
        raise Rejected(
            f"Revision {one.revision} of {one.contract} {one.label} is damaged in the database: it was issued"
            f" with sha256 {one.sha256}. `vedette db check` says what else is; restore a backup."
        )
    return GivenReport(one.body, one, is_reopened)


def _revision(issued: Sequence[IssuedReport], revision: int) -> IssuedReport:
    for one in issued:
        if one.revision == revision:
            return one
    known = f"revisions 1 to {len(issued)}" if issued else "none was issued yet"
    raise NotFound(f"Expected a revision that was issued ({known}), found {revision}.")


def _is_reopened(tx: Transaction, issued: Sequence[IssuedReport]) -> bool:
    if not issued:
        return False
    found: Sequence[Reopened] = tx.reopened(issued[0].contract)
    return any(one.label == issued[0].label and one.since_us is not None for one in found)


def _reason(text: str, *, is_needed: bool) -> str:
    said = text.strip()
    if len(said) > REASON_CHARS_MAX or not said.isprintable() or (is_needed and not said):
        raise BadInput(
            f"Expected a reason of 1 to {REASON_CHARS_MAX} printable characters: it stands in the report,"
            " for the other side to read."
        )
    return said


def _not_final(view: PeriodView) -> str:
    life = view.life
    waits = f"late results may come until {instant_text(life.final_us)}"
    if life.now_us >= life.final_us:
        waits = "nothing is known yet of " + ", ".join(
            f"{one.agent} after "
            + ("its start" if one.heard_us is None else instant_text(one.heard_us))
            for one in life.unheard
        )
    return (
        f"{view.contract} {view.when.label} is not final: {waits}. It is sealed by itself at"
        f" {instant_text(life.seal_us)}; to seal it now, say --early and --reason, which the report prints."
    )
