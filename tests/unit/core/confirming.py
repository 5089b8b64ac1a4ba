"""A confirmation in virtual time: three agents, one check, and what was asked of whom when."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from controller.core.confirmation import Confirmation
from controller.core.posts import Plan, Post
from controller.core.samples import AnchorRound
from controller.core.suspicion import Turn

SECOND = 1_000_000
START = 1_750_000_000 * SECOND
REGIONS = ("fra", "nyc", "sin")
AGENTS = {f"{region}-1": Post(region) for region in REGIONS}
PLAN = Plan("home", "r1", REGIONS, frozenset(), 60 * SECOND, 15 * SECOND, 2, 2)


@dataclass
class World:
    """A confirmation and its clock; `asked` is (seconds since the start, agent, check)."""

    confirmation: Confirmation = field(default_factory=Confirmation)
    now_us: int = START
    asked: list[tuple[float, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.confirmation.adopt({"home": PLAN})
        self.confirmation.post(AGENTS, self.now_us)

    @property
    def seconds(self) -> float:
        return (self.now_us - START) / SECOND

    def says(self, agent: str, *, is_failure: bool, check: str = "home", took: float = 0) -> None:
        region = agent.split("-", maxsplit=1)[0]
        at_us = self.now_us - int(took * SECOND)
        turn = Turn(check, region, agent, is_failure, at_us, self.now_us)
        self.confirmation.saw([turn], [], self.now_us)

    def fails(self, agent: str = "fra-1", check: str = "home", took: float = 0) -> None:
        self.says(agent, is_failure=True, check=check, took=took)

    def works(self, agent: str = "fra-1", check: str = "home") -> None:
        self.says(agent, is_failure=False, check=check)

    def anchors(self, agent: str, *, is_good: bool) -> None:
        one = AnchorRound(agent, "e", "@anchors", 1, self.now_us, 3 if is_good else 0, 3)
        self.confirmation.saw([], [one], self.now_us)

    def out(self, *checks: str, regional: Iterable[tuple[str, str]] = ()) -> None:
        self.confirmation.opened(frozenset(checks), frozenset(regional), self.now_us)

    def until(self, seconds: float) -> list[tuple[float, str, str]]:
        """Let time pass, giving orders whenever it says so; what was asked meanwhile."""
        end_us = START + int(seconds * SECOND)
        before = len(self.asked)
        while True:
            for agent, checks in sorted(self.confirmation.orders(self.now_us).items()):
                self.asked += [(self.seconds, agent, check) for check in checks]
            next_us = self.confirmation.next_us(self.now_us)
            if next_us is None or next_us > end_us:
                break
            assert next_us > self.now_us, "it would be called for ever"
            self.now_us = next_us
        self.now_us = end_us
        return self.asked[before:]


def looks(asked: Iterable[tuple[float, str, str]]) -> dict[str, list[float]]:
    """When each agent was asked, in seconds since the start."""
    found: dict[str, list[float]] = {}
    for seconds, agent, _ in asked:
        found.setdefault(agent, []).append(seconds)
    return found
