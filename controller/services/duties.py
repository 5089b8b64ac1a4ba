"""What one agent has to probe, with the secrets that its checks name: nothing unless it is approved."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controller.custody import SealedCopy, Standing
from controller.ports import Storage
from controller.services.apply import Assignment, Fleets

_SECRET: Final = re.compile(rb"\$\{secret:([a-z0-9][a-z0-9._-]{0,62})\}")
_NOTHING: Final = Assignment(hashlib.sha256(b"").hexdigest(), ())


@dataclass(frozen=True, slots=True)
class Duty:
    """An assignment, and the sealed secrets that go with it. Its revision names both."""

    assignment: Assignment
    secrets: Sequence[SealedCopy] = ()

    @property
    def revision(self) -> str:
        """The assignment's own revision where there is no secret."""
        if not self.secrets:
            return self.assignment.revision
        named = "".join(f"secret {copy.name} {copy.version}\n" for copy in self.secrets)
        return hashlib.sha256(f"{self.assignment.revision}\n{named}".encode()).hexdigest()


class Duties:
    """Puts assignments and secrets together. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, fleets: Fleets) -> None:
        self._storage = storage
        self._fleets = fleets
        self._names: dict[str, frozenset[str]] = {}

    def of(self, agent: str, region: str) -> Duty:
        """What `agent` has to do now. An agent gets only the secrets that its checks name."""
        assignment = self._fleets.assignment_for(region)
        named = self._named(assignment)
        with self._storage.transaction() as tx:
            if tx.standing(agent).standing is not Standing.APPROVED:
                return Duty(_NOTHING)
            copies = tx.copies_for(agent) if named else ()
        return Duty(assignment, [copy for copy in copies if copy.name in named])

    def _named(self, assignment: Assignment) -> frozenset[str]:
        """The secrets that the checks name; looked for once in each revision."""
        known = self._names.get(assignment.revision)
        if known is None:
            if len(self._names) > 1000:
                self._names.clear()
            found = (name for text, _ in assignment.checks for name in _SECRET.findall(text))
            known = self._names[assignment.revision] = frozenset(name.decode() for name in found)
        return known
