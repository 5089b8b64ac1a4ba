"""Suspicion: whether what an agent reports as failing may be its own trouble, which its anchors tell (S-10).

A few checks that begin to fail are believed at once. When more begin to fail at one agent within a moment,
it may be its own network: they are held until a round of its anchors that began after the first of them. If
that was good, they count; if it was bad, they do not, and nothing does until a good one.

Nobody has to ask an agent for its anchors: a failure makes it run a round by itself, sooner than an order could
arrive. An agent that never tells of anchors has none, or is older than they are; it is believed.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from controller.core.samples import AnchorRound
from vedette.shared.limits import (
    CONFIRM_ANCHORS_KNOWN_US,
    CONFIRM_ANCHORS_US_MAX,
    CONFIRM_FEW_FAILURES,
    CONFIRM_FEW_US,
)

# A round that a failure brought forward begins when the probe has ended, by clocks that are slewed.
_SLACK_US: Final = 100_000
_NEVER_US: Final = -(1 << 62)


class Turn(NamedTuple):
    """An agent's result says another thing than the one before: the check began to fail there, or works again.

    `at_us` is the event time of the result, and `ended_us` when its probe had ended.
    """

    check: str
    region: str
    agent: str
    is_failure: bool
    at_us: int
    ended_us: int


@dataclass(slots=True)
class _Agent:
    """What is known of one agent. The times of rounds are event times, the others are of the controller."""

    round_us: int = _NEVER_US
    good_us: int = _NEVER_US
    is_bad: bool = False
    bad_from_us: int = _NEVER_US
    bad_to_us: int = _NEVER_US
    heard_us: int = _NEVER_US
    recent: deque[tuple[int, int]] = field(default_factory=deque)
    held: dict[str, Turn] = field(default_factory=dict)
    held_from_us: int = _NEVER_US
    held_until_us: int = _NEVER_US


class Suspicion:
    """Believes, holds or ignores failures. Pure: `now_us` is an argument."""

    def __init__(self) -> None:
        self._agents: dict[str, _Agent] = {}

    def is_in_trouble(self, agent: str) -> bool:
        """Its newest round of anchors was bad."""
        known = self._agents.get(agent)
        return known is not None and known.is_bad

    def held(self) -> int:
        """How many failures wait for anchors."""
        return sum(len(known.held) for known in self._agents.values())

    def heard(self, anchor: AnchorRound, now_us: int) -> Sequence[Turn]:
        """A round of anchors came: the failures that count now."""
        known = self._agents.setdefault(anchor.agent, _Agent())
        known.heard_us = now_us
        if anchor.at_us <= known.round_us:
            return ()
        known.round_us = anchor.at_us
        if anchor.is_bad:
            if not known.is_bad:
                known.bad_from_us = anchor.at_us if known.good_us == _NEVER_US else known.good_us
            known.is_bad = True
            known.held.clear()
            return ()
        if known.is_bad:
            known.bad_to_us = anchor.at_us
        known.is_bad = False
        known.good_us = anchor.at_us
        if not known.held or not _answers(anchor.at_us, known.held_from_us):
            return ()
        believed = () if now_us >= known.held_until_us else tuple(known.held.values())
        known.held.clear()
        known.recent.clear()
        return believed

    def judged(self, agent: str, turns: Sequence[Turn], now_us: int) -> Sequence[Turn]:
        """These checks just began to fail at one agent: those that count at once."""
        known = self._agents.setdefault(agent, _Agent())
        if known.is_bad:
            return ()
        turns = [one for one in turns if not known.bad_from_us <= one.at_us < known.bad_to_us]
        if not turns or now_us - known.heard_us > CONFIRM_ANCHORS_KNOWN_US:
            return turns
        if known.held and now_us >= known.held_until_us:
            known.held.clear()
        recent = known.recent
        while recent and now_us - recent[0][0] > CONFIRM_FEW_US:
            recent.popleft()
        recent.extend((now_us, one.ended_us) for one in turns)
        if len(recent) <= CONFIRM_FEW_FAILURES and not known.held:
            return turns
        began_us = known.held_from_us if known.held else min(ended_us for _, ended_us in recent)
        while len(recent) > CONFIRM_FEW_FAILURES + 1:
            recent.popleft()
        if _answers(known.good_us, began_us):
            return turns
        if not known.held:
            known.held_from_us, known.held_until_us = began_us, now_us + CONFIRM_ANCHORS_US_MAX
        known.held.update((one.check, one) for one in turns)
        return ()

    def withdraw(self, turn: Turn) -> None:
        """The check works again at this agent."""
        known = self._agents.get(turn.agent)
        if known is not None:
            known.held.pop(turn.check, None)


def _answers(round_us: int, failed_us: int) -> bool:
    """A round at that instant tells of the network as it was after the failure."""
    return round_us >= failed_us - _SLACK_US
