"""Laws of confirm now: whatever is heard in whatever order, nobody is asked too often, or in vain, or for ever."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from controller.core.confirmation import Confirmation
from controller.core.posts import Plan, Post
from controller.core.quota import Rate
from controller.core.samples import AnchorRound
from controller.core.suspicion import Turn
from controller.core.wishes import Wishes
from vedette.shared.limits import CONFIRM_APART_US

SECOND = 1_000_000
START = 1_750_000_000 * SECOND
REGIONS = ("fra", "nyc")
AGENTS = ("fra-1", "fra-2", "nyc-1")
CHECKS = tuple(f"c{n}" for n in range(8))
AGENT_RATE, TOTAL_RATE = Rate(2, 3), Rate(4, 5)
EDGE = frozenset({("at", "edge")})

checks = st.sampled_from(CHECKS)
agents = st.sampled_from(AGENTS)
plans = st.builds(
    lambda interval, fail, recover, labels: Plan(
        "", "", REGIONS, labels, interval * SECOND, max(interval // 4, 5) * SECOND, fail, recover
    ),
    interval=st.sampled_from([20, 60, 300]),
    fail=st.integers(1, 4),
    recover=st.integers(1, 4),
    labels=st.sampled_from([frozenset(), EDGE]),
)


def region_of(agent: str) -> str:
    return agent.split("-", maxsplit=1)[0]


class Confirming(RuleBasedStateMachine):
    """Tells a confirmation anything, and looks at what it orders."""

    @initialize(found=st.lists(plans, min_size=len(CHECKS), max_size=len(CHECKS)))
    def begin(self, found: list[Plan]) -> None:
        self.confirmation = Confirmation(Wishes(AGENT_RATE, TOTAL_RATE))
        self.now_us = START
        self.plans: dict[str, Plan] = {}
        self.posts: dict[str, Post] = {}
        self.out: set[str] = set()
        self.regional: set[tuple[str, str]] = set()
        self.in_trouble: set[str] = set()
        self.asked: dict[tuple[str, str, str], int] = {}
        self.times: dict[str, list[int]] = {agent: [] for agent in AGENTS}
        self.revision = 0
        self.apply(dict(zip(CHECKS, found, strict=True)))
        self.connect(list(AGENTS), [])

    @rule(changed=st.dictionaries(checks, plans, max_size=3), retired=st.sets(checks, max_size=2))
    def apply(self, changed: dict[str, Plan], retired: frozenset[str] = frozenset()) -> None:
        self.revision += 1
        self.plans = {c: p for c, p in self.plans.items() if c not in retired}
        for check, one in changed.items():
            revision = f"r{self.revision}"
            self.plans[check] = Plan(
                check, revision, one.regions, one.labels, one.interval_us,
                one.outage_interval_us, one.fail_after, one.recover_after,
            )  # fmt: skip
        self.confirmation.adopt(dict(self.plans))
        self.tell_outages()

    @rule(connected=st.lists(agents, unique=True), edge=st.lists(agents, unique=True))
    def connect(self, connected: list[str], edge: list[str]) -> None:
        self.posts = {
            agent: Post(region_of(agent), EDGE if agent in edge else frozenset(), place)
            for place, agent in enumerate(connected)
        }
        self.confirmation.post(self.posts, self.now_us)

    @rule(
        out=st.sets(checks),
        regional=st.sets(st.tuples(checks, st.sampled_from(REGIONS)), max_size=3),
    )
    def learn(self, out: set[str], regional: set[tuple[str, str]]) -> None:
        self.out, self.regional = out, regional
        self.tell_outages()

    def tell_outages(self) -> None:
        self.confirmation.opened(self.out, self.regional, self.now_us)

    @rule(
        said=st.lists(st.tuples(checks, agents, st.booleans(), st.integers(0, 20)), max_size=12),
        rounds=st.lists(st.tuples(agents, st.booleans()), max_size=2, unique_by=lambda one: one[0]),
    )
    def hear(self, said: list[tuple[str, str, bool, int]], rounds: list[tuple[str, bool]]) -> None:
        turns = [
            Turn(c, region_of(a), a, is_failure, self.now_us - took * SECOND, self.now_us)
            for c, a, is_failure, took in said
        ]
        self.now_us += 1  # a round is news if it is later than the one before
        heard = [AnchorRound(a, "e", "@", 1, self.now_us, 3 * good, 3) for a, good in rounds]
        self.confirmation.saw(turns, heard, self.now_us)
        self.in_trouble -= {agent for agent, _ in rounds}
        self.in_trouble |= {agent for agent, good in rounds if not good}

    @rule(steps=st.integers(1, 6), span_us=st.sampled_from([SECOND // 3, 3 * SECOND, 30 * SECOND]))
    def wait(self, steps: int, span_us: int) -> None:
        """Let time pass: to when it says, and at most so far."""
        for _ in range(steps):
            self.take_orders()
            next_us = self.confirmation.next_us(self.now_us)
            assert next_us is None or next_us > self.now_us, "it would be called for ever"
            self.now_us = min(next_us or self.now_us + span_us, self.now_us + span_us)
        self.take_orders()

    @rule()
    def heal(self) -> None:
        """All is well, and stays so."""
        everything = [(check, agent) for check in CHECKS for agent in AGENTS]
        self.hear([], [(agent, True) for agent in AGENTS])
        self.hear([(check, agent, False, 0) for check, agent in everything], [])
        self.learn(set(), set())
        self.wait(40, 30 * SECOND)
        self.now_us += 300 * SECOND
        assert self.confirmation.orders(self.now_us) == {}
        assert len(self.confirmation) == 0

    def take_orders(self) -> None:
        """What is ordered now goes to whom it may, and not too soon after the last time."""
        for agent, named in self.confirmation.orders(self.now_us).items():
            post = self.posts[agent]
            assert agent not in self.in_trouble
            assert max(Counter(named).values()) == 1
            for check in named:
                plan = self.plans[check]
                assert plan.labels <= post.labels
                key = (check, plan.revision, agent)
                last_us = self.asked.get(key)
                assert last_us is None or self.now_us - last_us >= CONFIRM_APART_US
                self.asked[key] = self.now_us
                self.times[agent].append(self.now_us)

    @invariant()
    def the_rates_hold(self) -> None:
        """Over any span no more than a burst and the rate; an agent that came back begins with a burst."""
        times = sorted(at_us for own in getattr(self, "times", {}).values() for at_us in own)
        for first in range(len(times)):
            for last in range(first, len(times)):
                seconds = (times[last] - times[first]) / SECOND
                most = TOTAL_RATE.burst + TOTAL_RATE.per_second * seconds
                assert last - first + 1 <= most + 1e-6


TestConfirming = Confirming.TestCase
TestConfirming.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
