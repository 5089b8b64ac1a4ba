"""The agent's self-test (S-10): rounds of anchors, each a line in a stream of its own.

A round comes at its interval, and at once when a check fails: whether it was the target or this agent's own
network has to be known soon. Rounds stay a little apart, however much fails.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.core.anchors import Round, families_of, round_of
from agent.ports import Anchors, Assignment, Clock, ClockOffset, Spool
from vedette.shared.identity import ANCHORS
from vedette.shared.limits import (
    ANCHOR_APART_US_MIN,
    ANCHOR_INTERVAL_US_MAX,
    ANCHOR_INTERVAL_US_MIN,
)
from vedette.shared.result import Outcome, ResultLine, encode_line

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Voice:
    """Whose rounds these are, and where their lines go."""

    agent: str
    region: str
    spool: Spool
    clock: Clock
    offset: ClockOffset


class AnchorRounds:
    """Runs rounds until cancelled. Without targets there is nothing to tell, and none are run."""

    def __init__(self, voice: Voice, anchors: Anchors) -> None:
        self._voice = voice
        self._anchors = anchors
        self._targets: Sequence[bytes] = ()
        self.interval_us = ANCHOR_INTERVAL_US_MAX
        self._known: set[str] = set()
        self._wanted = asyncio.Event()
        self._was_bad = False
        self._is_paused = False

    def adopt(self, assignment: Assignment) -> None:
        """Ask the anchors of `assignment` from now on."""
        self._targets = assignment.anchors
        wanted_us = assignment.anchor_interval_us or ANCHOR_INTERVAL_US_MAX
        self.interval_us = min(max(wanted_us, ANCHOR_INTERVAL_US_MIN), ANCHOR_INTERVAL_US_MAX)
        self._wanted.set()

    def nudge(self) -> None:
        """A check failed here: have the next round soon."""
        self._wanted.set()

    def pause(self, is_paused: bool) -> None:
        """Whether the site's owner wants silence; after it the next round comes at once."""
        self._is_paused = is_paused
        self._wanted.set()

    async def run(self) -> None:
        """Run rounds until cancelled."""
        while True:
            self._wanted.clear()
            if not self._targets or self._is_paused:
                # The first round is not to wait: until there was one, trouble begins only where it is seen.
                await self._wanted.wait()
                continue
            await self._round()
            await asyncio.sleep(ANCHOR_APART_US_MIN / 1e6)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout((self.interval_us - ANCHOR_APART_US_MIN) / 1e6):
                    await self._wanted.wait()

    async def _round(self) -> None:
        voice, mark = self._voice, self._voice.offset.mark()
        at_us, begun_us = voice.clock.wall_us(), voice.clock.monotonic_us()
        answers = await self._anchors.ask(self._targets)
        took_us = voice.clock.monotonic_us() - begun_us
        found = round_of(answers, self._known)
        self._known |= families_of(answers)
        if found is None:
            return
        self._tell(found)
        spool = voice.spool
        seq = spool.next_seq(ANCHORS)
        line = ResultLine(
            agent=voice.agent,
            epoch=spool.epoch,
            stream=ANCHORS,
            seq=seq,
            check=ANCHORS,
            region=voice.region,
            at=at_us,
            took=took_us,
            clock=voice.offset.reading(mark),
            outcome=Outcome.AGENT_ERROR if found.is_bad else Outcome.UP,
            ok=found.ok,
            total=found.total,
            anchors=found.facts,
        )
        spool.append(ANCHORS, seq, encode_line(line))

    def _tell(self, found: Round) -> None:
        """Log where trouble begins and ends."""
        if found.is_bad and not self._was_bad:
            fields = {"ok": found.ok, "total": found.total, "failed": list(found.failed)}
            _log.warning("anchors.bad", extra=fields)
        elif self._was_bad and not found.is_bad:
            _log.info("anchors.good", extra={"ok": found.ok, "total": found.total})
        self._was_bad = found.is_bad
