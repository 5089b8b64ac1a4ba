"""Evaluation: one engine a check, fed with what arrives; what it changes is written where it arrived.

Everything here is a cache of storage. When a transaction is undone, the engines that it fed are dropped
and made again from storage when they are next needed. What an engine that was made anew says is written
whole, once, before anything else that it says.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import dropwhile
from typing import Final

from controller.core.changes import Changes
from controller.core.engine import CheckEngine
from controller.core.intervals import FOREVER_US
from controller.core.labels import Label
from controller.core.outages import Outage
from controller.core.policy import PolicyRevision
from controller.core.samples import AnchorRound, Sample
from controller.core.timeline import Segment
from controller.ports.events import Cause
from controller.ports.outcomes import StoredInterval
from controller.ports.storage import Storage, Transaction
from controller.services.fleet.policies import Policies
from controller.services.outages.recorded import RecordedOutages
from controller.services.results.arrivals import Arrivals
from controller.services.results.behind import Behind
from controller.services.timeline.carrying import keep_carried
from controller.services.timeline.engines import Engines
from controller.services.timeline.history import History, changed_trouble_us
from controller.services.timeline.intervals import START_US, RecordedIntervals, cut, merged, stored
from controller.services.timeline.patches import Heard, gone_from, patch_of
from vedette.shared.limits import LATE_CHECKS_AT_ONCE_MAX

# How much of a check stays in memory at least. Older evidence is taken too, but its check is read anew.
_KEPT_US: Final = 900 * 1_000_000
# What is late by less than that many times what a sample can reach back is taken without reading anew.
_KEPT_MARGINS: Final = 3
# How long a check rests before what it went on saying is written.
_RESTING_US: Final = 3600 * 1_000_000


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
        self._policies = Policies()
        self._engines = Engines()
        self._outages = RecordedOutages()
        self._intervals = RecordedIntervals()
        self._unwritten: set[str] = set()
        self._behind = Behind()
        self._fed: set[str] = set()

    def rebuild(self, now_us: int) -> None:
        """Make every engine from storage: at start, so that the first results need not wait for it."""
        with self.transaction() as tx:
            self._outages.arrivals = Arrivals(Cause.RESTART)
            for check in self._policies.known(tx):
                self._judge_anew(tx, check, FOREVER_US, now_us)
                self._settle(tx, check)

    def advance(self, now_us: int) -> None:
        """Tell and write what time alone has changed until now."""
        with self.transaction() as tx:
            self._outages.arrivals = Arrivals(Cause.TIME)
            for check in self._policies.known(tx):
                self._advance(tx, check, now_us)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction whose undoing undoes what the engines were fed in it."""
        try:
            with self._storage.transaction() as tx:
                yield tx
        except BaseException:
            self._policies.forget()
            self._behind.unmark()
            for check in self._fed:
                self._engines.drop(check)
                self._outages.forget(check)
                self._intervals.forget(check)
            raise
        finally:
            self._fed.clear()

    def checks(self, tx: Transaction) -> Mapping[str, Sequence[PolicyRevision]]:
        """Every check that there ever was, with its policies."""
        return self._policies.known(tx)

    def prompt_us(self, check: str) -> int:
        """How old a result of a check may be when it comes and still tell of now."""
        return self._policies.prompt_us(check)

    def absorb(
        self,
        tx: Transaction,
        samples: Sequence[Sample],
        rounds: Sequence[tuple[str, AnchorRound]],
        disputes: Mapping[str, int],
        now_us: int,
    ) -> None:
        """Judge what was just appended in `tx` and write what it changes.

        `rounds` come with the region of their agent. `disputes` are checks of which a line conflicts with
        an earlier one, and the event time from which they are judged anew, from storage.
        """
        known = self._policies.known(tx)
        self._outages.arrivals = Arrivals(Cause.LINES, samples, rounds, self._policies.regions)
        anew = {check: Heard(at_us) for check, at_us in disputes.items() if check in known}
        touched: dict[str, CheckEngine] = {}
        for sample in samples:
            check = sample.check
            engine = touched.get(check)
            if engine is None:
                if (rest := self._engines.resting(check)) is not None and rest.took(sample):
                    self._fed.add(check)
                    continue
                if (engine := self._ready(check)) is not None:
                    touched[check] = engine
            # An engine that is made from storage finds these samples there.
            if engine is None or not engine.insert(sample):
                last_us = FOREVER_US if engine is None else sample.at_us
                anew[check] = Heard(sample.at_us, last_us).and_(anew.get(check))
        by_agent: dict[tuple[str, str], list[AnchorRound]] = {}
        for region, one in rounds:
            by_agent.setdefault((region, one.agent), []).append(one)
        for (region, agent), own in by_agent.items():
            self._absorb_rounds(
                tx, agent, own, self._policies.regions.get(region, ()), touched, anew
            )
        patched = self._judge_late(tx, anew, now_us)
        for check, engine in touched.items():
            if (check not in anew or check in patched) and (changes := engine.drain()):
                self._write(tx, check, engine, changes, now_us)

    def _judge_late(self, tx: Transaction, anew: Mapping[str, Heard], now_us: int) -> set[str]:
        """Judge checks anew from these instants on: now, or later where a backlog concerns many of them.

        Gives those of which a stretch of long ago was patched.
        """
        late = {check for check, heard in anew.items() if self._is_late(tx, check, heard.first_us)}
        is_backlog = len(late) > LATE_CHECKS_AT_ONCE_MAX
        patched: set[str] = set()
        for check, heard in sorted(anew.items()):
            if check in late and (is_backlog or check in self._behind):
                if self._behind.add(check, heard.first_us, now_us):
                    self._unsettle(tx, check, self._behind.since_us(check))
            elif self._patch(tx, check, heard, now_us):
                patched.add(check)
            else:
                self._judge_anew(tx, check, heard.first_us, now_us)
        return patched

    def _patch(self, tx: Transaction, check: str, heard: Heard, now_us: int) -> bool:
        """Judge only the time around evidence of long ago; False if its engine has to know of it."""
        engine, settled_us = self._ready(check), tx.settled_us(check)
        if engine is None or settled_us is None or heard.last_us == FOREVER_US:
            return False
        limit_us = min(engine.settled_us, settled_us) - 2 * self._policies.margin_us(tx, check)
        patch = patch_of(tx, check, engine.revisions, heard, limit_us)
        if patch is None:
            return False
        self._intervals.patch(tx, check, patch)
        tx.forget_carried(check, patch.from_us, patch.to_us)
        gone = gone_from(self._outages.of(tx, check), patch.outages, patch.from_us, patch.to_us)
        self._outages.write(tx, check, Changes(patch.from_us, (), patch.outages, gone), now_us)
        return True

    def _is_late(self, tx: Transaction, check: str, at_us: int) -> bool:
        """It takes reading further back than the check's engine, or one that is made now, would reach."""
        if at_us == FOREVER_US or self._ready(check) is not None:
            return at_us < FOREVER_US
        settled_us = tx.settled_us(check)
        return settled_us is not None and at_us - self._policies.margin_us(tx, check) < settled_us

    def is_behind(self, check: str) -> bool:
        """Evidence of the check is stored that was not judged yet."""
        return check in self._behind

    def catch_up(self, now_us: int) -> bool:
        """Judge one check that is behind its evidence; False if none is due."""
        check = self._behind.due(now_us)
        if check is None:
            return False
        with self.transaction() as tx:
            self._outages.arrivals = Arrivals(Cause.BACKLOG)
            self._judge_anew(tx, check, self._behind.since_us(check), now_us)
            self._behind.discard(check)
            # A week of evidence need not stay in memory.
            self._settle(tx, check)
        return True

    def _absorb_rounds(
        self,
        tx: Transaction,
        agent: str,
        rounds: Sequence[AnchorRound],
        checks: Iterable[str],
        touched: dict[str, CheckEngine],
        anew: dict[str, Heard],
    ) -> None:
        """Give anchor rounds of an agent to its checks; where they reach too far back, storage decides."""
        refused: list[str] = []
        for check in checks:
            left = rounds
            if (rest := self._engines.resting(check)) is not None:
                self._fed.add(check)
                left = list(dropwhile(rest.took_anchor, rounds))
                if not left:
                    continue
            engine = self._ready(check)
            # All of them are taken: an engine that refuses one is made anew, or loses nothing.
            taken = [engine.insert_anchor(one) for one in left] if engine else [False]
            if engine is not None:
                touched[check] = engine
            else:
                anew.setdefault(check, Heard(FOREVER_US))
            if not all(taken):
                refused.append(check)
        changed_us = changed_trouble_us(tx, agent, rounds) if refused else None
        if changed_us is not None:
            for check in refused:
                anew[check] = Heard(changed_us).and_(anew.get(check))

    def revise(self, tx: Transaction, checks: Sequence[str], now_us: int) -> None:
        """Judge these checks by the revisions that `tx` holds now."""
        self._policies.forget()
        self._outages.arrivals = Arrivals(Cause.DEFINITION)
        for check in checks:
            policies = self._policies.known(tx)[check]
            engine = self._ready(check)
            if engine is None or not engine.revise(policies):
                self._judge_anew(tx, check, policies[-1].effective_us, now_us)
            elif changes := engine.drain():
                self._write(tx, check, engine, changes, now_us)

    def standing(self, tx: Transaction, check: str, now_us: int) -> Standing:
        """What the check is at `now_us`."""
        engine = self._engine(tx, check)
        recent = engine.segments(max(engine.settled_us, START_US), now_us + 1, FOREVER_US)
        if not recent:
            return Standing("UNKNOWN", None, {})
        verdict = recent[-1].verdict
        other = next((one for one in reversed(recent) if one.verdict is not verdict), None)
        since_us = (
            tx.other_verdict_us(check, verdict.value, recent[0].from_us)
            if other is None
            else other.to_us
        )
        return Standing(verdict.value, since_us, engine.labels(now_us))

    def segments(
        self, tx: Transaction, check: str, from_us: int, to_us: int, horizon_us: int
    ) -> Sequence[Segment]:
        """The part of the timeline that is in memory, with votes and bounds."""
        return self._engine(tx, check).segments(from_us, to_us, horizon_us)

    def outages(self, tx: Transaction, check: str, horizon_us: int) -> Sequence[Outage]:
        """The outages in memory as seen from the horizon, of single regions too: an open one goes on until there."""
        engine = self._engine(tx, check)
        return [*engine.outages(horizon_us), *engine.regional_outages(horizon_us)]

    def intervals(
        self, tx: Transaction, check: str, from_us: int, to_us: int, horizon_us: int
    ) -> Sequence[StoredInterval]:
        """The verdicts over [from_us, to_us), cut at the horizon: stored ones, then an engine's.

        Nothing is used that is later than the horizon, however long ago that is (S-21).
        """
        end_us = min(to_us, horizon_us)
        engine, horizon_us = self._seen(tx, check, end_us, horizon_us)
        before_us = min(engine.settled_us, end_us)
        old = tx.intervals(check, from_us, before_us) if from_us < before_us else ()
        found = [cut(one, max(one.from_us, from_us), min(one.to_us, before_us)) for one in old]
        tail = engine.segments(max(from_us, engine.settled_us), end_us, horizon_us)
        return merged([*found, *stored(check, tail)])

    def spans(
        self, tx: Transaction, check: str, from_us: int, to_us: int, horizon_us: int
    ) -> Sequence[tuple[int, int | None]]:
        """Outages that began in [from_us, to_us), seen as `intervals` are: when, and until when."""
        end_us = min(to_us, horizon_us)
        engine, horizon_us = self._seen(tx, check, end_us, horizon_us)
        rows = tx.outages(check, from_us, end_us)
        found = [(o.started_us, o.ended_us) for o in rows if o.started_us < engine.settled_us]
        found += [(o.span.started_us, o.span.ended_us) for o in engine.outages(horizon_us)]
        return sorted((s for s in found if from_us <= s[0] < end_us), key=lambda span: span[0])

    def _seen(
        self, tx: Transaction, check: str, end_us: int, horizon_us: int
    ) -> tuple[CheckEngine, int]:
        """An engine that says what was seen of the time before `end_us`, and the horizon to ask it with.

        Before its settled instant, what is stored says the same.
        """
        engine = self._engine(tx, check)
        if horizon_us >= engine.latest_us:
            return engine, horizon_us
        history = History(tx, check, self._policies.known(tx)[check], horizon_us)
        certain_us = history.certain_us()
        if end_us <= certain_us:
            return engine, FOREVER_US
        if engine.settled_us <= certain_us:
            return engine, horizon_us
        return history.engine(certain_us).engine, horizon_us

    def settle(self) -> None:
        """Write what is older than a quarter of an hour or so for good, and let the engines forget it."""
        with self.transaction() as tx:
            for check in self._engines:
                rest = self._engines.resting(check)
                is_due = rest is None or rest.newest_us - rest.settled_us > _RESTING_US
                if check not in self._unwritten and is_due:
                    self._settle(tx, check)

    def _settle(self, tx: Transaction, check: str) -> None:
        engine = self._ready(check)
        if engine is None or engine.newest_us is None or check in self._behind:
            return
        before_us = engine.settled_us
        kept_us = max(_KEPT_US, _KEPT_MARGINS * self._policies.margin_us(tx, check))
        if engine.newest_us - kept_us > before_us and engine.latest_us >= START_US:
            self._intervals.write(tx, check, engine, before_us)
            settled_us = engine.settle(engine.newest_us - kept_us)
            if settled_us > max(before_us, START_US):
                tx.put_settled(check, settled_us)
                if engine.carried is not None:
                    keep_carried(tx, check, settled_us, engine.carried)
        self._engines.rest(check)

    def _unsettle(self, tx: Transaction, check: str, at_us: int) -> None:
        """Something at `at_us` changed: what is stored is complete only until before that."""
        settled_us = tx.settled_us(check)
        before_us = at_us - self._policies.margin_us(tx, check)
        if settled_us is not None and before_us < settled_us:
            tx.put_settled(check, before_us if before_us > START_US else None)
            tx.forget_carried(check, before_us + 1, FOREVER_US)

    def _ready(self, check: str) -> CheckEngine | None:
        """The engine of a check, about to be fed; None if there is none whose words are all written."""
        self._fed.add(check)
        return None if check in self._unwritten else self._engines.awake(check)

    def _engine(self, tx: Transaction, check: str) -> CheckEngine:
        """The engine of a check, to be asked; made from storage if there is none."""
        engine = self._engines.seen(check)
        if engine is None:
            engine = History(tx, check, self._policies.known(tx)[check]).engine(FOREVER_US).engine
            self._engines.put(check, engine)
            self._unwritten.add(check)
        return engine

    def _advance(self, tx: Transaction, check: str, now_us: int) -> None:
        if (rest := self._engines.resting(check)) is not None and rest.goes_on(now_us):
            return
        engine = self._ready(check)
        if engine is None:
            self._judge_anew(tx, check, FOREVER_US, now_us)
        elif changes := engine.drain(now_us):
            self._write(tx, check, engine, changes, now_us)
        if engine is not None:
            self._outages.confirm(tx, check, engine, now_us)

    def _judge_anew(self, tx: Transaction, check: str, at_us: int, now_us: int) -> None:
        """Make an engine from storage that reaches back before `at_us`, and write all that it says."""
        self._fed.add(check)
        if at_us < FOREVER_US:
            self._unsettle(tx, check, at_us)
        built = History(tx, check, self._policies.known(tx)[check]).engine(at_us, now_us)
        self._engines.put(check, engine := built.engine)
        # It takes what is older than the mark without more ado, so the mark must not be later.
        self._unsettle(tx, check, engine.settled_us + self._policies.margin_us(tx, check))
        self._intervals.forget(check)
        from_us = max(engine.settled_us, START_US)
        gone = gone_from(self._outages.of(tx, check), built.outages, from_us, FOREVER_US)
        self._write(tx, check, engine, Changes(from_us, (), built.outages, gone), now_us)
        self._unwritten.discard(check)

    def _write(
        self, tx: Transaction, check: str, engine: CheckEngine, changes: Changes, now_us: int
    ) -> None:
        if changes.from_us is not None:
            self._intervals.write(tx, check, engine, changes.from_us)
        if changes.tells_of_outages:
            self._outages.write(tx, check, changes, now_us)
