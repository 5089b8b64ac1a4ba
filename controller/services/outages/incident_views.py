"""Incidents for people: a list of them, and one with its outages, what caused which, and who need not be told."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.incidents import Incident, Node, explains_until_us, is_explained, shared
from controller.core.intervals import length, union
from controller.core.quorum import Verdict
from controller.errors import BadInput, NotFound
from controller.ports.incidents import StoredIncident
from controller.ports.storage import Storage, Transaction
from controller.services.outages.incidents import Incidents
from controller.services.timeline.evaluate import Evaluator

_Times = list[tuple[int, int]]

_LIST_MAX: Final = 1000
_HANDLE: Final = re.compile(r"(?:INC-)?([1-9][0-9]{0,17})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident under its handle. One that is gone has no outages, and says where they went."""

    handle: str
    started_us: int
    ended_us: int | None
    recorded_us: int
    root: str = ""
    root_check: str = ""
    services: Sequence[str] = ()
    outages: int = 0
    explained: int = 0
    gone_us: int | None = None
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """An outage of an incident in its tree: `level` 0 hangs on nothing, others on `parent` for `reason`.

    `shares` is what joins one of level 0 to the outages before it. `is_explained`: nobody need be told of it
    now; that ends at `explained_until_us` if what it hangs on is over.
    """

    handle: str
    node: Node
    level: int
    parent: str = ""
    reason: str = ""
    shares: str = ""
    is_root: bool = False
    is_explained: bool = False
    explained_until_us: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """Everything of one incident. Downtimes are of checks as a whole, what they have in common counted once."""

    view: IncidentView
    branches: Sequence[Branch] = ()
    services: Sequence[tuple[str, int]] = ()
    downtime_us: int = 0


class IncidentPages:
    """Lists and shows incidents. Synchronous: runs in the storage thread."""

    def __init__(
        self,
        storage: Storage,
        incidents: Incidents,
        evaluator: Evaluator,
        now_us: Callable[[], int],
    ) -> None:
        self._storage = storage
        self._incidents = incidents
        self._evaluator = evaluator
        self._now_us = now_us

    def catch_up(self) -> None:
        """Take what happened to outages since the last time."""
        with self._storage.transaction() as tx:
            self._incidents.follow(tx)

    def list(
        self, *, open_only: bool = False, joined_only: bool = False, limit: int = 0
    ) -> Sequence[IncidentView]:
        """The incidents that stand, newest first, at most `limit` (0: 1000)."""
        most = min(limit or _LIST_MAX, _LIST_MAX)
        with self._storage.transaction() as tx:
            self._incidents.follow(tx)
            found: list[IncidentView] = []
            for stored in tx.incidents(include_gone=False, limit=_LIST_MAX):
                if joined_only and len(stored.outages) < 2:
                    continue
                view = self._page(tx, stored).view
                if not (open_only and view.ended_us is not None):
                    found.append(view)
                if len(found) == most:
                    break
            return sorted(found, key=lambda one: -one.started_us)

    def show(self, handle: str) -> IncidentPage:
        """The incident of that handle (INC-12), also one that is gone. NotFound: there never was one."""
        match = _HANDLE.fullmatch(handle)
        if match is None:
            raise BadInput(f"Expected the handle of an incident such as INC-12, found {handle!r}.")
        with self._storage.transaction() as tx:
            self._incidents.follow(tx)
            stored = tx.incident(int(match[1]))
            if stored is None:
                raise NotFound(f"There is no incident {handle}, and there never was one.")
            return self._page(tx, stored, with_downtimes=True)

    def _page(
        self, tx: Transaction, stored: StoredIncident, *, with_downtimes: bool = False
    ) -> IncidentPage:
        if not stored.outages:
            into = f"INC-{stored.merged_into}" if stored.merged_into else ""
            gone = IncidentView(
                stored.handle, 0, None, stored.recorded_us, gone_us=stored.gone_us, merged_into=into
            )
            return IncidentPage(gone)
        numbers, incident = self._incidents.made(tx, stored)
        branches = list(_tree(incident, numbers, self._now_us()))
        view = IncidentView(
            handle=stored.handle,
            started_us=incident.started_us,
            ended_us=incident.ended_us,
            recorded_us=stored.recorded_us,
            root=f"OUT-{numbers[incident.root.id]}",
            root_check=incident.root.check,
            services=sorted({node.service for node in incident.nodes}),
            outages=len(incident.nodes),
            explained=sum(one.is_explained for one in branches),
        )
        if not with_downtimes:
            return IncidentPage(view, branches)
        down = self._down(tx, incident)
        whole = length(union(part for parts in down.values() for part in parts))
        services = [(one, length(union(down[one]))) for one in view.services]
        return IncidentPage(view, branches, services, whole)

    def _down(self, tx: Transaction, incident: Incident) -> Mapping[str, _Times]:
        """When each service had a check that was down as a whole."""
        found: dict[str, _Times] = {node.service: [] for node in incident.nodes}
        now_us = self._now_us()
        for node in incident.nodes:
            if node.region:
                continue
            until_us = min(node.until_us, now_us + 1)
            parts = self._evaluator.intervals(tx, node.check, node.started_us, until_us, now_us + 1)
            down = (one for one in parts if one.verdict == Verdict.DOWN)
            found[node.service] += [(one.from_us, one.to_us) for one in down]
        return found


def _tree(incident: Incident, numbers: Mapping[str, int], now_us: int) -> Iterator[Branch]:
    """The outages, each after the one that it hangs on; the candidate for the cause and what hangs on it first."""
    children: dict[str, list[Node]] = {}
    for node in incident.nodes:
        kin = incident.kin.get(node.id)
        children.setdefault(kin.parent.id if kin else "", []).append(node)
    tops = sorted(children.get("", []), key=lambda one: one.id != incident.root.id)
    seen: list[Node] = []
    ahead = [(0, node) for node in reversed(tops or [incident.root])]
    while ahead:
        level, node = ahead.pop()
        if node in seen:
            continue
        yield _branch(incident, numbers, node, level, seen, now_us)
        seen.append(node)
        ahead += [(level + 1, child) for child in reversed(children.get(node.id, []))]
        if not ahead:
            # Only where services depend on one another in a circle, which older files may have.
            ahead = [(0, one) for one in incident.nodes if one not in seen][:1]


def _branch(
    incident: Incident,
    numbers: Mapping[str, int],
    node: Node,
    level: int,
    seen: Sequence[Node],
    now_us: int,
) -> Branch:
    handle, is_root = f"OUT-{numbers[node.id]}", node is incident.root
    kin = incident.kin.get(node.id)
    if kin is None or level == 0:
        words = next((words for one in seen if (words := shared(one, node))), "")
        return Branch(handle, node, level, shares=words, is_root=is_root)
    return Branch(
        handle,
        node,
        level,
        parent=f"OUT-{numbers[kin.parent.id]}",
        reason=kin.reason,
        is_root=is_root,
        is_explained=is_explained(node, kin.parent, now_us),
        explained_until_us=explains_until_us(node, kin.parent),
    )
