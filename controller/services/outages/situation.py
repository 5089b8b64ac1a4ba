"""The situation: what decides who looks at what at once; read anew whenever something may have changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from controller.core.posts import Plan, Post, plan_of
from controller.ports.outcomes import OutageScope, StoredOutage
from controller.ports.postings import Mode
from controller.ports.storage import Storage, Transaction
from controller.services.fleet.apply import Fleets, InForce
from controller.services.results.turns import Turns

_EVENTS_AT_ONCE: Final = 1000
# Labels and modes of agents change by hand: they need not be read for every result that turns.
_POSTS_US_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """Plans by check, agents that are to probe, checks with an open outage and regions with one of their own.

    `plans` is the same mapping for as long as no other fleet file comes into force.
    """

    plans: Mapping[str, Plan]
    posts: Mapping[str, Post]
    out: frozenset[str] = frozenset()
    regional: frozenset[tuple[str, str]] = frozenset()


class Situation:
    """Reads it. Synchronous: runs in the storage thread.

    Outages are read once; after that only what the ledger of outages says happened to them.
    """

    def __init__(self, storage: Storage, fleets: Fleets, turns: Turns) -> None:
        self._storage = storage
        self._fleets = fleets
        self._turns = turns
        self._in_force: InForce | None = None
        self._plans: Mapping[str, Plan] = {}
        # The check of each outage, and its region if it is of that alone.
        self._open: dict[int, tuple[str, str]] = {}
        self._sequence: int | None = None
        self._connected: Mapping[str, str] = {}
        self._posts: Mapping[str, Post] = {}
        self._posts_until_us = 0

    def look(self, connected: Mapping[str, str], now_us: int) -> Seen:
        """How things are, with these agents connected, each with its region."""
        is_first = self._sequence is None
        in_force = self._fleets.in_force()
        if in_force is not self._in_force:
            self._in_force, self._plans = in_force, _plans(in_force)
        with self._storage.transaction() as tx:
            self._follow(tx)
            if connected != self._connected or now_us >= self._posts_until_us:
                self._posts = _posts(tx, connected)
                self._connected = connected
                self._posts_until_us = now_us + _POSTS_US_MAX
        out = frozenset(check for check, region in self._open.values() if not region)
        regional = frozenset(one for one in self._open.values() if one[1])
        either = out | {check for check, _ in regional}
        if is_first:
            self._turns.inherit(either)
        self._turns.retain(self._plans, either)
        return Seen(self._plans, self._posts, out, regional)

    def _follow(self, tx: Transaction) -> None:
        """Take what happened to outages since the last look."""
        if self._sequence is None:
            self._sequence = tx.last_event()
            for stored in tx.outages(scope=OutageScope.ALL, open_only=True):
                self._note(stored)
            return
        while events := tx.events_after(self._sequence, _EVENTS_AT_ONCE):
            self._sequence = events[-1].sequence
            for number in {event.number for event in events}:
                self._open.pop(number, None)
                if (found := tx.outage(number)) is not None:
                    self._note(found)

    def _note(self, stored: StoredOutage) -> None:
        if stored.ended_us is None:
            self._open[stored.number] = (stored.check, stored.region)


def _plans(in_force: InForce | None) -> Mapping[str, Plan]:
    if in_force is None:
        return {}
    checks, newest = in_force.fleet.checks, in_force.checks
    return {name: plan_of(check, newest[name].digest) for name, check in checks.items()}


def _posts(tx: Transaction, connected: Mapping[str, str]) -> dict[str, Post]:
    """The agents that are to probe."""
    postings = tx.postings()
    posts: dict[str, Post] = {}
    for agent, region in connected.items():
        posting = postings.get(agent)
        if posting is None:
            posts[agent] = Post(region)
        elif posting.mode is Mode.RUN:
            posts[agent] = Post(region, frozenset(posting.labels.items()), posting.place)
    return posts
