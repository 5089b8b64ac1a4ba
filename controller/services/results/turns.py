"""Turns: results that say another thing than the one before, told at once to whoever looks closer."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.samples import AnchorRound, Sample
from controller.core.suspicion import Turn
from vedette.shared.result import Outcome

# By place and identity: this looks at every result.
_OUTCOME: Final = Sample._fields.index("outcome")
_DOWN: Final = Outcome.DOWN
_AGENT_ERROR: Final = Outcome.AGENT_ERROR


@dataclass(frozen=True, slots=True)
class News:
    """What was just heard, durable and evaluated: turns in order of time, and rounds of anchors."""

    turns: Sequence[Turn] = ()
    rounds: Sequence[AnchorRound] = ()

    def __bool__(self) -> bool:
        return bool(self.turns or self.rounds)


class Turns:
    """Which checks fail at which agents, as far as results of now say. Lives in the storage thread.

    `prompt_us` is how old a result of a check may be and still tell of now: what is late (a backlog, or what came
    while storage was away) is no turn and ends none.
    """

    def __init__(self, prompt_us: Callable[[str], int]) -> None:
        self._prompt_us = prompt_us
        self._failing: dict[str, set[str]] = {}
        self._inherited: dict[str, set[str]] = {}
        self._in_trouble: set[str] = set()

    def inherit(self, checks: Iterable[str]) -> None:
        """These checks were out when this controller started: who fails there has to be learnt.

        A first success there is a turn, though nobody saw the failure before it.
        """
        self._inherited = {check: set() for check in checks}

    def retain(self, checks: Collection[str], out: Collection[str]) -> None:
        """Forget checks that are not in force; those that are not `out` any more are as good as new."""
        self._failing = {c: agents for c, agents in self._failing.items() if c in checks}
        self._inherited = {c: agents for c, agents in self._inherited.items() if c in out}

    def news(
        self,
        samples: Sequence[Sample],
        rounds: Iterable[tuple[str, AnchorRound]],
        received_us: int,
    ) -> News:
        """What of these samples and rounds, in order of time for each check, is news."""
        turns: list[Turn] = []
        # Nearly always nothing fails, and nothing did.
        if self._failing or self._inherited or any(one[_OUTCOME] is _DOWN for one in samples):
            turns = [turn for sample in samples if (turn := self._turn(sample, received_us))]
        heard = [anchor for _, anchor in rounds]
        for anchor in heard:
            self._heard(anchor)
        return News(turns, heard)

    def _turn(self, sample: Sample, received_us: int) -> Turn | None:
        """The turn that this sample is, if it is one."""
        check, outcome = sample.check, sample.outcome
        is_failure = outcome is _DOWN
        if not is_failure and check not in self._failing and check not in self._inherited:
            return None
        if outcome is _AGENT_ERROR or sample.at_us <= received_us - self._prompt_us(check):
            return None
        if not self._turns(sample, is_failure=is_failure):
            return None
        ended_us = min(sample.at_us + (sample.took_us or 0), received_us)
        return Turn(check, sample.region, sample.agent, is_failure, sample.at_us, ended_us)

    def _turns(self, sample: Sample, *, is_failure: bool) -> bool:
        """Whether the agent said another thing of the check before, or nothing that is known."""
        check, agent = sample.check, sample.agent
        failing = self._failing.get(check)
        was_failing = failing is not None and agent in failing
        unheard = self._inherited.get(check)
        is_unheard = unheard is not None and agent not in unheard
        if unheard is not None:
            unheard.add(agent)
        if is_failure:
            self._failing.setdefault(check, set()).add(agent)
            return not was_failing
        if was_failing and failing is not None:
            failing.discard(agent)
            if not failing:
                del self._failing[check]
        return was_failing or is_unheard

    def _heard(self, anchor: AnchorRound) -> None:
        """What an agent saw while its own network was in trouble is void: a failure after that is a first one."""
        if anchor.is_bad:
            self._in_trouble.add(anchor.agent)
        elif anchor.agent in self._in_trouble:
            self._in_trouble.discard(anchor.agent)
            for check in [
                check for check, agents in self._failing.items() if anchor.agent in agents
            ]:
                self._failing[check].discard(anchor.agent)
                if not self._failing[check]:
                    del self._failing[check]
