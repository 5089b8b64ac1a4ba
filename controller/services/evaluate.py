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
from controller.ports import Storage, StoredInterval, StoredOutage, Transaction
from controller.services.handles import Extent, carried_over
from controller.services.outage_body import body_of, decode_body, encode_body

_START_US: Final = 0


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
        self._outages: dict[str, dict[str, StoredOutage]] = {}
        self._tails: dict[str, int] = {}
        self._fed: set[str] = set()

    def rebuild(self) -> None:
        """Make every engine from storage: at start, so that the first results need not wait for it."""
        with self._storage.transaction() as tx:
            for check in self._known(tx):
                self._engine(tx, check)

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
                self._outages.pop(check, None)
                self._tails.pop(check, None)
            raise
        finally:
            self._fed.clear()

    def checks(self, tx: Transaction) -> Mapping[str, Sequence[PolicyRevision]]:
        """Every check that there ever was, with its policies."""
        return self._known(tx)

    def absorb(
        self,
        tx: Transaction,
        samples: Iterable[Sample],
        rounds: Iterable[tuple[str, AnchorRound]],
        disputed: Iterable[str],
        now_us: int,
    ) -> None:
        """Judge what was just appended in `tx` and write what it changes.

        `rounds` come with the region of their agent. `disputed` checks have lines that conflict with
        earlier ones, and are judged anew from storage.
        """
        known = self._known(tx)
        anew = {check for check in disputed if check in known}
        # Engines that do not exist yet are made from storage, which holds these samples already.
        touched: dict[str, CheckEngine] = {}
        for sample in samples:
            check = sample.check
            engine = touched.get(check)
            if engine is None:
                if check not in self._engines:
                    anew.add(check)
                    continue
                engine = touched[check] = self._engines[check]
                self._fed.add(check)
            if not engine.insert(sample):
                anew.add(check)
        for region, one in rounds:
            for check in self._regions.get(region, ()):
                engine = self._engines.get(check)
                self._fed.add(check)
                if engine is None or not engine.insert_anchor(one):
                    anew.add(check)
                else:
                    touched[check] = engine
        for check, engine in touched.items():
            if check not in anew and (changes := engine.drain()):
                self._write(tx, check, engine, changes, now_us)
        for check in sorted(anew):
            self._judge_anew(tx, check, now_us)

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
        from_us = max(_START_US, engine.settled_us)
        intervals = engine.intervals(from_us, now_us + 1, FOREVER_US)
        if not intervals:
            return Standing("UNKNOWN", None, {})
        last = intervals[-1]
        since = last.from_us if last.from_us > _START_US else None
        return Standing(last.verdict.value, since, engine.labels(now_us))

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
        stored = (
            tx.intervals(check, from_us, min(settled_us, end_us)) if settled_us > from_us else ()
        )
        found = [
            _cut(one, max(one.from_us, from_us), min(one.to_us, settled_us, end_us))
            for one in stored
        ]
        tail = engine.segments(max(from_us, settled_us), end_us, horizon_us)
        return [*found, *_stored_intervals(check, tail)]

    def settle(self, before_us: int) -> None:
        """Write what lies before an instant for good, and let the engines forget it."""
        with self.transaction() as tx:
            for check, engine in self._engines.items():
                if engine.settled_us < before_us:
                    self._fed.add(check)
                    self._write_intervals(tx, check, engine, engine.settled_us)
                    engine.settle(before_us)

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
            engine = self._engines[check] = self._built(tx, check)
            engine.drain()
        return engine

    def _built(self, tx: Transaction, check: str) -> CheckEngine:
        policies = self._known(tx)[check]
        engine = CheckEngine(policies)
        for sample in tx.samples(check, -FOREVER_US, FOREVER_US):
            engine.insert(sample)
        for one in tx.anchors(_agents_of(tx, _regions(policies)), -FOREVER_US, FOREVER_US):
            engine.insert_anchor(one)
        return engine

    def _judge_anew(self, tx: Transaction, check: str, now_us: int) -> None:
        """Make an engine from storage and write everything that differs from what is stored."""
        self._fed.add(check)
        engine = self._engines[check] = self._built(tx, check)
        changes = engine.drain()
        gone = set(self._stored_outages(tx, check)) - {outage.id for outage in changes.outages}
        everything = Changes(_START_US, changes.outages, tuple(sorted(gone)))
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
            self._write_outages(tx, check, changes, now_us)

    def _write_intervals(
        self, tx: Transaction, check: str, engine: CheckEngine, from_us: int
    ) -> None:
        """Store the verdicts from an instant on, up to the newest evidence."""
        newest_us = engine.newest_us
        if newest_us is None:
            return
        from_us = max(from_us, engine.settled_us, _START_US)
        segments = engine.segments(from_us, newest_us + 1, FOREVER_US)
        intervals = _stored_intervals(check, segments)
        tx.replace_intervals(check, from_us, intervals)
        if intervals:
            self._tails[check] = intervals[-1].from_us

    def _write_outages(self, tx: Transaction, check: str, changes: Changes, now_us: int) -> None:
        known = self._stored_outages(tx, check)
        gone = {key: known.pop(key) for key in changes.gone if key in known}
        new = [outage for outage in changes.outages if outage.id not in known]
        heirs = carried_over(
            [_extent(stored) for stored in gone.values()],
            [Extent(o.id, o.span.started_us, o.span.until_us) for o in new],
        )
        for outage in changes.outages:
            old = known.get(outage.id)
            if old is None and outage.id in heirs:
                old = gone.pop(heirs[outage.id])
            known[outage.id] = _put(tx, outage, old, now_us)
        for stored in gone.values():
            tx.delete_outage(stored.number)

    def _stored_outages(self, tx: Transaction, check: str) -> dict[str, StoredOutage]:
        """Outages of a check by content id, as `tx` holds them."""
        known = self._outages.get(check)
        if known is None:
            stored = tx.outages(check)
            known = self._outages[check] = {decode_body(one.body).id: one for one in stored}
        return known


