"""Incidents: outages that belong together, and which of them may have caused the others (S-16).

Two outages are joined if they share a service, a target or a dependency, and overlap or lie no further apart
than the correlation window. An incident is what is joined, through others as well; so it does not depend on
the order in which outages became known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from controller.core.intervals import FOREVER_US

K = TypeVar("K", str, int)


@dataclass(frozen=True, slots=True)
class Node:
    """An outage, and what joins it to others. `region` is set if it is of that region alone.

    `ancestors` are the services that its own depended on when it started, however far away, and `depth` how
    many lay below it on the longest way. Of two correlation windows the longer one counts.
    """

    id: str
    check: str
    service: str
    started_us: int
    ended_us: int | None
    window_us: int
    targets: frozenset[str] = frozenset()
    ancestors: frozenset[str] = frozenset()
    depth: int = 0
    region: str = ""

    @property
    def until_us(self) -> int:
        """Its end; an open one has none yet."""
        return FOREVER_US if self.ended_us is None else self.ended_us


class Kin(NamedTuple):
    """An outage that had an ancestor down: the nearest one, and what leads to it."""

    node: Node
    parent: Node
    reason: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Outages that belong together, in order of their start.

    `root` is the candidate for the cause: the first of those that had no ancestor down. `kin` holds the
    others, by id.
    """

    nodes: tuple[Node, ...]
    root: Node
    kin: Mapping[str, Kin] = field(hash=False)

    @property
    def started_us(self) -> int:
        """The start of its first outage."""
        return self.nodes[0].started_us

    @property
    def ended_us(self) -> int | None:
        """The end of its last outage; None while one is open."""
        ends = [node.ended_us for node in self.nodes]
        return None if None in ends else max(end for end in ends if end is not None)


def incidents(nodes: Iterable[Node]) -> list[Incident]:
    """The incidents that these outages make, in order of their start."""
    known = sorted(nodes, key=_order)
    union = _Union(len(known))
    by_service = {
        service: _clusters(known, places, union)
        for service, places in _grouped((node.service,) for node in known).items()
    }
    for places in _grouped(node.targets for node in known).values():
        _clusters(known, places, union)
    for place, node in enumerate(known):
        for service in node.ancestors:
            for cluster in _near(by_service.get(service, ()), node):
                union.join(place, cluster.place)
    found: dict[int, list[Node]] = {}
    for place, node in enumerate(known):
        found.setdefault(union.of(place), []).append(node)
    return [incident_of(own) for own in found.values()]


def incident_of(nodes: Iterable[Node]) -> Incident:
    """These outages as one incident."""
    known = sorted(nodes, key=_order)
    below = _Below(known)
    kin = {one.id: found for one in known if (found := _kin(one, below.of(one))) is not None}
    roots = [one for one in known if one.id not in kin] or known
    root = min(roots, key=lambda one: (one.started_us, one.depth, one.id))
    return Incident(tuple(known), root, kin)


