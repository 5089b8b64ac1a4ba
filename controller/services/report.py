"""How contracts stand: attainment from the stored timeline."""

from collections.abc import Callable

from controller.core.attainment import OutageSpan, Stretch
from controller.core.calendars import Period, period_at, period_named
from controller.core.contracts import Contract
from controller.core.fleet import Fleet, read_fleet
from controller.core.quorum import Verdict
from controller.core.records import Record, observed_from, records, records_bytes
from controller.errors import BadInput, NotFound
from controller.ports import Storage, Transaction
from controller.services.evaluate import Evaluator


class Reports:
    """Computes the records of contracts. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, evaluator: Evaluator, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._evaluator = evaluator
        self._now_us = now_us

    def status(self, period: str, contract: str | None, as_of_us: int | None) -> bytes:
        """The document that `vedette sla compute` gives, for every contract in force (or one).

        `period` is a label, or empty: the one that runs now. Nothing later than `as_of_us`, or now, is
        used. BadInput for a label that is none, NotFound for a contract that there is not.
        """
        now_us = self._now_us()
        horizon_us = now_us if as_of_us is None else min(as_of_us, now_us)
        with self._storage.transaction() as tx:
            revision = tx.fleet()
            if revision is None:
                return records_bytes([])
            fleet = read_fleet(revision.text, revision.file_name)
            found: list[Record] = []
            for one in _chosen(fleet, contract):
                when = _period(one, period, horizon_us)
                found += self._records(tx, fleet, one, when, horizon_us)
            return records_bytes(found)

    def _records(
        self, tx: Transaction, fleet: Fleet, contract: Contract, when: Period, horizon_us: int
    ) -> list[Record]:
        check = contract.check
        from_us, to_us = when.from_us, min(when.to_us, horizon_us)
        intervals = (
            self._evaluator.intervals(tx, check, from_us, to_us, horizon_us)
            if from_us < to_us
            else []
        )
        stretches = [
            Stretch(i.from_us, i.to_us, Verdict(i.verdict), Verdict(i.low), Verdict(i.high))
            for i in intervals
        ]
        outages = [
            OutageSpan(one.started_us, one.ended_us)
            for one in reversed(tx.outages(check, from_us, to_us))
        ]
        observed = observed_from(stretches, outages, fleet, check)
        return records(contract, when, observed, horizon_us)


def _chosen(fleet: Fleet, contract: str | None) -> list[Contract]:
    if contract is None:
        return list(fleet.contracts.values())
    if contract not in fleet.contracts:
        known = ", ".join(fleet.contracts) or "none"
        raise NotFound(f"Expected a contract in force ({known}), found {contract!r}.")
    return [fleet.contracts[contract]]


def _period(contract: Contract, label: str, at_us: int) -> Period:
    terms = contract.period
    if not label:
        return period_at(at_us, terms.kind, terms.tz)
    try:
        return period_named(label, terms.tz)
    except ValueError as error:
        raise BadInput(f"{error}.") from error
