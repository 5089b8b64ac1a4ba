"""How far the periods of a contract are (S-22), and which periods there are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from controller.core.calendars import Period, PeriodKind
from controller.core.policy import PolicyRevision
from controller.core.sla.reports.period_life import Life
from controller.core.sla.terms.contracts import Agreement
from controller.errors import BadInput
from controller.ports.issued import IssuedReport
from controller.ports.storage import Transaction
from controller.services.contracts.terms import Tenure
from controller.services.contracts.watermarks import heard_of


@dataclass(frozen=True, slots=True)
class PeriodView:
    """A period of a contract: how far it is, what was issued, and what late facts may still change.

    `reopened_us`: since when the last revision is known not to say what would be said now.
    """

    contract: str
    when: Period
    tz: str
    life: Life
    issued: Sequence[IssuedReport]
    reopened_us: int | None = None

    @property
    def next_revision_us(self) -> int | None:
        """When the next revision is issued by itself; None: late facts have changed nothing."""
        if self.reopened_us is None:
            return None
        return self.reopened_us + self.life.lateness.allowed_us


class PeriodViews:
    """How far the periods of one contract are."""

    def __init__(
        self,
        tx: Transaction,
        contract: str,
        agreement: Agreement,
        members: Mapping[str, Sequence[PolicyRevision]],
        now_us: int,
    ) -> None:
        self._tx = tx
        self._contract = contract
        self._agreement = agreement
        self._members = members
        self._now_us = now_us
        self._since_us = {one.label: one.since_us for one in tx.reopened(contract)}
        self._issued: dict[str, list[IssuedReport]] = {}
        for one in tx.issued_heads(contract):
            self._issued.setdefault(one.label, []).append(one)

    def of(self, when: Period, *, is_brief: bool = False) -> PeriodView:
        """One of them. If it is brief, it does not say who was not heard where a report was issued."""
        issued = self._issued.get(when.label, [])
        is_asked = when.to_us <= self._now_us and not (is_brief and issued)
        life = Life(
            when.to_us,
            self._agreement.lateness_of(when),
            self._now_us,
            heard_of(self._tx, self._members, when) if is_asked else (),
            len(issued),
        )
        tz, since_us = self._agreement.period.tz, self._since_us.get(when.label)
        return PeriodView(self._contract, when, tz, life, issued, since_us)


def own_periods(agreement: Agreement, tenure: Tenure) -> Iterator[Period]:
    """The periods by which a contract is judged, from the one in which a file first had it, without end.

    Where files have it no more, until then.
    """
    if agreement.period.kind is PeriodKind.ROLLING:
        return
    when = agreement.period.at(max(tenure.from_us, agreement.first.effective_us))
    while tenure.until_us is None or when.from_us < tenure.until_us:
        yield when
        when = agreement.period.at(when.to_us)


def period_of(agreement: Agreement, label: str, at_us: int) -> Period:
    """The period of that label, of the contract's kind or another; empty: the one that runs then."""
    try:
        return agreement.period.named(label, at_us) if label else agreement.period.at(at_us)
    except ValueError as error:
        raise BadInput(f"{error}.") from error


def require_own(agreement: Agreement, when: Period) -> None:
    """BadInput for a period by which the contract is not judged: there is no report on it to be sealed."""
    kind = agreement.period.kind
    if kind is PeriodKind.ROLLING:
        raise BadInput(
            f"{agreement.first.id} is judged over a rolling window, which has no end to be sealed at: give a"
            " report as of an instant instead."
        )
    if when.kind is not kind:
        raise BadInput(
            f"Expected a {kind} of {agreement.first.id}, which is judged by it, found the {when.kind}"
            f" {when.label}."
        )