class _Below:
    """Finds what an outage can hang on at all, so that not every pair of a storm is looked at."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._services: dict[str, list[Node]] = {}
        self._checks: dict[str, list[Node]] = {}
        for node in nodes:
            self._services.setdefault(node.service, []).append(node)
            if not node.region:
                self._checks.setdefault(node.check, []).append(node)

    def of(self, node: Node) -> Iterator[Node]:
        """Outages of the services that its own depends on, and of its check as a whole if it is regional."""
        for service in node.ancestors:
            yield from self._services.get(service, ())
        if node.region:
            yield from self._checks.get(node.check, ())


def _kin(node: Node, others: Iterable[Node]) -> Kin | None:
    """The nearest ancestor that was down at some instant of an outage, and why it is one."""
    found = [(other, reason) for other in others if (reason := hangs_on(node, other))]
    if not found:
        return None
    # A region's outage hangs most of all on that of its own check; else on the service next below.
    parent, reason = min(
        found,
        key=lambda one: (
            one[0].check != node.check,
            -one[0].depth,
            one[0].region != "",
            one[0].started_us,
            one[0].id,
        ),
    )
    return Kin(node, parent, reason)


def hangs_on(node: Node, other: Node) -> str:
    """Why an outage may be a consequence of another, in words; empty if it may not.

    The other was down at some instant of it, for everybody or for the same region, and is of a service that
    the node's depends on, or of the whole check of which this is a region.
    """
    if node.started_us >= other.until_us or other.started_us >= node.until_us:
        return ""
    if other.region and other.region != node.region:
        return ""
    if other.check == node.check:
        is_part = node.region != "" and other.region == ""
        return f"{node.check} was down in other regions too" if is_part else ""
    if other.service in node.ancestors:
        return f"{node.service} depends on {other.service}"
    return ""


def shared(left: Node, right: Node) -> str:
    """What joins two outages wherever they lie in time, in words; empty if nothing does."""
    if left.service == right.service:
        return f"service {left.service}"
    if common := sorted(left.targets & right.targets):
        return f"target {', '.join(common)}"
    if left.service in right.ancestors:
        return f"{right.service} depends on {left.service}"
    if right.service in left.ancestors:
        return f"{left.service} depends on {right.service}"
    return ""


def explains_until_us(node: Node, parent: Node) -> int | None:
    """Until when an ancestor explains an outage; None: as long as it lasts, as it has not ended."""
    if parent.ended_us is None:
        return None
    return parent.ended_us + max(node.window_us, parent.window_us)


def is_explained(node: Node, parent: Node, now_us: int) -> bool:
    """Whether an outage needs no telling now: its ancestor is down, or was a moment ago.

    What began long before its ancestor did is not its consequence, and what stays down for longer than the
    ancestor and a correlation window is a failure of its own.
    """
    if parent.started_us > node.started_us + max(node.window_us, parent.window_us):
        return False
    until_us = explains_until_us(node, parent)
    return until_us is None or min(node.until_us, now_us) <= until_us


def inherited(old: Mapping[int, Iterable[K]], new: Sequence[Iterable[K]]) -> dict[int, int]:
    """Which new incident (by place) carries the handle of which old one.

    A handle goes to the new incident that has most of its outages, the first one if several do; each gets
    one handle at most, the lowest if several fit as well.
    """
    owners = {one: place for place, own in enumerate(new) for one in own}
    pairs: dict[tuple[int, int], int] = {}
    for handle, outages in old.items():
        for one in outages:
            if one in owners:
                pair = handle, owners[one]
                pairs[pair] = pairs.get(pair, 0) + 1
    heirs: dict[int, int] = {}
    given: set[int] = set()
    for (handle, place), _ in sorted(
        pairs.items(), key=lambda one: (-one[1], one[0][1], one[0][0])
    ):
        if place not in heirs and handle not in given:
            heirs[place] = handle
            given.add(handle)
    return heirs


def _order(node: Node) -> tuple[int, str]:
    return node.started_us, node.id


def _grouped(keys: Iterable[Iterable[str]]) -> dict[str, list[int]]:
    """The places of the nodes that have each key, in order."""
    found: dict[str, list[int]] = {}
    for place, own in enumerate(keys):
        for key in own:
            found.setdefault(key, []).append(place)
    return found


class _Union:
    """Sets that are joined."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def of(self, place: int) -> int:
        """The one that stands for the set of `place`: the first in it."""
        parents = self._parents
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    def join(self, left: int, right: int) -> None:
        """Make one set of two."""
        left, right = sorted((self.of(left), self.of(right)))
        self._parents[right] = left


class _Cluster(NamedTuple):
    """Nodes of one group that are joined, as one time.

    A node inside of it is near to one of them: the time between two neighbours is at most the window of one.
    """

    place: int
    from_us: int
    to_us: int
    reach_from_us: int
    reach_to_us: int

    def is_near(self, node: Node) -> bool:
        """A node overlaps with one of these, or lies no further off than one of the windows."""
        is_after = node.started_us <= max(self.to_us + node.window_us, self.reach_to_us)
        return is_after and node.until_us >= min(self.from_us - node.window_us, self.reach_from_us)

    def merged(self, other: "_Cluster") -> "_Cluster":
        """Both clusters as one."""
        return _Cluster(
            min(self.place, other.place),
            min(self.from_us, other.from_us),
            max(self.to_us, other.to_us),
            min(self.reach_from_us, other.reach_from_us),
            max(self.reach_to_us, other.reach_to_us),
        )


def _cluster(place: int, node: Node) -> _Cluster:
    start_us, end_us, window_us = node.started_us, node.until_us, node.window_us
    return _Cluster(place, start_us, end_us, start_us - window_us, end_us + window_us)


def _clusters(known: Sequence[Node], places: Sequence[int], union: _Union) -> list[_Cluster]:
    """Join the nodes of a group that are near to one another; gives what comes out, in order of time."""
    found: list[_Cluster] = []
    for place in places:
        made = _cluster(place, known[place])
        # By start, each is near to the last ones or to none.
        while found and found[-1].is_near(known[place]):
            union.join(found[-1].place, place)
            made = made.merged(found.pop())
        found.append(made)
    return found


def _near(clusters: Sequence[_Cluster], node: Node) -> list[_Cluster]:
    """The clusters that a node is near to."""
    return [one for one in clusters if one.is_near(node)]
