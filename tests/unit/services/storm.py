"""Agents and targets in virtual time, around the real schedule, turns, confirmation and engines.

Slots come as agents run them, orders are followed after a moment, anchors go round as agents have them, and what is
seen is judged by an engine for each check. Nothing waits.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from controller.core.confirmation import Confirmation
from controller.core.engine import CheckEngine
from controller.core.policy import Policy, always
from controller.core.posts import Plan, Post
from controller.core.samples import AnchorRound, Sample
from controller.services.results.turns import Turns
from vedette.shared.identity import ANCHORS
from vedette.shared.limits import ANCHOR_APART_US_MIN
from vedette.shared.result import Outcome
from vedette.shared.slots import Cadence, cadence_of, slot_at, slot_start_us

SECOND = 1_000_000
START = 1_750_000_000 * SECOND
REGIONS = ("fra", "nyc", "sin")
INTERVAL_US = 60 * SECOND
ANCHOR_INTERVAL_US = 20 * SECOND
# From an agent to the controller, or back.
WAY_US = 20_000
# What comes within so long is committed together.
COMMIT_US = 50_000


@dataclass
class Weather:
    """What fails: `target(check, now_us)` for everybody, `network(agent, now_us)` takes everything with it."""

    target: Callable[[str, int], bool] = lambda *_: False
    network: Callable[[str, int], bool] = lambda *_: False


@dataclass
class Storm:
    """The world. `orders` is (when, agent, check), `opened` when the outage of each check was known."""

    weather: Weather
    checks: int
    has_anchors: bool = True
    now_us: int = START
    orders: list[tuple[int, str, str]] = field(default_factory=list)
    rounds: list[tuple[int, str, bool]] = field(default_factory=list)
    opened: dict[str, int] = field(default_factory=dict)
    runs: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.names = [f"check-{n}" for n in range(self.checks)]
        self._engines = {name: CheckEngine(always(_policy(name))) for name in self.names}
        self._turns = Turns(lambda _: INTERVAL_US + 10 * SECOND)
        self._posts = {f"{region}-1": Post(region) for region in REGIONS}
        self._seqs = {agent: itertools.count(1) for agent in self._posts}
        self._events: list[tuple[int, int, str, str]] = []
        self._serial = itertools.count()
        self._next_round_us: dict[str, int] = {}
        self._inbox: list[Sample | AnchorRound] = []
        self._out: set[str] = set()
        self._told: frozenset[str] = frozenset()
        self._at_us = self.now_us
        self._last_round_us: dict[str, int] = {}
        self.confirmation = Confirmation()
        self.confirmation.adopt({name: _plan(name) for name in self.names})
        self.confirmation.post(self._posts, self.now_us)
        for agent, post in self._posts.items():
            self._round(agent)
            for name in self.names:
                cadence = _cadence(name, post.region)
                at_us = slot_start_us(cadence, slot_at(cadence, self.now_us) + 1)
                self._push(at_us, "slot", f"{agent} {name}")

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end_us = self.now_us + int(seconds * SECOND)
        while self.now_us < end_us:
            self.now_us += COMMIT_US
            for kind, what in self._due():
                getattr(self, f"_on_{kind}")(what)
            self._commit()
            self._give_orders()

    @property
    def out(self) -> set[str]:
        """The checks that have an open outage."""
        return self._out

    # --- agents

    def _on_slot(self, what: str) -> None:
        agent, name = what.split()
        self._probe(agent, name)
        self._push(self._at_us + INTERVAL_US, "slot", what)

    def _on_order(self, what: str) -> None:
        self._probe(*what.split())

    def _on_round(self, agent: str) -> None:
        if self._next_round_us.get(agent) == self._at_us:
            self._round(agent)

    def _probe(self, agent: str, name: str) -> None:
        at_us = self._at_us
        is_down = self.weather.network(agent, at_us) or self.weather.target(name, at_us)
        outcome = Outcome.DOWN if is_down else Outcome.UP
        region, seq = self._posts[agent].region, next(self._seqs[agent])
        self.runs[agent] += 1
        self._inbox.append(Sample(agent, "e", "shop", seq, name, region, at_us, outcome))
        if is_down and self.has_anchors:
            self._round_from(agent, at_us)

    def _round(self, agent: str) -> None:
        """One round of anchors now, and the next an interval later."""
        if not self.has_anchors:
            return
        at_us = self._at_us
        is_bad = self.weather.network(agent, at_us)
        seq = next(self._seqs[agent])
        self.rounds.append((at_us, agent, not is_bad))
        self._inbox.append(AnchorRound(agent, "e", ANCHORS, seq, at_us, 0 if is_bad else 3, 3))
        self._next_round_us[agent] = at_us
        self._last_round_us[agent] = at_us
        self._round_from(agent, at_us + ANCHOR_INTERVAL_US, is_first=True)

    def _round_from(self, agent: str, at_us: int, *, is_first: bool = False) -> None:
        """Have the next round then, or sooner; rounds stay a little apart."""
        at_us = max(at_us, self._last_round_us[agent] + ANCHOR_APART_US_MIN)
        if is_first or at_us < self._next_round_us[agent]:
            self._next_round_us[agent] = at_us
            self._push(at_us, "round", agent)

    # --- the controller

    def _commit(self) -> None:
        heard, self._inbox = self._inbox, []
        samples = sorted((one for one in heard if isinstance(one, Sample)), key=lambda s: s.at_us)
        rounds = [("", one) for one in heard if isinstance(one, AnchorRound)]
        for name in {one.check for one in samples}:
            engine = self._engines[name]
            for _, one in rounds:
                engine.insert_anchor(one)
            for sample in (one for one in samples if one.check == name):
                engine.insert(sample)
            if any(one.span.ended_us is None for one in engine.outages(self.now_us)):
                self._out.add(name)
                self.opened.setdefault(name, self.now_us)
            else:
                self._out.discard(name)
        news = self._turns.news(samples, rounds, self.now_us)
        self.confirmation.saw(news.turns, news.rounds, self.now_us)
        if self._out != self._told:
            self._told = frozenset(self._out)
            self.confirmation.opened(self._told, frozenset(), self.now_us)

    def _give_orders(self) -> None:
        for agent, names in self.confirmation.orders(self.now_us).items():
            for name in names:
                self.orders.append((self.now_us, agent, name))
                self._push(self.now_us + WAY_US, "order", f"{agent} {name}")

    # --- time

    def _push(self, at_us: int, kind: str, what: str) -> None:
        heapq.heappush(self._events, (at_us, next(self._serial), kind, what))

    def _due(self) -> Iterator[tuple[str, str]]:
        """What happens until now less the way to the controller, in order; `_at_us` is when it does."""
        while self._events and self._events[0][0] <= self.now_us - WAY_US:
            self._at_us, _, kind, what = heapq.heappop(self._events)
            yield kind, what


def _cadence(name: str, region: str) -> Cadence:
    return cadence_of(name, INTERVAL_US, region, REGIONS)


def _policy(name: str) -> Policy:
    return Policy(name, "r1", REGIONS, freshness_us=150 * SECOND, min_evidence=2)


def _plan(name: str) -> Plan:
    return Plan(name, "r1", REGIONS, frozenset(), INTERVAL_US, 15 * SECOND, 2, 2)