def _put(tx: Transaction, outage: Outage, old: StoredOutage | None, now_us: int) -> StoredOutage:
    """Store an outage under the number of `old`, or a new one. Ledger times are kept where they hold."""
    ended_us = outage.span.ended_us
    closed_known_us = None
    if ended_us is not None:
        closed_known_us = (
            now_us if old is None or old.closed_known_us is None else old.closed_known_us
        )
    made = StoredOutage(
        number=old.number if old else 0,
        check=outage.check,
        started_us=outage.span.started_us,
        ended_us=ended_us,
        detected_us=old.detected_us if old else now_us,
        closed_known_us=closed_known_us,
        body=encode_body(body_of(outage)),
    )
    if made == old:
        return old
    number = tx.put_outage(made)
    return StoredOutage(
        number,
        made.check,
        made.started_us,
        made.ended_us,
        made.detected_us,
        made.closed_known_us,
        made.body,
    )


def _extent(stored: StoredOutage) -> Extent:
    body = decode_body(stored.body)
    return Extent(body.id, body.started_us, body.until_us)


def _stored_intervals(check: str, segments: Iterable[Segment]) -> list[StoredInterval]:
    """Segments without their votes; neighbours differ in one of the three verdicts."""
    found: list[StoredInterval] = []
    for segment in segments:
        verdict, low, high = segment.verdicts
        one = StoredInterval(check, segment.from_us, segment.to_us, verdict, low, high)
        if found and (found[-1].verdict, found[-1].low, found[-1].high) == (verdict, low, high):
            found[-1] = _cut(found[-1], found[-1].from_us, one.to_us)
        else:
            found.append(one)
    return found


def _cut(one: StoredInterval, from_us: int, to_us: int) -> StoredInterval:
    return StoredInterval(one.check, from_us, to_us, one.verdict, one.low, one.high)


def _regions(policies: Iterable[PolicyRevision]) -> set[str]:
    """Every region that ever had a vote."""
    return {region for one in policies if one.policy for region in one.policy.regions}


def _agents_of(tx: Transaction, regions: set[str]) -> list[str]:
    """Agents whose own trouble can void samples of these regions."""
    return [agent.id for agent in tx.agents() if agent.region in regions]
