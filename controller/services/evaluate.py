"""Evaluation: one engine a check, fed with what arrives; what it changes is written where it arrived.

Everything here is a cache of storage. When a transaction is undone, the engines that it fed are dropped
and made again from storage when they are next needed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from controller.core.engine import Changes, CheckEngine
from controller.core.intervals import FOREVER_US
from controller.core.labels import Label
from controller.core.outages import Outage
from controller.core.policy import PolicyRevision, policy_revision
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import Segment
from controller.ports import Storage, StoredInterval, Transaction
from controller.services.history import Built, built_engine
from controller.services.recorded import RecordedOutages

_START_US: Final = 0
# How much of a check stays in memory at least. Older evidence is taken too, but its check is read anew.
_KEPT_US: Final = 6 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What a check is now: its verdict, since when (None: since before anything is known), its labels."""

    verdict: str
    since_us: int | None
    labels: Mapping[str, Label]


class Evaluator:
    """Engines by check. Synchronous: runs in the storage thread.

    What is absorbed or revised must be so inside a `transaction` of this class.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._policies: dict[str, list[PolicyRevision]] | None = None
        self._regions: dict[str, frozenset[str]] = {}
        self._engines: dict[str, CheckEngine] = {}
        self._outages = RecordedOutages()
        self._tails: dict[str, int] = {}
        self._late_before_us: dict[str, int] = {}
        self._fed: set[str] = set()

    def rebuild(self) -> None:
        """Make every engine from storage: at start, so that the first results need not wait for it."""
        with self.transaction() as tx:
            for check in self._known(tx):
                self._engine(tx, check)
                self._settle(tx, check)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction whose undoing undoes what the engines were fed in it."""
        try:
            with self._storage.transaction() as tx:
                yield tx
        except BaseException:
            self._policies = None
            for check in self._fed:
                self._engines.pop(check, None)
                self._outages.forget(check)
                self._tails.pop(check, None)
                self._late_before_us.pop(check, None)
            raise
        finally:
            self._fed.clear()

    def checks(self, tx: Transaction) -> Mapping[str, Sequence[PolicyRevision]]:
        """Every check that there ever was, with its policies."""
        return self._known(tx)

    def voting(self, tx: Transaction) -> Mapping[str, frozenset[str]]:
        """By region, the checks in which it ever had a vote."""
        self._known(tx)
        return self._regions

    def absorb(
        self,
        tx: Transaction,
        samples: Iterable[Sample],
        rounds: Iterable[tuple[str, AnchorRound]],
        disputes: Mapping[str, int],
        now_us: int,
    ) -> None:
        """Judge what was just appended in `tx` and write what it changes.

        `rounds` come with the region of their agent. `disputes` are checks of which a line conflicts with
        an earlier one, and the event time from which they are judged anew, from storage. Samples are
        taken fastest by check and time.
        """
        known = self._known(tx)
        anew = {check: at_us for check, at_us in disputes.items() if check in known}
        touched: dict[str, CheckEngine] = {}
        for sample in samples:
            check = sample.check
            engine = touched.get(check)
            if engine is None:
                # An engine that does not exist yet is made from storage, which holds these samples.
                if (engine := self._engines.get(check)) is None:
                    anew.setdefault(check, FOREVER_US)
                    continue
                touched[check] = engine
                self._fed.add(check)
                if sample.at_us < self._late_before_us.get(check, -FOREVER_US):
                    self._unsettle(tx, check, sample.at_us)
            if not engine.insert(sample):
                anew[check] = min(sample.at_us, anew.get(check, FOREVER_US))
        for region, one in rounds:
            for check in self._regions.get(region, ()):
                self._absorb_round(tx, check, one, touched, anew)
        for check, engine in touched.items():
            if check not in anew and (changes := engine.drain()):
                self._write(tx, check, engine, changes, now_us)
        for check, at_us in sorted(anew.items()):
            self._judge_anew(tx, check, at_us, now_us)

    def _absorb_round(
        self,
        tx: Transaction,
        check: str,
        one: AnchorRound,
        touched: dict[str, CheckEngine],
        anew: dict[str, int],
    ) -> None:
        engine = self._engines.get(check)
        self._fed.add(check)
        if engine is None:
            anew.setdefault(check, FOREVER_US)
        elif engine.insert_anchor(one):
            touched[check] = engine
            if one.at_us < self._late_before_us.get(check, -FOREVER_US):
                self._unsettle(tx, check, -FOREVER_US)
        else:
            # How far back it voids samples is seen only from the rounds before it.
            anew[check] = -FOREVER_US

    def revise(self, tx: Transaction, checks: Sequence[str], now_us: int) -> None:
        """Judge these checks by the revisions that `tx` holds now."""
        self._policies = None
        for check in checks:
            self._fed.add(check)
            policies = self._known(tx)[check]
            engine = self._engine(tx, check)
            engine.revise(policies)
            if changes := engine.drain():
                self._write(tx, check, engine, changes, now_us)

    def standing(self, tx: Transaction, check: str, now_us: int) -> Standing:
        """What the check is at `now_us`."""
        engine = self._engine(tx, check)
        segments = engine.segments(now_us, now_us + 1, FOREVER_US)
        if not segments:
            return Standing("UNKNOWN", None, {})
        verdict = segments[-1].verdict
        since_us = now_us
        for one in reversed(self.intervals(tx, check, _START_US, now_us + 1, FOREVER_US)):
            if one.verdict != verdict:
                break
            since_us = one.from_us
        since = since_us if since_us > _START_US else None
        return Standing(verdict.value, since, engine.labels(now_us))

    def segments(
        self, tx: Transaction, check: str, from_us: int, to_us: int, horizon_us: int
    ) -> Sequence[Segment]:
        """The part of the timeline that is in memory, with votes and bounds."""
        return self._engine(tx, check).segments(from_us, to_us, horizon_us)

    def outages(self, tx: Transaction, check: str, horizon_us: int) -> Sequence[Outage]:
        """The outages in memory as seen from the horizon: an open one goes on until there."""
        return self._engine(tx, check).outages(horizon_us)

    def intervals(
        self, tx: Transaction, check: str, from_us: int, to_us: int, horizon_us: int
    ) -> Sequence[StoredInterval]:
        """The verdicts over [from_us, to_us), cut at the horizon: stored ones, then the engine's."""
        engine = self._engine(tx, check)
        end_us = min(to_us, horizon_us)
        settled_us = engine.settled_us
        before_us = min(settled_us, end_us)
        stored = tx.intervals(check, from_us, before_us) if from_us < before_us else ()
        found = [_cut(one, max(one.from_us, from_us), min(one.to_us, before_us)) for one in stored]
        tail = engine.segments(max(from_us, settled_us), end_us, horizon_us)
        return _merged([*found, *_stored_intervals(check, tail)])

    def settle(self) -> None:
        """Write what is older than a few hours for good, and let the engines forget it."""
        with self.transaction() as tx:
            for check in list(self._engines):
                self._settle(tx, check)

    def _settle(self, tx: Transaction, check: str) -> None:
        engine = self._engines[check]
        newest_us = engine.newest_us
        if newest_us is None or newest_us - _KEPT_US <= engine.settled_us:
            return
        if tx.newest_sample_us(check, newest_us - _KEPT_US) is None:
            return
        self._fed.add(check)
        self._write_intervals(tx, check, engine, engine.settled_us)
        before_us = engine.settled_us
        settled_us = engine.settle(newest_us - _KEPT_US)
        if settled_us > max(before_us, _START_US):
            tx.put_settled(check, settled_us)
            self._note_settled(tx, check, settled_us)

    def _note_settled(self, tx: Transaction, check: str, settled_us: int | None) -> None:
        """Remember what is late: a sample that can still change what is complete in storage."""
        if settled_us is None:
            self._late_before_us.pop(check, None)
        else:
            self._late_before_us[check] = settled_us + 2 * self._reach_us(tx, check)

    def _unsettle(self, tx: Transaction, check: str, at_us: int) -> None:
        """Something at `at_us` changed: what is stored is complete only until before that."""
        settled_us = tx.settled_us(check)
        before_us = at_us - 2 * self._reach_us(tx, check)
        if settled_us is not None and before_us < settled_us:
            settled_us = before_us if before_us > _START_US else None
            tx.put_settled(check, settled_us)
            self._note_settled(tx, check, settled_us)

    def _reach_us(self, tx: Transaction, check: str) -> int:
        """How far a sample reaches: it can change the bounds of the hold before it (S-8)."""
        policies = self._known(tx)[check]
        return max((one.policy.freshness_us for one in policies if one.policy), default=0)

    def _known(self, tx: Transaction) -> dict[str, list[PolicyRevision]]:
        if self._policies is None:
            policies: dict[str, list[PolicyRevision]] = {}
            for one in tx.check_revisions():
                revision = policy_revision(one.definition, one.effective_us)
                policies.setdefault(one.check, []).append(revision)
            self._policies = policies
            checks_of: dict[str, set[str]] = {}
            for check, revisions in policies.items():
                for region in _regions(revisions):
                    checks_of.setdefault(region, set()).add(check)
            self._regions = {region: frozenset(own) for region, own in checks_of.items()}
        return self._policies

    def _engine(self, tx: Transaction, check: str) -> CheckEngine:
        """The engine of a check, made from storage if there is none."""
        engine = self._engines.get(check)
        if engine is None:
            engine = self._build(tx, check, FOREVER_US).engine
        return engine

    def _build(self, tx: Transaction, check: str, before_us: int) -> Built:
        built = built_engine(tx, check, self._known(tx)[check], before_us)
        self._engines[check] = built.engine
        self._tails.pop(check, None)
        self._note_settled(tx, check, tx.settled_us(check))
        return built

    def _judge_anew(self, tx: Transaction, check: str, at_us: int, now_us: int) -> None:
        """Make an engine from storage that reaches back before `at_us`, and write what it says."""
        self._fed.add(check)
        if at_us < FOREVER_US:
            self._unsettle(tx, check, at_us)
        engine, outages = self._build(tx, check, at_us)
        from_us = max(engine.settled_us, _START_US)
        ids = {outage.id for outage in outages}
        gone = tuple(
            key
            for key, one in self._outages.of(tx, check).items()
            if one.started_us >= from_us and key not in ids
        )
        everything = Changes(from_us=from_us, outages=outages, gone=gone)
        self._write(tx, check, engine, everything, now_us)

    def _write(
        self, tx: Transaction, check: str, engine: CheckEngine, changes: Changes, now_us: int
    ) -> None:
        if changes.from_us is not None:
            # The last interval that is stored has gone on since: it is written again, longer.
            self._write_intervals(
                tx, check, engine, min(changes.from_us, self._tails.get(check, 0))
            )
        if changes.outages or changes.gone:
            self._outages.write(tx, check, changes, now_us)

    def _write_intervals(
        self, tx: Transaction, check: str, engine: CheckEngine, from_us: int
    ) -> None:
        """Store the verdicts from an instant on, up to the newest evidence."""
        newest_us = engine.newest_us
        if newest_us is None:
            return
        from_us = max(from_us, engine.settled_us, _START_US)
        segments = engine.segments(from_us, newest_us + 1, FOREVER_US)
        before = tx.intervals(check, from_us - 1, from_us)
        cut = [_cut(one, one.from_us, from_us) for one in before]
        intervals = _merged([*cut, *_stored_intervals(check, segments)])
        if intervals:
            tx.replace_intervals(check, intervals[0].from_us, intervals)
            self._tails[check] = intervals[-1].from_us


def _stored_intervals(check: str, segments: Iterable[Segment]) -> list[StoredInterval]:
    """Segments without their votes; neighbours differ in one of the three verdicts."""
    return _merged(StoredInterval(check, s.from_us, s.to_us, *s.verdicts) for s in segments)


def _merged(intervals: Iterable[StoredInterval]) -> list[StoredInterval]:
    """Intervals in order of time, neighbours that say the same made one."""
    found: list[StoredInterval] = []
    for one in intervals:
        if found and _said(found[-1]) == _said(one) and found[-1].to_us == one.from_us:
            found[-1] = _cut(one, found[-1].from_us, one.to_us)
        else:
            found.append(one)
    return found


def _said(one: StoredInterval) -> tuple[str, str, str]:
    return one.verdict, one.low, one.high


def _cut(one: StoredInterval, from_us: int, to_us: int) -> StoredInterval:
    return StoredInterval(one.check, from_us, to_us, one.verdict, one.low, one.high)


def _regions(policies: Iterable[PolicyRevision]) -> set[str]:
    """Every region that ever had a vote."""
    return {region for one in policies if one.policy for region in one.policy.regions}
