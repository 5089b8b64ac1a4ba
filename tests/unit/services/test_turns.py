"""Turns: what is news of a check at an agent, and what is not."""

import pytest

from controller.core.samples import AnchorRound, Sample
from controller.services.results.turns import Turns
from vedette.shared.result import Outcome

SECOND = 1_000_000
NOW = 1_750_000_000 * SECOND
PROMPT_US = 70 * SECOND
UP, DOWN, SLOW, FAULT = Outcome.UP, Outcome.DOWN, Outcome.DEGRADED, Outcome.AGENT_ERROR


@pytest.fixture
def turns() -> Turns:
    return Turns(lambda _: PROMPT_US)


def sample(
    outcome: Outcome,
    agent: str = "fra-1",
    at_us: int = NOW,
    *,
    check: str = "home",
    took_us: int = 0,
) -> Sample:
    region = agent.split("-", maxsplit=1)[0]
    return Sample(agent, "e", "shop", 1, check, region, at_us, outcome, None, took_us)


def said(turns: Turns, *samples: Sample) -> list[str]:
    """What is told, as `agent check fails|works`."""
    news = turns.news(samples, [], NOW)
    return [f"{t.agent} {t.check} {'fails' if t.is_failure else 'works'}" for t in news.turns]


def anchors(turns: Turns, *, is_good: bool, agent: str = "fra-1") -> None:
    one = AnchorRound(agent, "e", "@anchors", 1, NOW, 3 if is_good else 0, 3)
    assert turns.news([], [("fra", one)], NOW).rounds == [one]


def test_a_first_failure_and_a_first_success_after_it_are_told_once(turns: Turns) -> None:
    assert said(turns, sample(UP)) == []
    assert said(turns, sample(DOWN)) == ["fra-1 home fails"]
    assert said(turns, sample(DOWN)) == []
    assert said(turns, sample(UP)) == ["fra-1 home works"]
    assert said(turns, sample(UP), sample(SLOW)) == []


def test_every_agent_and_every_check_is_told_of_by_itself(turns: Turns) -> None:
    both = (sample(DOWN), sample(DOWN, "fra-2"), sample(DOWN, check="name"))
    assert said(turns, *both) == ["fra-1 home fails", "fra-2 home fails", "fra-1 name fails"]
    assert said(turns, sample(UP, "fra-2")) == ["fra-2 home works"]
    assert said(turns, *both) == ["fra-2 home fails"]


def test_turns_within_one_commit_are_all_told(turns: Turns) -> None:
    samples = (sample(DOWN), sample(UP), sample(SLOW), sample(DOWN))
    assert said(turns, *samples) == ["fra-1 home fails", "fra-1 home works", "fra-1 home fails"]


def test_what_is_late_or_no_evidence_turns_nothing(turns: Turns) -> None:
    assert said(turns, sample(DOWN, at_us=NOW - PROMPT_US)) == []
    assert said(turns, sample(FAULT)) == []
    assert said(turns, sample(DOWN, at_us=NOW - PROMPT_US + 1)) == ["fra-1 home fails"]
    assert said(turns, sample(FAULT), sample(UP, at_us=NOW - PROMPT_US)) == []
    assert said(turns, sample(DOWN)) == []


def test_a_probe_ended_when_it_had_taken_its_time_but_not_in_the_future(turns: Turns) -> None:
    late = sample(DOWN, at_us=NOW - 5 * SECOND, took_us=2 * SECOND)
    (told,) = turns.news([late], [], NOW).turns
    assert (told.at_us, told.ended_us) == (NOW - 5 * SECOND, NOW - 3 * SECOND)
    (told,) = turns.news([sample(DOWN, "nyc-1", took_us=1 << 61)], [], NOW).turns
    assert told.ended_us == NOW


def test_s10_a_failure_after_trouble_is_a_first_one(turns: Turns) -> None:
    said(turns, sample(DOWN), sample(DOWN, "nyc-1"))
    anchors(turns, is_good=True)
    assert said(turns, sample(DOWN)) == []
    anchors(turns, is_good=False)
    assert said(turns, sample(DOWN)) == []
    anchors(turns, is_good=True)
    assert said(turns, sample(DOWN), sample(DOWN, "nyc-1")) == ["fra-1 home fails"]


def test_after_a_restart_a_first_success_in_an_outage_is_a_turn(turns: Turns) -> None:
    turns.inherit(["home"])
    assert said(turns, sample(UP), sample(UP)) == ["fra-1 home works"]
    assert said(turns, sample(DOWN, "nyc-1")) == ["nyc-1 home fails"]
    assert said(turns, sample(UP, "nyc-1")) == ["nyc-1 home works"]
    assert said(turns, sample(UP, check="name")) == []
    turns.retain({"home", "name"}, set())
    assert said(turns, sample(UP, "sin-1")) == []


def test_a_retired_check_is_forgotten(turns: Turns) -> None:
    said(turns, sample(DOWN), sample(DOWN, check="name"))
    turns.retain({"name"}, set())
    assert said(turns, sample(DOWN), sample(DOWN, check="name")) == ["fra-1 home fails"]


def test_nothing_is_no_news(turns: Turns) -> None:
    assert not turns.news([sample(UP)], [], NOW)
    assert turns.news([sample(DOWN)], [], NOW)
