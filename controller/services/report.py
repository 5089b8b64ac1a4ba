"""How contracts stand: attainment from the stored timeline."""

from collections.abc import Callable

from controller.core.calendars import Period
from controller.core.quorum import Verdict
from controller.core.sla.accounting import Stretch
from controller.core.sla.contracts import Agreement
from controller.core.sla.records import Known, Record, observed_from, records, records_bytes
from controller.core.sla.reliability import OutageTimes
from controller.errors import BadInput
from controller.ports import Storage, Transaction
from controller.services.evaluate import Evaluator
from controller.services.terms import Agreed, Terms
from vedette.shared.definitions import micros


class Reports:
    """Computes the records of contracts. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, evaluator: Evaluator, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._now_us = now_us
        self._terms = Terms()

    def status(self, period: str, contract: str | None, as_of_us: int | None) -> bytes:
        """The document that `vedette sla compute` gives, for every contract in force (or one).

        `period` is a label, or empty: the one that runs now. Nothing later than `as_of_us`, or now, is
        used: neither evidence nor terms. BadInput for a label that is none, NotFound for a contract that there is not.
        """
        now_us = self._now_us()
        horizon_us = now_us if as_of_us is None else min(as_of_us, now_us)
        with self._storage.transaction() as tx:
            found: list[Record] = []
            for agreed in self._terms.agreed(tx, contract, horizon_us):
                when = _period(agreed.contract, period, horizon_us)
                found += self._records(tx, agreed, when, horizon_us)
            return records_bytes(found)

    def _records(
        self, tx: Transaction, agreed: Agreed, when: Period, horizon_us: int
    ) -> list[Record]:
        scope = agreed.contract.scope
        # Whether downtime is long enough is decided before it is cut to the period (S-39).
        around_us = max(micros(one.outage.min_duration) for one in agreed.contract.versions)
        from_us, to_us = when.from_us - around_us, min(when.to_us + around_us, horizon_us)
        members = [self._known(tx, check, from_us, to_us, horizon_us) for check in scope.members]
        observed = observed_from(members, agreed.fleet, scope)
        return records(agreed.contract, when, observed, horizon_us, revision=agreed.revision)

    def _known(
        self, tx: Transaction, check: str, from_us: int, to_us: int, horizon_us: int
    ) -> Known:
        if from_us >= to_us:
            return Known((), ())
        where = (tx, check, from_us, to_us, horizon_us)
        ends = {one.started_us: one.ended_us for one in tx.outages(check, from_us, to_us)}
        outages: list[OutageTimes] = []
        for at_us in self._evaluator.starts(*where):
            ended_us = ends.get(at_us)
            is_known = ended_us is not None and ended_us <= horizon_us
            outages.append(OutageTimes(at_us, ended_us if is_known else None))
        stretches = [
            Stretch(i.from_us, i.to_us, Verdict(i.verdict), Verdict(i.low), Verdict(i.high))
            for i in self._evaluator.intervals(*where)
        ]
        return Known(stretches, outages)


def _period(contract: Agreement, label: str, at_us: int) -> Period:
    try:
        return contract.period.named(label, at_us) if label else contract.period.at(at_us)
    except ValueError as error:
        raise BadInput(f"{error}.") from error
