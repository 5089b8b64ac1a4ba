"""Confirm now: which agents are to look at which checks, so that an outage is known in seconds.

When a check begins to fail in any region, every agent of every region of it looks at once, and again a few
seconds apart, as often as the confirmation of a failure needs; when one succeeds again while an outage is open,
as often as that of a recovery needs. Who has just seen it has looked: a second look at the same moment would
confirm no more than a blip. While an outage is open, each agent looks between its slots as well, so that
none is silent for longer than the check's `outage.every`. What the looks find are samples like any other.

Looks are wishes: a storm makes many of them, and only so many are served a second. A failure that may be its
agent's own trouble makes none before the agent's anchors answered.
"""

import heapq
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from controller.core.between_slots import BetweenSlots
from controller.core.posts import Plan, Post, Roster
from controller.core.samples import AnchorRound
from controller.core.suspicion import Suspicion, Turn
from controller.core.wishes import Wish, Wishes
from vedette.shared.limits import CONFIRM_APART_US, CONFIRM_WISH_US_MAX

_NEVER_US: Final = -(1 << 62)
_SWEEP_US: Final = 1_000_000
# Confirming comes before what only tells sooner when an outage ends.
_CONFIRM_RANK: Final = 0
_OUTAGE_RANK: Final = 1


@dataclass(slots=True)
class _Watch:
    """A check that fails somewhere, or is out.

    `is_out` says that it has an open outage, `regional` are the regions with one of their own. `failing` and
    `well` are the agents whose last turn was that; `left` counts the looks of each agent that are still to come,
    for a recovery if `is_recovery`. `begun_us` says when looks last began, for each of both.
    """

    is_out: bool = False
    regional: frozenset[str] = frozenset()
    failing: set[str] = field(default_factory=set)
    well: set[str] = field(default_factory=set)
    left: dict[str, int] = field(default_factory=dict)
    looked_us: dict[str, int] = field(default_factory=dict)
    begun_us: dict[bool, int] = field(default_factory=dict)
    is_recovery: bool = False

    @property
    def is_any_out(self) -> bool:
        """Some outage is open."""
        return self.is_out or bool(self.regional)

    def looks(self, agent: str, at_us: int) -> None:
        """Note a look of an agent."""
        self.looked_us[agent] = max(at_us, self.looked_us.get(agent, _NEVER_US))

    def rests(self, plan: Plan, now_us: int) -> bool:
        """Looks that would begin now have to wait."""
        return any(
            now_us < begun_us + plan.outage_interval_us for begun_us in self.begun_us.values()
        ) or any(now_us < at_us + CONFIRM_APART_US for at_us in self.looked_us.values())

    def is_out_in(self, region: str) -> bool:
        """An outage that is open concerns this region."""
        return self.is_out or region in self.regional


