"""Confirm now: which agents are to look at which checks, so that an outage is known in seconds.

When a check begins to fail in any region, every agent of every region of it looks at once, and again a few
seconds apart, as often as the confirmation of a failure needs; when one succeeds again while an outage is open,
as often as that of a recovery needs. While an outage is open, each agent looks between its slots as well, so that
none is longer silent than the check's `outage.every`. What the looks find are samples like any other.

Looks are wishes: a storm makes many of them, and only so many are served a second. A failure that may be its
agent's own trouble makes none before the agent's anchors answered.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from controller.core.samples import AnchorRound
from controller.core.suspicion import Suspicion, Turn
from controller.core.wishes import Wish, Wishes
from vedette.shared.definitions import Check
from vedette.shared.limits import CONFIRM_APART_US, CONFIRM_WISH_US_MAX
from vedette.shared.slots import Cadence, cadence_of, slot_at, slot_start_us

_NEVER_US: Final = -(1 << 62)
_SWEEP_US: Final = 1_000_000
# Confirming comes before what only tells sooner when an outage ends.
_CONFIRM_RANK: Final = 0
_OUTAGE_RANK: Final = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a check decides who looks at it, and when."""

    check: str
    revision: str
    regions: tuple[str, ...]
    labels: frozenset[tuple[str, str]]
    interval_us: int
    outage_interval_us: int
    fail_after: int
    recover_after: int


@dataclass(frozen=True, slots=True)
class Post:
    """A connected agent that is to probe: where, with which labels, and its place in the region."""

    region: str
    labels: frozenset[tuple[str, str]] = frozenset()
    place: int = 0


def plan_of(check: Check, revision: str) -> Plan:
    """The plan of a check as it is in force. Its regions must be written out."""
    assert isinstance(check.regions, list), "a fleet file writes regions out"
    return Plan(
        check=check.id,
        revision=revision,
        regions=tuple(check.regions),
        labels=frozenset(check.agents.items()),
        interval_us=check.interval_us,
        outage_interval_us=check.outage_interval_us,
        fail_after=check.quorum.fail_after,
        recover_after=check.quorum.recover_after,
    )


