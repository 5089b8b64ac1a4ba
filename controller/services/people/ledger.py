"""The ledger of privileged acts: reading it, and noting what changes nothing else.

Whoever changes something records it in the transaction that changes it: `tx.record(actor.act(...))`.
"""

from collections.abc import Callable, Sequence
from typing import Final

from controller.ports.custody import Act, Actor
from controller.ports.storage import Storage
from vedette.shared.limits import AUDIT_ACTS_SHOWN_MAX

# The same refusal is noted once in this time, so that a script gone wild does not fill the ledger.
REFUSAL_EVERY_US: Final = 60 * 1_000_000
_REFUSALS_REMEMBERED_MAX: Final = 1024


class Ledger:
    """Reads and appends. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._now_us = now_us
        self._refused_us: dict[tuple[str, str, str], int] = {}

    def acts(self, before: int | None, limit: int | None) -> Sequence[Act]:
        """The newest acts, newest first; those with a number below `before` if that is given."""
        most = min(limit or AUDIT_ACTS_SHOWN_MAX, AUDIT_ACTS_SHOWN_MAX)
        with self._storage.transaction() as tx:
            return tx.acts(before, most)

    def note(self, actor: Actor, action: str, subject: str, detail: str = "") -> None:
        """Record an act of which nothing else is kept."""
        with self._storage.transaction() as tx:
            tx.record(actor.act(self._now_us(), action, subject, detail))

    def refused(self, actor: Actor, method: str, reason: str) -> None:
        """Record that somebody with a good token asked for what their role may not do."""
        key, now = (actor.name, actor.role, method), self._now_us()
        last = self._refused_us.get(key)
        if last is not None and last <= now < last + REFUSAL_EVERY_US:
            return
        if len(self._refused_us) >= _REFUSALS_REMEMBERED_MAX:
            self._refused_us.clear()
        self._refused_us[key] = now
        self.note(actor, "role.refuse", method, reason)
