"""Suspicion: many failures at one agent wait for its anchors, few do not."""

from dataclasses import dataclass, field

import pytest

from controller.core.samples import AnchorRound
from controller.core.suspicion import Suspicion, Turn
from vedette.shared.limits import CONFIRM_FEW_FAILURES

SECOND = 1_000_000
START = 1_750_000_000 * SECOND
FEW, MANY = CONFIRM_FEW_FAILURES, CONFIRM_FEW_FAILURES + 1


@dataclass
class Agent:
    """One agent as it is heard. Times are seconds since the start."""

    suspicion: Suspicion = field(default_factory=Suspicion)

    def anchors(
        self, began: float, *, is_good: bool = True, heard: float | None = None
    ) -> list[str]:
        anchor = AnchorRound("fra-1", "e", "@anchors", 1, at(began), 3 if is_good else 1, 3)
        now_us = at(began if heard is None else heard)
        return [turn.check for turn in self.suspicion.heard(anchor, now_us)]

    def fails(self, seconds: float, count: int, *, name: str = "c", took: float = 0) -> list[str]:
        turns = [failure(f"{name}{n}", seconds - took, seconds) for n in range(count)]
        return [turn.check for turn in self.suspicion.judged("fra-1", turns, at(seconds))]


def at(seconds: float) -> int:
    return START + int(seconds * SECOND)


def failure(check: str, began: float, ended: float) -> Turn:
    return Turn(check, "fra", "fra-1", True, at(began), at(ended))


@pytest.fixture
def agent() -> Agent:
    made = Agent()
    made.anchors(0)
    return made


def test_a_few_failures_are_believed_at_once(agent: Agent) -> None:
    assert len(agent.fails(10, FEW)) == FEW


def test_many_at_once_wait_for_a_good_round_that_began_after_them(agent: Agent) -> None:
    assert agent.fails(10, MANY) == []
    assert agent.anchors(9, heard=11) == [], "that round began before they failed"
    assert len(agent.anchors(10.1, heard=11)) == MANY
    assert agent.suspicion.held() == 0


def test_many_within_a_moment_are_many_at_once(agent: Agent) -> None:
    assert len(agent.fails(10, FEW, name="a")) == FEW
    assert agent.fails(11, 1, name="b") == []
    assert agent.fails(11.5, 1, name="c") == [], "what comes while others wait, waits too"
    assert agent.anchors(11.6) == ["b0", "c0"]


def test_as_many_over_a_while_are_few(agent: Agent) -> None:
    for seconds in range(10, 40, 3):
        assert len(agent.fails(seconds, FEW)) == FEW


def test_a_round_that_was_there_already_need_not_be_waited_for(agent: Agent) -> None:
    agent.anchors(10.5)
    assert len(agent.fails(10, MANY)) == MANY


def test_what_a_bad_round_answers_counts_for_nothing(agent: Agent) -> None:
    assert agent.fails(10, MANY) == []
    assert agent.anchors(10.1, is_good=False) == []
    assert agent.suspicion.is_in_trouble("fra-1")
    assert agent.fails(11, 1) == []
    assert agent.anchors(12) == [], "nor does the end of the trouble bring it back"
    assert agent.fails(13, 1) == ["c0"]


def test_s10_a_failure_of_the_time_of_trouble_counts_for_nothing_afterwards(agent: Agent) -> None:
    agent.anchors(10)
    agent.anchors(20, is_good=False)
    agent.anchors(30)
    assert agent.fails(31, 1, took=5) == []
    assert agent.fails(40, 1, took=5) == ["c0"]


def test_trouble_without_a_good_round_before_begins_where_it_was_seen() -> None:
    agent = Agent()
    agent.anchors(20, is_good=False)
    agent.anchors(30)
    assert agent.fails(31, 1, took=15) == ["c0"]
    assert agent.fails(31, 1, took=5) == []


def test_anchors_that_say_nothing_leave_the_checks_to_their_slots(agent: Agent) -> None:
    assert agent.fails(10, MANY) == []
    assert agent.anchors(10.1, heard=21) == []
    assert len(agent.fails(30, FEW)) == FEW


def test_those_that_waited_in_vain_keep_no_later_ones_waiting(agent: Agent) -> None:
    assert agent.fails(10, MANY, name="a") == []
    assert agent.fails(25, FEW, name="b") == [f"b{n}" for n in range(FEW)]


def test_an_agent_without_anchors_is_believed() -> None:
    assert len(Agent().fails(10, 100)) == 100


def test_one_that_has_not_told_of_anchors_for_long_is_believed(agent: Agent) -> None:
    assert len(agent.fails(100, 100)) == 100


def test_a_check_that_works_again_is_waited_for_no_more(agent: Agent) -> None:
    agent.fails(10, MANY)
    works = failure("c0", 10, 10)._replace(is_failure=False)
    agent.suspicion.withdraw(works)
    agent.suspicion.withdraw(works._replace(agent="nyc-1"))
    assert "c0" not in agent.anchors(10.2)


def test_rounds_that_come_late_change_nothing(agent: Agent) -> None:
    agent.anchors(20)
    agent.anchors(15, is_good=False)
    assert not agent.suspicion.is_in_trouble("fra-1")
