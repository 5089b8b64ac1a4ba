"""Confirm now: who is to look when, in virtual time."""

import itertools
from collections import Counter
from dataclasses import replace

import pytest

from controller.core.confirmation import Confirmation
from controller.core.posts import Plan, Post
from controller.core.quota import Rate
from controller.core.wishes import Wishes
from tests.unit.core.confirming import AGENTS, PLAN, SECOND, START, World, looks


def test_a_first_failure_makes_every_region_look_at_once_and_again_two_seconds_later() -> None:
    world = World()
    world.fails("fra-1")
    # What fra has just seen was its look of now: another one would see the same moment.
    assert looks(world.until(30)) == {"fra-1": [2], "nyc-1": [0, 2], "sin-1": [0, 2]}


@pytest.mark.parametrize("fail_after", [1, 2, 3, 5])
def test_there_are_as_many_looks_as_a_confirmation_needs(fail_after: int) -> None:
    world = World()
    world.confirmation.adopt({"home": replace(PLAN, fail_after=fail_after)})
    world.fails("fra-1")
    expected = [2 * n for n in range(fail_after)]
    found = looks(world.until(14))
    assert (found["nyc-1"], found["sin-1"]) == (expected, expected)
    assert found.get("fra-1", []) == expected[1:]


def test_who_failed_after_a_long_wait_looks_at_once_like_the_others() -> None:
    world = World()
    world.fails("fra-1", took=10)
    assert looks(world.until(14)) == {agent: [0, 2] for agent in AGENTS}


def test_a_check_of_one_region_is_not_confirmed_by_one_moment() -> None:
    world = World()
    world.confirmation.adopt({"home": replace(PLAN, regions=("fra",))})
    world.fails("fra-1")
    assert looks(world.until(14)) == {"fra-1": [2]}