class Confirmation:
    """Who is to look when. Pure: time is an argument, of a clock that never steps and began as the wall clock.

    Tell it the plans in force (`adopt`), who is connected (`post`), what has an open outage (`opened`), and what
    was just heard (`saw`); `orders` then says whom to ask about what, and `next_us` when to call it again. All of
    it may be told anew at any time: after a restart, what is out is looked at as before.
    """

    def __init__(self, wishes: Wishes | None = None) -> None:
        self.suspicion = Suspicion()
        self.wishes = wishes or Wishes()
        self._plans: Mapping[str, Plan] = {}
        self._roster = Roster({})
        self._watches: dict[str, _Watch] = {}
        self._between = BetweenSlots()
        # Looks that begin only then, because others began not long before.
        self._later: list[tuple[int, str, bool]] = []
        self._waiting: set[tuple[str, bool]] = set()
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
        if plans is self._plans:
            return
        for check in list(self._watches):
            if plans.get(check) != self._plans.get(check):
                del self._watches[check]
        self._plans = plans

    def post(self, posts: Mapping[str, Post], now_us: int) -> None:
        """These agents are connected and probe. Who comes while others look is asked like them."""
        if posts == self._roster.posts:
            return
        come = posts.keys() - self._roster.posts.keys()
        self._roster = Roster(dict(posts))
        self.wishes.retain(posts)
        for check, watch in self._watches.items():
            self._look_between_slots(check, watch, now_us)
            if come:
                self._begin_late(check, watch, come, now_us)
                self._join(check, watch, come, now_us)

    def opened(self, out: Set[str], regional: Set[tuple[str, str]], now_us: int) -> None:
        """These checks, and no others, have an open outage, and these regions of checks one of their own."""
        regions: dict[str, set[str]] = {}
        for check, region in regional:
            regions.setdefault(check, set()).add(region)
        named = out | regions.keys()
        for check in [c for c, w in self._watches.items() if w.is_any_out and c not in named]:
            self._is_out_now(check, False, frozenset(), now_us)
        for check in named & self._plans.keys():
            self._is_out_now(check, check in out, frozenset(regions.get(check, ())), now_us)

    def _is_out_now(self, check: str, is_out: bool, regional: frozenset[str], now_us: int) -> None:
        watch = self._watches.get(check) or self._watches.setdefault(check, _Watch())
        was_out = watch.is_out
        if (was_out, watch.regional) == (is_out, regional):
            return
        watch.is_out, watch.regional = is_out, regional
        if watch.is_any_out:
            self._look_between_slots(check, watch, now_us)
        else:
            watch.well.clear()
        if was_out and not is_out:
            self._begin(check, now_us, is_recovery=False)

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
            self._watches[wish.check].looks(agent, now_us)
            if wish.rank == _CONFIRM_RANK:
                self._count(wish.check, agent, now_us)
        return orders

    def next_us(self, now_us: int) -> int | None:
        """When `orders` may say something again, if nothing is told before; None: never."""
        found = [self.wishes.next_us(now_us, self._reachable()), self._between.next_us()]
        found.append(self._later[0][0] if self._later else None)
        return min((at_us for at_us in found if at_us is not None), default=None)

    def _reachable(self) -> list[str]:
        """What an agent in trouble would see is void: it is not asked."""
        return [a for a in self._roster.posts if not self.suspicion.is_in_trouble(a)]

    def _silence(self, agent: str) -> None:
        """What this agent said counts for nothing."""
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
        watch.looks(turn.agent, min(turn.at_us, now_us))
        self._begin(turn.check, now_us, is_recovery=False)

    def _works_again(self, turn: Turn, now_us: int) -> None:
        self.suspicion.withdraw(turn)
        watch = self._watches.get(turn.check)
        if watch is None or self.suspicion.is_in_trouble(turn.agent):
            return
        watch.failing.discard(turn.agent)
        if watch.is_out_in(turn.region):
            watch.well.add(turn.agent)
            watch.looks(turn.agent, min(turn.at_us, now_us))
            self._begin(turn.check, now_us, is_recovery=True)

    # --- confirming looks

    def _begin(self, check: str, now_us: int, *, is_recovery: bool) -> None:
        """Have everybody look whom it concerns, if there is a reason to; but no more often than in an outage."""
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
        watch.left.clear()
        looks = plan.recover_after if is_recovery else plan.fail_after
        for agent in self._roster.agents_of(plan):
            if is_recovery and not watch.is_out_in(self._roster.posts[agent].region):
                continue
            has_looked = agent in (watch.well if is_recovery else watch.failing) and (
                now_us < watch.looked_us.get(agent, _NEVER_US) + CONFIRM_APART_US
            )
            if looks > has_looked:
                watch.left[agent] = looks - has_looked
                self._wish(check, agent, now_us)

    def _begin_late(self, check: str, watch: _Watch, come: Set[str], now_us: int) -> None:
        """Begin looks for which one of these agents is the reason: its result came before it was told of."""
        for agents, is_recovery in ((watch.failing, False), (watch.well, True)):
            if not come.isdisjoint(agents) and is_recovery not in watch.begun_us:
                self._begin(check, now_us, is_recovery=is_recovery)

    def _join(self, check: str, watch: _Watch, come: Set[str], now_us: int) -> None:
        """Have these agents look too, where looks began a moment ago: it is told late who is connected."""
        plan, begun_us = self._plans[check], watch.begun_us.get(watch.is_recovery, _NEVER_US)
        is_late = now_us >= begun_us + plan.outage_interval_us
        if is_late or not self._has_reason(watch, is_recovery=watch.is_recovery):
            return
        for agent in self._roster.agents_of(plan):
            is_concerned = not watch.is_recovery or watch.is_out_in(
                self._roster.posts[agent].region
            )
            if agent in come and agent not in watch.left and is_concerned:
                watch.left[agent] = plan.recover_after if watch.is_recovery else plan.fail_after
                self._wish(check, agent, now_us)

    def _has_reason(self, watch: _Watch, *, is_recovery: bool) -> bool:
        """Somebody still sees what the looks are to confirm, and it is not known yet."""
        if is_recovery:
            return any(agent in self._roster for agent in watch.well)
        return not watch.is_out and any(agent in self._roster for agent in watch.failing)

    def _wish(self, check: str, agent: str, now_us: int) -> None:
        """One more confirming look, some seconds after the one before."""
        looked_us = self._watches[check].looked_us.get(agent, _NEVER_US)
        due_us = max(now_us, looked_us + CONFIRM_APART_US)
        until_us = due_us + min(self._plans[check].interval_us, CONFIRM_WISH_US_MAX)
        self.wishes.put(agent, Wish(_CONFIRM_RANK, due_us, check, due_us, until_us), now_us)

    def _count(self, check: str, agent: str, now_us: int) -> None:
        """A confirming look was asked for: wish for the next, if there is to be one."""
        left = self._watches[check].left
        left[agent] -= 1
        if left[agent]:
            self._wish(check, agent, now_us)
        else:
            del left[agent]

    def _is_wanted(self, agent: str, wish: Wish) -> bool:
        plan, watch = self._plans.get(wish.check), self._watches.get(wish.check)
        if plan is None or watch is None or not self._roster.probes(agent, plan):
            return False
        if wish.rank == _OUTAGE_RANK:
            return watch.is_out_in(self._roster.posts[agent].region)
        if agent not in watch.left:
            return False
        # An outage that opened while its regions look is not to keep the last of them from saying so.
        is_last_word = watch.is_out and not watch.is_recovery and bool(watch.failing)
        if is_last_word or self._has_reason(watch, is_recovery=watch.is_recovery):
            return True
        del watch.left[agent]
        return False

    # --- between slots, while an outage is open

    def _look_between_slots(self, check: str, watch: _Watch, after_us: int) -> None:
        plan = self._plans[check]
        for agent in self._roster.agents_of(plan):
            post = self._roster.posts[agent]
            if watch.is_out_in(post.region):
                self._between.add(plan, agent, post, after_us)

    def _wish_between_slots(self, now_us: int) -> None:
        for look in self._between.due(now_us):
            plan, watch = self._plans.get(look.check), self._watches.get(look.check)
            if plan is None or watch is None or not self._roster.probes(look.agent, plan):
                continue
            post = self._roster.posts[look.agent]
            if not watch.is_out_in(post.region):
                continue
            self._between.add(plan, look.agent, post, max(look.at_us, now_us))
            looked_us = watch.looked_us.get(look.agent, _NEVER_US)
            if plan.revision == look.revision and now_us >= looked_us + CONFIRM_APART_US:
                # Where there are more of them than can be served, each check has its turn.
                until_us = look.at_us + plan.outage_interval_us
                wish = Wish(_OUTAGE_RANK, looked_us, look.check, look.at_us, until_us)
                self.wishes.put(look.agent, wish, now_us)

    def _sweep(self, now_us: int) -> None:
        """Forget checks that nothing is wrong with any more."""
        if now_us < self._swept_us + _SWEEP_US:
            return
        self._swept_us = now_us
        for check, watch in list(self._watches.items()):
            is_wrong = watch.is_any_out or bool(watch.failing)
            if not is_wrong and not watch.rests(self._plans[check], now_us):
                del self._watches[check]
