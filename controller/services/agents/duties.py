"""What one agent has to probe, with the secrets that its checks name: nothing unless it is approved and to run."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller.ports.custody import SealedCopy, Standing
from controller.ports.postings import Mode
from controller.ports.storage import Storage
from controller.services.agents.postings import posted
from controller.services.fleet.apply import Assignment, Fleets
from vedette.shared.anchors import anchor_interval_us

_SECRET: Final = re.compile(rb"\$\{secret:([a-z0-9][a-z0-9._-]{0,62})\}")
_REVISIONS_KEPT_MAX: Final = 256
_NOTHING: Final = Assignment(hashlib.sha256(b"").hexdigest(), ())


@dataclass(frozen=True, slots=True)
class Duty:
    """An assignment, and what goes with it: sealed secrets, anchors, the agent's place in its region.

    Its revision names all of it.
    """

    assignment: Assignment
    secrets: Sequence[SealedCopy] = ()
    anchors: Sequence[bytes] = ()
    place: int = 0

    @property
    def anchor_interval_us(self) -> int:
        """Time between two rounds of anchors."""
        least_us = self.assignment.interval_us_min
        return anchor_interval_us([least_us] if least_us else [])

    @property
    def revision(self) -> str:
        """The assignment's own revision where nothing else goes with it."""
        named = "".join(f"secret {copy.name} {copy.version}\n" for copy in self.secrets)
        named += "".join(f"anchor {hashlib.sha256(one).hexdigest()}\n" for one in self.anchors)
        named += f"place {self.place}\n" if self.place else ""
        if not named:
            return self.assignment.revision
        return hashlib.sha256(f"{self.assignment.revision}\n{named}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """A duty as it is sent: whole, or what changes against the revision `base`."""

    duty: Duty
    checks: Sequence[tuple[bytes, str]]
    base: str = ""
    removed: Sequence[str] = ()


class Duties:
    """Puts assignments and secrets together. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, fleets: Fleets) -> None:
        self._storage = storage
        self._fleets = fleets
        self._names: dict[str, frozenset[str]] = {}
        self._held: OrderedDict[str, frozenset[str]] = OrderedDict()

    def of(self, agent: str, region: str) -> Duty:
        """What `agent` has to do now. An agent gets only the secrets that its checks name."""
        with self._storage.transaction() as tx:
            record = tx.agent(agent)
            if record is None or tx.standing(agent).standing is not Standing.APPROVED:
                return Duty(_NOTHING)
            posting = posted(tx, record)
            copies = tx.copies_for(agent)
        if posting.mode is not Mode.RUN:
            return Duty(_NOTHING)
        assignment = self._fleets.assignment_for(region, posting.labels)
        named = self._named(assignment)
        secrets = [copy for copy in copies if copy.name in named]
        return Duty(assignment, secrets, self._fleets.anchors(), posting.place)

    def sent(self, duty: Duty, base: str) -> Sent:
        """`duty` for an agent that runs the revision `base`: what changes, if that is known and is less.

        Only what was made a duty by this process is known; an agent that runs anything else gets all of it.
        """
        checks = duty.assignment.checks
        held = self._held.get(base)
        digests = frozenset(digest for _, digest in checks)
        self._held[duty.revision] = digests
        self._held.move_to_end(duty.revision)
        while len(self._held) > _REVISIONS_KEPT_MAX:
            self._held.popitem(last=False)
        if held is None:
            return Sent(duty, checks)
        fresh = [(definition, digest) for definition, digest in checks if digest not in held]
        return Sent(duty, fresh, base, sorted(held - digests))

    def _named(self, assignment: Assignment) -> frozenset[str]:
        """The secrets that the checks name; looked for once in each revision."""
        known = self._names.get(assignment.revision)
        if known is None:
            if len(self._names) > 1000:
                self._names.clear()
            found = (name for text, _ in assignment.checks for name in _SECRET.findall(text))
            known = self._names[assignment.revision] = frozenset(name.decode() for name in found)
        return known
