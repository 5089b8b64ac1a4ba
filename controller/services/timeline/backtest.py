"""Another rule on the stored results of a check: a part of the time at once, so that nobody waits for long.

Nothing is written. Whoever asks puts the parts together (`controller.core.backtest.Timeline`).
"""

from collections.abc import Callable, Mapping

from controller.core.backtest import JudgedPart, OtherRule, part_of, read_rule, revisions_under
from controller.core.fleet import Region
from controller.core.policy import PolicyRevision
from controller.errors import BadInput, NotFound
from controller.ports.storage import Storage, Transaction
from controller.services.fleet.apply import Fleets
from controller.services.timeline.evaluate import Evaluator
from controller.services.timeline.history import History
from vedette.shared.definitions import decode_check
from vedette.shared.documents import BadDocument
from vedette.shared.durations import Duration
from vedette.shared.limits import BACKTEST_PART_US_MAX


class Backtests:
    """Judges parts. Synchronous: runs in the storage thread."""

    def __init__(
        self, storage: Storage, fleets: Fleets, evaluator: Evaluator, now_us: Callable[[], int]
    ) -> None:
        self._storage = storage
        self._fleets = fleets
        self._evaluator = evaluator
        self._now_us = now_us

    def judged(
        self, rule: bytes, check: str, *, from_us: int, to_us: int, horizon_us: int
    ) -> JudgedPart:
        """What the rule in force and the other one say of [from_us, to_us), as seen from the horizon, or now.

        BadInput says what is wrong with the rule or the time, NotFound that there is no such check.
        """
        horizon_us = min(horizon_us, self._now_us())
        fleet = self._fleets.fleet()
        places = fleet.regions if fleet is not None else {}
        with self._storage.transaction() as tx:
            try:
                other = _revisions(tx, check, read_rule(rule), places)
            except BadDocument as error:
                raise BadInput(str(error)) from error
            actual = self._evaluator.checks(tx).get(check)
            if not other or actual is None:
                raise NotFound(f"There is no check {check!r}, and there never was one.")
            _require_part(from_us, to_us, horizon_us)
            history = History(tx, check, [*actual, *other], horizon_us)
            evidence = history.evidence(from_us, to_us)
        return JudgedPart(
            part_of(evidence, actual, from_us, to_us), part_of(evidence, other, from_us, to_us)
        )


def _require_part(from_us: int, to_us: int, horizon_us: int) -> None:
    if from_us >= min(to_us, horizon_us):
        raise BadInput("Expected a start before the end and before now; it is not.")
    if to_us - from_us > BACKTEST_PART_US_MAX:
        longest = Duration(BACKTEST_PART_US_MAX)
        raise BadInput(f"Expected at most {longest} at once, found {Duration(to_us - from_us)}.")


def _revisions(
    tx: Transaction, check: str, rule: OtherRule, places: Mapping[str, Region]
) -> list[PolicyRevision]:
    definitions = (
        (one.effective_us, decode_check(one.definition) if one.definition else None)
        for one in tx.check_revisions()
        if one.check == check
    )
    return revisions_under(definitions, rule, places)