def look_between_slots_us(cadence: Cadence, outage_interval_us: int, after_us: int) -> int | None:
    """The next instant after `after_us` at which an agent of this cadence looks, besides its slots, in an outage.

    Counted from its last slot, so that slots and looks together are evenly spread; None if the slots suffice.
    """
    if outage_interval_us >= cadence.interval_us:
        return None
    start_us = slot_start_us(cadence, slot_at(cadence, after_us))
    look_us = start_us + ((after_us - start_us) // outage_interval_us + 1) * outage_interval_us
    end_us = start_us + cadence.interval_us
    return look_us if look_us < end_us else end_us + outage_interval_us


@dataclass(slots=True)
class _Watch:
    """A check that fails somewhere, or is out.

    `failing` and `well` are the agents whose last turn was that; `left` counts the looks of each agent that
    are still to come, for a recovery if `is_recovery`. `begun_us` says when looks last began, for each of both.
    """

    failing: set[str] = field(default_factory=set)
    well: set[str] = field(default_factory=set)
    left: dict[str, int] = field(default_factory=dict)
    asked_us: dict[str, int] = field(default_factory=dict)
    begun_us: dict[bool, int] = field(default_factory=dict)
    is_recovery: bool = False
    is_out: bool = False


class Confirmation:
    """Who is to look when. Pure: time is an argument, of a clock that never steps and began as the wall clock.

    Tell it the plans in force (`adopt`), who is connected (`post`), which checks have an open outage (`opened`),
    and what was just heard (`saw`); `orders` then says whom to ask about what, and `next_us` when to call it again.
    All of it may be told anew at any time: after a restart, open outages are looked at as before.
    """

    def __init__(self, wishes: Wishes | None = None) -> None:
        self.suspicion = Suspicion()
        self.wishes = wishes or Wishes()
        self._plans: Mapping[str, Plan] = {}
        self._posts: Mapping[str, Post] = {}
        self._by_region: dict[str, list[str]] = {}
        self._watches: dict[str, _Watch] = {}
        # Looks that begin only then, because others began not long before.
        self._later: list[tuple[int, str, bool]] = []
        self._waiting: set[tuple[str, bool]] = set()
        self._grid: list[tuple[int, str, str, str]] = []
        self._on_grid: set[tuple[str, str]] = set()
        self._swept_us = _NEVER_US

    def __len__(self) -> int:
        """How many checks are watched."""
        return len(self._watches)

    def knows(self, check: str) -> bool:
        """There is a plan of this check."""
        return check in self._plans

    # --- what is told

    def adopt(self, plans: Mapping[str, Plan]) -> None:
        """These checks are in force. What is retired or was changed is not looked at any more."""
        for check in list(self._watches):
            if check not in plans or plans[check] != self._plans.get(check):
                del self._watches[check]
        self._plans = plans
        self._on_grid = {key for key in self._on_grid if key[0] in self._watches}
        self._grid = [one for one in self._grid if (one[1], one[2]) in self._on_grid]
        heapq.heapify(self._grid)

    def post(self, posts: Mapping[str, Post], now_us: int) -> None:
        """These agents are connected and probe. Who comes within an outage is asked like the others."""
        if posts == self._posts:
            return
        self._posts = dict(posts)
        self._by_region = {}
        for agent, one in sorted(posts.items()):
            self._by_region.setdefault(one.region, []).append(agent)
        self.wishes.retain(posts)
        for check, watch in self._watches.items():
            if watch.is_out:
                self._put_on_grid(check, now_us)

    def opened(self, checks: Set[str], now_us: int) -> None:
        """These checks, and no others, have an open outage."""
        for check in [check for check, watch in self._watches.items() if watch.is_out]:
            if check not in checks:
                watch = self._watches[check]
                watch.is_out = False
                watch.well.clear()
                self._begin(check, now_us, is_recovery=False)
        for check in checks:
            if check in self._plans:
                watch = self._watches.setdefault(check, _Watch())
                if not watch.is_out:
                    watch.is_out = True
                    self._put_on_grid(check, now_us)

    def saw(self, turns: Iterable[Turn], rounds: Iterable[AnchorRound], now_us: int) -> None:
        """This was just heard from agents: their turns in order of time, and rounds of their anchors."""
        believed: list[Turn] = []
        for anchor in sorted(rounds, key=lambda one: one.at_us):
            believed += self.suspicion.heard(anchor, now_us)
            if self.suspicion.is_in_trouble(anchor.agent):
                self._silence(anchor.agent)
        last = {(one.check, one.agent): one for one in turns}
        failed: dict[str, list[Turn]] = {}
        for turn in last.values():
            if turn.is_failure:
                failed.setdefault(turn.agent, []).append(turn)
            else:
                self._works_again(turn, now_us)
        for agent, own in failed.items():
            believed += self.suspicion.judged(agent, own, now_us)
        for turn in believed:
            self._fails(turn, now_us)

    # --- what follows

    def orders(self, now_us: int) -> dict[str, list[str]]:
        """The agents to ask now, and about which checks."""
        self._sweep(now_us)
        while self._later and self._later[0][0] <= now_us:
            _, check, is_recovery = heapq.heappop(self._later)
            self._waiting.discard((check, is_recovery))
            self._begin(check, now_us, is_recovery=is_recovery)
        self._wish_between_slots(now_us)
        orders: dict[str, list[str]] = {}
        for agent, wish in self.wishes.take(now_us, self._reachable(), self._is_wanted):
            orders.setdefault(agent, []).append(wish.check)
            watch = self._watches[wish.check]
            watch.asked_us[agent] = now_us
            if wish.rank == _CONFIRM_RANK:
                watch.left[agent] -= 1
                if watch.left[agent]:
                    self._wish(wish.check, agent, now_us)
                else:
                    del watch.left[agent]
        return orders

    def next_us(self, now_us: int) -> int | None:
        """When `orders` may say something again, if nothing is told before; None: never."""
        found = [self.wishes.next_us(now_us, self._reachable())]
        found.append(self._later[0][0] if self._later else None)
        found.append(self._grid[0][0] if self._grid else None)
        return min((at_us for at_us in found if at_us is not None), default=None)

    def _reachable(self) -> list[str]:
        """What an agent in trouble would see is void: it is not asked."""
        return [agent for agent in self._posts if not self.suspicion.is_in_trouble(agent)]

    def _silence(self, agent: str) -> None:
        for watch in self._watches.values():
            watch.failing.discard(agent)
            watch.well.discard(agent)

    def _fails(self, turn: Turn, now_us: int) -> None:
        plan = self._plans.get(turn.check)
        if plan is None or turn.region not in plan.regions:
            return
        watch = self._watches.setdefault(turn.check, _Watch())
        watch.failing.add(turn.agent)
        watch.well.discard(turn.agent)
        if not watch.is_out:
            self._begin(turn.check, now_us, is_recovery=False)

    def _works_again(self, turn: Turn, now_us: int) -> None:
        self.suspicion.withdraw(turn)
        watch = self._watches.get(turn.check)
        if watch is None or self.suspicion.is_in_trouble(turn.agent):
            return
        watch.failing.discard(turn.agent)
        if watch.is_out:
            watch.well.add(turn.agent)
            self._begin(turn.check, now_us, is_recovery=True)

    def _begin(self, check: str, now_us: int, *, is_recovery: bool) -> None:
        """Have everybody look, if there is still a reason to; but no more often than in an outage."""
        plan, watch = self._plans.get(check), self._watches.get(check)
        if plan is None or watch is None or not self._has_reason(watch, is_recovery=is_recovery):
            return
        begun_us = watch.begun_us.get(is_recovery)
        if begun_us is not None and now_us < begun_us + plan.outage_interval_us:
            if (check, is_recovery) not in self._waiting:
                self._waiting.add((check, is_recovery))
                begins_us = begun_us + plan.outage_interval_us
                heapq.heappush(self._later, (begins_us, check, is_recovery))
            return
        watch.begun_us[is_recovery] = now_us
        watch.is_recovery = is_recovery
        looks = plan.recover_after if is_recovery else plan.fail_after
        for agent in self._agents_of(plan):
            watch.left[agent] = looks
            self._wish(check, agent, now_us)

    def _has_reason(self, watch: _Watch, *, is_recovery: bool) -> bool:
        """Somebody still sees what the looks are to confirm."""
        if is_recovery:
            return watch.is_out and any(agent in self._posts for agent in watch.well)
        return not watch.is_out and any(agent in self._posts for agent in watch.failing)

    def _wish(self, check: str, agent: str, now_us: int) -> None:
        """One more confirming look, some seconds after the one before."""
        asked_us = self._watches[check].asked_us.get(agent, _NEVER_US)
        due_us = max(now_us, asked_us + CONFIRM_APART_US)
        until_us = due_us + min(self._plans[check].interval_us, CONFIRM_WISH_US_MAX)
        self.wishes.put(agent, Wish(_CONFIRM_RANK, due_us, check, until_us), now_us)

    def _is_wanted(self, agent: str, wish: Wish) -> bool:
        watch = self._watches.get(wish.check)
        if watch is None:
            return False
        if wish.rank == _OUTAGE_RANK:
            return watch.is_out
        if agent not in watch.left:
            return False
        # An outage that opened while its regions look is not to keep the last of them from saying so.
        is_last_word = watch.is_out and not watch.is_recovery and bool(watch.failing)
        if is_last_word or self._has_reason(watch, is_recovery=watch.is_recovery):
            return True
        del watch.left[agent]
        return False

    def _agents_of(self, plan: Plan) -> Sequence[str]:
        """The connected agents that probe a check."""
        return [
            agent
            for region in plan.regions
            for agent in self._by_region.get(region, ())
            if self._probes(agent, plan)
        ]

    def _probes(self, agent: str, plan: Plan) -> bool:
        post = self._posts.get(agent)
        return post is not None and post.region in plan.regions and plan.labels <= post.labels

    # --- between slots, while an outage is open

    def _put_on_grid(self, check: str, now_us: int) -> None:
        plan = self._plans[check]
        for agent in self._agents_of(plan):
            if (check, agent) not in self._on_grid:
                self._push_on_grid(plan, agent, now_us)

    def _push_on_grid(self, plan: Plan, agent: str, now_us: int) -> None:
        post = self._posts[agent]
        cadence = cadence_of(
            plan.check, plan.interval_us, post.region, plan.regions, place=post.place
        )
        look_us = look_between_slots_us(cadence, plan.outage_interval_us, now_us)
        if look_us is not None:
            self._on_grid.add((plan.check, agent))
            heapq.heappush(self._grid, (look_us, plan.check, agent, plan.revision))

    def _wish_between_slots(self, now_us: int) -> None:
        while self._grid and self._grid[0][0] <= now_us:
            look_us, check, agent, revision = heapq.heappop(self._grid)
            self._on_grid.discard((check, agent))
            plan, watch = self._plans.get(check), self._watches.get(check)
            if plan is None or watch is None or not watch.is_out or plan.revision != revision:
                continue
            if not self._probes(agent, plan):
                continue
            self._push_on_grid(plan, agent, max(look_us, now_us))
            if now_us >= watch.asked_us.get(agent, _NEVER_US) + CONFIRM_APART_US:
                until_us = look_us + plan.outage_interval_us
                self.wishes.put(agent, Wish(_OUTAGE_RANK, look_us, check, until_us), now_us)

    def _sweep(self, now_us: int) -> None:
        """Forget checks that nothing is wrong with any more."""
        if now_us < self._swept_us + _SWEEP_US:
            return
        self._swept_us = now_us
        for check, watch in list(self._watches.items()):
            resting_us = self._plans[check].outage_interval_us
            is_resting = any(now_us < begun + resting_us for begun in watch.begun_us.values())
            if not (watch.is_out or watch.failing or is_resting):
                del self._watches[check]
