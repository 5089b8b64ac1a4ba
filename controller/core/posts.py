"""Posts: the agents that are connected, and which of them look at a check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vedette.shared.definitions import Check


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a check in force decides who looks at it, and when."""

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
    """The plan of a check in this revision. Its regions must be written out."""
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


class Roster:
    """Agents by region."""

    def __init__(self, posts: Mapping[str, Post]) -> None:
        self.posts = posts
        self._by_region: dict[str, list[str]] = {}
        for agent, post in sorted(posts.items()):
            self._by_region.setdefault(post.region, []).append(agent)

    def __contains__(self, agent: str) -> bool:
        return agent in self.posts

    def probes(self, agent: str, plan: Plan) -> bool:
        """The agent is connected, and this check is one of its own."""
        post = self.posts.get(agent)
        return post is not None and post.region in plan.regions and plan.labels <= post.labels

    def agents_of(self, plan: Plan) -> Sequence[str]:
        """The connected agents that probe a check."""
        return [
            agent
            for region in plan.regions
            for agent in self._by_region.get(region, ())
            if self.probes(agent, plan)
        ]
