"""Confirm now: which further looks the results that the controller hears make it order, in virtual time.

The first failure of an agent makes every region look at once, and again every few seconds until there were as
many looks as confirmation takes; so does the first success while an outage is open. While it is open, the
check runs at a shorter interval.
"""

from controller.core.simulation.rules import ComparedRule
from vedette.shared.result import Outcome


class ConfirmNow:
    """What the controller knows of one check, and the looks that it has ordered."""

    def __init__(self, rule: ComparedRule, prompt_us: int) -> None:
        self._rule = rule
        self._prompt_us = prompt_us
        self._failing: set[str] = set()
        self._busy_until_us = 0
        self._is_open = False

    def heard(self, now_us: int, agent: str, at_us: int, outcome: Outcome) -> list[int]:
        """The instants of the looks that a result makes the controller order.

        What tells of long ago orders nothing, and neither does what is no evidence.
        """
        if outcome is Outcome.AGENT_ERROR or now_us - at_us > self._prompt_us:
            return []
        is_failure, was_failing = outcome is Outcome.DOWN, agent in self._failing
        if is_failure:
            self._failing.add(agent)
        else:
            self._failing.discard(agent)
        is_news = is_failure != was_failing and is_failure != self._is_open
        if not is_news or now_us < self._busy_until_us:
            return []
        policy = self._rule.policy
        count = min(policy.fail_after if is_failure else policy.recover_after, self._rule.look_count)
        looks = [now_us + number * self._rule.looks_us for number in range(count)]
        self._busy_until_us = now_us + count * self._rule.looks_us
        return looks

    def is_now(self, is_open: bool, now_us: int) -> int | None:
        """Note whether an outage is open; gives the instant of the next look at the shorter interval."""
        was_open, self._is_open = self._is_open, is_open
        if is_open and not was_open and self._rule.faster_us:
            return now_us + self._rule.faster_us
        return None

    def again(self, now_us: int) -> int | None:
        """After a look at the shorter interval: the instant of the next one, None once the outage is over."""
        return now_us + self._rule.faster_us if self._is_open else None