def test_an_agent_that_is_told_of_a_moment_late_looks_like_the_others() -> None:
    world = World()
    posts = dict(AGENTS)
    world.confirmation.post({a: p for a, p in posts.items() if a != "sin-1"}, START)
    world.fails("fra-1")
    before = looks(world.until(0.5))
    world.confirmation.post(posts, START + SECOND // 2)
    assert (before, looks(world.until(14))) == (
        {"nyc-1": [0]}, {"fra-1": [2], "nyc-1": [2], "sin-1": [0.5, 2.5]},
    )  # fmt: skip


def test_a_failure_is_looked_at_although_its_agent_was_not_known_to_be_there_yet() -> None:
    world = World()
    world.confirmation.post({a: p for a, p in AGENTS.items() if a != "fra-1"}, START)
    world.fails("fra-1")
    assert world.until(0.5) == []
    world.confirmation.post(AGENTS, START + SECOND // 2)
    assert looks(world.until(14)) == {"fra-1": [2], "nyc-1": [0.5, 2.5], "sin-1": [0.5, 2.5]}


def test_an_agent_that_comes_back_is_no_reason_to_look_again() -> None:
    world = World()
    world.fails("fra-1")
    world.until(50)
    world.confirmation.post({a: p for a, p in AGENTS.items() if a != "fra-1"}, world.now_us)
    world.until(52)
    world.confirmation.post(AGENTS, world.now_us)
    assert world.until(60) == []


def test_an_agent_that_comes_long_after_looks_began_keeps_to_its_slots() -> None:
    world = World()
    posts = dict(AGENTS)
    world.confirmation.post({a: p for a, p in posts.items() if a != "sin-1"}, START)
    world.fails("fra-1")
    world.until(50)
    world.confirmation.post(posts, START + 50 * SECOND)
    assert "sin-1" not in looks(world.until(60))


def test_a_blip_that_nobody_sees_any_more_is_not_looked_at_again() -> None:
    world = World()
    world.fails()
    world.until(1)
    world.works()
    assert world.until(30) == []


def test_a_failure_that_the_others_see_is_looked_at_although_the_first_recovered() -> None:
    world = World()
    world.fails("fra-1")
    world.until(1)
    world.works("fra-1")
    world.fails("nyc-1")
    assert looks(world.until(14)) == {agent: [2] for agent in AGENTS}


def test_a_check_that_flaps_is_looked_at_no_more_often_than_in_an_outage() -> None:
    world = World()
    for second in range(60):
        world.fails()
        world.until(second + 0.5)
        world.works()
        world.until(second + 1)
    asked = looks(world.asked)["nyc-1"]
    assert len(asked) <= 4 * PLAN.fail_after
    assert asked[0] == 0


def test_looks_that_came_too_soon_after_others_are_made_up_for_if_it_still_fails() -> None:
    world = World()
    world.fails()
    world.until(1)
    world.works()
    world.until(6)
    world.fails("nyc-1")
    assert looks(world.until(30)) == {agent: [15, 17] for agent in AGENTS}


def test_the_opening_of_an_outage_lets_the_last_region_have_its_say() -> None:
    world = World()
    world.fails()
    world.until(1)
    world.fails("nyc-1")
    world.out("home")
    assert looks(world.until(2.5)) == {agent: [2] for agent in AGENTS}


def in_outage(*checks: str) -> World:
    world = World()
    world.out(*(checks or ("home",)))
    return world


def test_while_an_outage_is_open_nobody_is_silent_for_longer_than_it_says() -> None:
    world = in_outage()
    asked = looks(world.until(600))
    assert set(asked) == set(AGENTS)
    for times in asked.values():
        # Three between the slots of each minute: the slots themselves are the schedule's.
        assert len(times) == 30
        gaps = {round(b - a, 3) for a, b in itertools.pairwise(times)}
        assert gaps == {15, 30}
    assert len({times[0] % 15 for times in asked.values()}) == 3, "regions take turns"


def test_it_ends_when_the_outage_does() -> None:
    world = in_outage()
    world.until(60)
    world.out()
    assert world.until(600) == []
    assert len(world.confirmation) == 0


def test_a_first_success_in_an_outage_makes_every_region_look() -> None:
    world = in_outage()
    world.until(1)
    world.asked.clear()
    world.works("nyc-1")
    first = [one for one in world.until(3.5) if one[0] in (1, 3)]
    assert looks(first) == {"fra-1": [1, 3], "nyc-1": [3], "sin-1": [1, 3]}


def test_a_success_that_was_none_is_not_looked_at_again() -> None:
    world = in_outage()
    world.works()
    world.until(1)
    world.fails()
    assert 2 not in looks(world.until(3)).get("nyc-1", [])


def test_a_further_failure_in_an_outage_is_no_news() -> None:
    world = in_outage()
    world.fails("sin-1")
    assert all(seconds > 0 for seconds, *_ in world.until(0.5))


def test_a_region_that_still_fails_when_the_outage_closes_is_looked_at() -> None:
    world = in_outage()
    world.fails("sin-1")
    world.until(0)
    world.out()
    assert looks(world.until(2)) == {"fra-1": [0, 2], "nyc-1": [0, 2], "sin-1": [2]}


def test_a_restart_within_an_outage_changes_nothing() -> None:
    before = in_outage()
    before.until(300)
    again = World(now_us=START + 120 * SECOND)
    again.out("home")
    again.until(300)
    assert again.asked == [one for one in before.asked if one[0] > 120]


def test_an_agent_that_comes_back_within_an_outage_is_asked_again() -> None:
    world = in_outage()
    others = {agent: post for agent, post in AGENTS.items() if agent != "fra-1"}
    world.confirmation.post(others, world.now_us)
    assert "fra-1" not in looks(world.until(60))
    world.confirmation.post(AGENTS, world.now_us)
    assert len(looks(world.until(120))["fra-1"]) == 3


@pytest.mark.parametrize("plans", [{}, {"home": replace(PLAN, revision="r2")}])
def test_a_check_that_is_retired_or_changed_is_looked_at_no_more(plans: dict[str, Plan]) -> None:
    world = World()
    world.fails()
    world.until(1)
    world.confirmation.adopt(plans)
    assert world.until(30) == []


def test_an_outage_goes_on_under_a_check_that_was_changed() -> None:
    world = in_outage()
    world.until(20)
    world.confirmation.adopt({"home": replace(PLAN, revision="r2", outage_interval_us=30 * SECOND)})
    world.out("home")
    assert len(looks(world.until(320))["fra-1"]) in (4, 5, 6)


def test_only_agents_that_probe_a_check_are_asked() -> None:
    world = World()
    posts = {
        **AGENTS,
        "fra-2": Post("fra", frozenset({("isp", "a"), ("rack", "1")})),
        "lon-1": Post("lon", frozenset({("isp", "a")})),
    }
    world.confirmation.post(posts, world.now_us)
    world.confirmation.adopt({"home": replace(PLAN, labels=frozenset({("isp", "a")}))})
    world.fails("fra-2")
    assert set(looks(world.until(30))) == {"fra-2"}


def test_an_agent_that_no_longer_probes_a_check_is_not_asked_what_was_wished_before() -> None:
    world = World()
    labels = frozenset({("isp", "a")})
    posts = {agent: Post(post.region, labels) for agent, post in AGENTS.items()}
    world.confirmation.post(posts, world.now_us)
    world.confirmation.adopt({"home": replace(PLAN, labels=labels)})
    world.fails("fra-1")
    world.until(0)
    world.confirmation.post({**posts, "nyc-1": Post("nyc")}, world.now_us)
    assert set(looks(world.until(30))) == {"fra-1", "sin-1"}


def test_a_check_that_nobody_knows_and_a_region_without_a_vote_change_nothing() -> None:
    world = World()
    world.fails("fra-1", check="gone")
    world.fails("lon-1")
    world.out("gone")
    assert world.until(60) == []
    assert len(world.confirmation) == 0


def test_a_slow_check_needs_no_looks_between_its_slots() -> None:
    world = World()
    world.confirmation.adopt({"home": replace(PLAN, outage_interval_us=60 * SECOND)})
    world.out("home")
    assert world.until(600) == []


def test_a_regional_outage_is_looked_at_where_it_is() -> None:
    world = World()
    world.out(regional=[("home", "fra")])
    assert set(looks(world.until(60))) == {"fra-1"}
    world.asked.clear()
    world.works("fra-1")
    assert 62 in looks(world.until(63))["fra-1"]
    assert set(looks(world.asked)) == {"fra-1"}


def test_a_regional_outage_keeps_no_other_region_from_being_confirmed() -> None:
    world = World()
    world.out(regional=[("home", "fra")])
    world.until(1)
    world.fails("nyc-1")
    at_once = {agent for seconds, agent, _ in world.until(1.5) if seconds == 1}
    assert at_once == {"fra-1", "sin-1"}


def test_what_was_watched_is_forgotten_when_all_is_well() -> None:
    world = World()
    world.fails()
    world.until(1)
    world.works()
    world.until(20)
    world.confirmation.orders(world.now_us)
    assert len(world.confirmation) == 0


def test_of_more_checks_than_can_be_looked_at_each_has_its_turn() -> None:
    """200 checks wish for 10 looks a second of each agent, which gives 2."""
    world = World(Confirmation(Wishes(Rate(2, 2))))
    names = [f"c{n}" for n in range(200)]
    world.confirmation.adopt({name: replace(PLAN, check=name) for name in names})
    world.out(*names)
    asked = world.until(300)
    counts = Counter((agent, check) for _, agent, check in asked)
    assert len(counts) == len(names) * len(AGENTS)
    assert set(counts.values()) <= {2, 3, 4}
