"""Confirm now in virtual time: the controller's own decisions, told what it would hear.

Its rate limits see one check here, so they never bind; what many checks at once do to them is not simulated.
Regional outages are not told to it: they are not scored either.
"""

from controller.core.confirmation import Confirmation
from controller.core.posts import Post, plan_of
from controller.core.samples import AnchorRound, Sample
from controller.core.simulation.rules import ComparedRule
from controller.core.suspicion import Turn
from vedette.shared.result import Outcome


class Looks:
    """The looks that the results of one check make the controller order."""

    def __init__(self, rule: ComparedRule, posts: dict[str, Post], now_us: int) -> None:
        check = rule.definition
        self._check = check.id
        self._prompt_us = check.interval_us + check.timeout_us
        self._confirmation = Confirmation()
        self._confirmation.adopt({check.id: plan_of(check, rule.policy.revision)})
        self._confirmation.post(posts, now_us)
        self._failing: set[str] = set()

    def heard(self, now_us: int, sample: Sample) -> bool:
        """A result came: whether it is a turn. It is if its agent said another thing before, and it tells of now."""
        is_failure = sample.outcome is Outcome.DOWN
        if sample.outcome is Outcome.AGENT_ERROR or sample.at_us <= now_us - self._prompt_us:
            return False
        if is_failure == (sample.agent in self._failing):
            return False
        if is_failure:
            self._failing.add(sample.agent)
        else:
            self._failing.discard(sample.agent)
        ended_us = min(sample.at_us + (sample.took_us or 0), now_us)
        turn = Turn(sample.check, sample.region, sample.agent, is_failure, sample.at_us, ended_us)
        self._confirmation.saw([turn], [], now_us)
        return True

    def heard_round(self, now_us: int, anchor: AnchorRound) -> None:
        """A round of anchors came. What fails after trouble fails for the first time."""
        if not anchor.is_bad:
            self._failing.discard(anchor.agent)
        self._confirmation.saw([], [anchor], now_us)

    def is_out(self, is_open: bool, now_us: int) -> None:
        """An outage is open, or none is."""
        self._confirmation.opened({self._check} if is_open else set(), set(), now_us)

    def orders(self, now_us: int) -> list[str]:
        """The agents to ask now."""
        return list(self._confirmation.orders(now_us))

    def next_us(self, now_us: int) -> int | None:
        """When there may be orders, though nothing is heard; None: never."""
        return self._confirmation.next_us(now_us) if len(self._confirmation) else None
