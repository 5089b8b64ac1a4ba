"""The site's policy as it is now: read at start, again on a signal, and whenever its file changes.

Only the site's owner writes that file, and what they write holds at once. A file that cannot be read stops
all probing: nobody can say what its owner meant.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from agent.core.policy import Policy
from agent.errors import BadInput
from vedette.shared.limits import SITE_LOOK_SECONDS

_log: Final = logging.getLogger(__name__)


class SitePolicy:
    """The policy in force. `load` reads it, `stamp` tells two states of its file apart.

    The first reading is demanded: BadInput if it fails. `changed` is called with every later one.
    """

    def __init__(self, load: Callable[[], Policy], stamp: Callable[[], object]) -> None:
        self._load = load
        self._stamp = stamp
        self._seen = stamp()
        self._wanted = asyncio.Event()
        self.policy = load()
        self.changed: Callable[[Policy], None] = lambda policy: None

    def reread(self) -> None:
        """Read the file again soon, whether it looks changed or not."""
        self._wanted.set()

    async def run(self) -> None:
        """Look after the file until cancelled."""
        while True:
            try:
                async with asyncio.timeout(SITE_LOOK_SECONDS):
                    await self._wanted.wait()
            except TimeoutError:
                if self._stamp() == self._seen:
                    continue
            self._wanted.clear()
            self._seen = self._stamp()
            self._enforce(self._read())

    def _read(self) -> Policy:
        try:
            return self._load()
        except BadInput as error:
            _log.error("policy.unreadable", extra={"reason": str(error)})
            terms = replace(self.policy.terms, is_paused=True)
            return replace(self.policy, terms=terms)

    def _enforce(self, policy: Policy) -> None:
        if policy == self.policy:
            return
        self.policy = policy
        _log.info("policy.changed", extra={"policy": str(policy)})
        self.changed(policy)
