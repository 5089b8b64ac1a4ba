"""Another rule on the stored results of a check: read a day at a time, so that nobody waits for long.

Nothing is written. A day is read in a transaction of its own; what arrives meanwhile is of later event time,
or is seen or not like any late result.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from controller.core.backtest import (
    Difference,
    OtherRule,
    Pair,
    Timeline,
    paired,
    read_rule,
    revisions_under,
)
from controller.core.fleet import Region
from controller.core.outages import Span
from controller.core.policy import PolicyRevision
from controller.errors import BadInput, NotFound
from controller.outcomes import StoredOutage
from controller.ports import Storage, Transaction
from controller.services.apply import Fleets
from controller.services.evaluate import Evaluator
from controller.services.history import History
from vedette.shared.definitions import decode_check
from vedette.shared.documents import BadDocument
from vedette.shared.limits import BACKTEST_US_MAX

_DAY_US: Final = 86_400 * 1_000_000
_STEP_US: Final = _DAY_US


class ToldSpan(msgspec.Struct, frozen=True):
    """An outage of a rule; it has no end while nothing known has followed it."""

    started_us: int
    ended_us: int | None
    downtime_us: int


class ToldPair(msgspec.Struct, frozen=True):
    """An outage under both rules. `handle` is its name, if it is one that is on record."""

    difference: Difference
    handle: str | None
    actual: ToldSpan | None
    other: ToldSpan | None


class ToldShare(msgspec.Struct, frozen=True):
    """An exact share in lowest terms."""

    num: int
    den: int


class ToldRule(msgspec.Struct, frozen=True):
    """What a rule comes to: attainment of the known time (S-34), None if nothing is known."""

    known_us: int
    downtime_us: int
    attained: ToldShare | None


class Backtested(msgspec.Struct, frozen=True):
    """What the other rule says of a check, beside what the rule in force says."""

    check: str
    from_us: int
    to_us: int
    actual: ToldRule
    other: ToldRule
    outages: list[ToldPair]


class Backtests:
    """Begins them. Synchronous: runs in the storage thread."""

    def __init__(
        self, storage: Storage, fleets: Fleets, evaluator: Evaluator, now_us: Callable[[], int]
    ) -> None:
        self._storage = storage
        self._fleets = fleets
        self._evaluator = evaluator
        self._now_us = now_us

    def begin(self, rule: bytes, check: str, from_us: int, to_us: int) -> "Backtest":
        """A backtest that has not read anything yet. BadInput says what is wrong with the rule or the time."""
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
        horizon_us = min(to_us, self._now_us())
        if from_us >= horizon_us:
            raise BadInput("Expected a start before the end and before now; it is not.")
        if horizon_us - from_us > BACKTEST_US_MAX:
            days = BACKTEST_US_MAX // _DAY_US
            raise BadInput(f"Expected at most {days} days at once; ask for a part of the time.")
        window_us = (from_us, horizon_us)
        return Backtest(self._storage, check, window_us, Timeline(actual), Timeline(other))


def _revisions(
    tx: Transaction, check: str, rule: OtherRule, places: Mapping[str, Region]
) -> list[PolicyRevision]:
    definitions = (
        (one.effective_us, decode_check(one.definition) if one.definition else None)
        for one in tx.check_revisions()
        if one.check == check
    )
    return revisions_under(definitions, rule, places)


class Backtest:
    """One check under two rules. Call `step` until it says no more, then `result`."""

    def __init__(
        self,
        storage: Storage,
        check: str,
        window_us: tuple[int, int],
        actual: Timeline,
        other: Timeline,
    ) -> None:
        self._storage = storage
        self._check = check
        self._from_us, self._to_us = window_us
        self._at_us = self._from_us
        self._actual = actual
        self._other = other

    def step(self) -> bool:
        """Judge the next day; False if that was the last one."""
        end_us = min(self._at_us + _STEP_US, self._to_us)
        revisions = [*self._actual.revisions, *self._other.revisions]
        with self._storage.transaction() as tx:
            history = History(tx, self._check, revisions, self._to_us)
            evidence = history.evidence(self._at_us, end_us)
        for one in (self._actual, self._other):
            one.add(evidence, self._at_us, end_us)
        self._at_us = end_us
        return self._at_us < self._to_us

    def result(self) -> Backtested:
        """What both rules say, once every day is judged."""
        with self._storage.transaction() as tx:
            stored = tx.outages(self._check, self._from_us, self._to_us)
        return Backtested(
            self._check,
            self._from_us,
            self._to_us,
            _rule(self._actual),
            _rule(self._other),
            [
                ToldPair(
                    pair.difference,
                    _handle(pair, stored),
                    _span(pair.actual),
                    _span(pair.other),
                )
                for pair in paired(self._actual, self._other)
            ],
        )


def _rule(one: Timeline) -> ToldRule:
    share = one.attained
    downtime = one.downtime_us
    told = None if share is None else ToldShare(share.numerator, share.denominator)
    return ToldRule(one.known_us, -(-downtime.numerator // downtime.denominator), told)


def _span(span: Span | None) -> ToldSpan | None:
    return None if span is None else ToldSpan(span.started_us, span.ended_us, span.downtime_us)


def _handle(pair: Pair, stored: Sequence[StoredOutage]) -> str | None:
    """The name of the outage on record that began when the actual one did, or lies across the start."""
    if pair.actual is None:
        return None
    at_us = pair.actual.started_us
    for one in stored:
        if one.started_us <= at_us and (one.ended_us is None or at_us < one.ended_us):
            return one.handle
    return None
