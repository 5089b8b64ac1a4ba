"""Storms: 2,000 checks that fail at once neither multiply the load nor go without a verdict."""

from bisect import bisect_left
from collections.abc import Sequence

import pytest

from tests.unit.services.storm import REGIONS, SECOND, START, Storm, Weather
from vedette.shared.limits import (
    CONFIRM_AGENT_ORDERS_PER_SECOND,
    CONFIRM_FEW_FAILURES,
    CONFIRM_ORDERS_PER_SECOND,
)

CHECKS = 2000
FAILS_US = START + 90 * SECOND
AGENTS = [f"{region}-1" for region in REGIONS]


def most_within(times: Sequence[int], span_us: int) -> int:
    """The most instants that lie within a span of this length."""
    ordered = sorted(times)
    return max(
        (bisect_left(ordered, at_us + span_us) - place for place, at_us in enumerate(ordered)),
        default=0,
    )


def assert_within_the_budget(storm: Storm) -> None:
    """A burst at once, and the rate from then on: over any second no more than twice the rate."""
    for agent in AGENTS:
        own = [at_us for at_us, asked, _ in storm.orders if asked == agent]
        assert most_within(own, SECOND) <= 2 * CONFIRM_AGENT_ORDERS_PER_SECOND
        assert most_within(own, 30 * SECOND) <= 31 * CONFIRM_AGENT_ORDERS_PER_SECOND
    everything = [at_us for at_us, _, _ in storm.orders]
    assert most_within(everything, SECOND) <= 2 * CONFIRM_ORDERS_PER_SECOND


@pytest.fixture(scope="module")
def targets_fail() -> Storm:
    """Everything fails for everybody, and the agents are in order."""
    storm = Storm(Weather(target=lambda _, at_us: at_us >= FAILS_US), CHECKS)
    storm.run(90 + 101)
    return storm


def test_orders_stay_within_the_budget(targets_fail: Storm) -> None:
    assert_within_the_budget(targets_fail)


def test_the_anchors_come_first(targets_fail: Storm) -> None:
    for agent in AGENTS:
        answered_us = min(
            at for at, who, _ in targets_fail.rounds if who == agent and at > FAILS_US
        )
        before = {check for at_us, _, check in targets_fail.orders if at_us < answered_us}
        assert len(before) <= CONFIRM_FEW_FAILURES * len(AGENTS)


def test_every_check_is_judged_and_soon(targets_fail: Storm) -> None:
    assert len(targets_fail.opened) == CHECKS
    delays = sorted(at_us - FAILS_US for at_us in targets_fail.opened.values())
    # By slots alone the median is 70 s: a slot within 20 s, and the next of two regions 60 s later.
    assert delays[len(delays) // 2] < 40 * SECOND
    assert delays[-1] < 101 * SECOND, "and none comes later than by slots"


def test_the_load_is_not_multiplied(targets_fail: Storm) -> None:
    regular = CHECKS * 191 / 60
    for agent in AGENTS:
        assert targets_fail.runs[agent] < regular + 102 * CONFIRM_AGENT_ORDERS_PER_SECOND


def test_no_check_is_asked_about_much_more_than_the_others(targets_fail: Storm) -> None:
    counts = dict.fromkeys(targets_fail.names, 0)
    for at_us, _, check in targets_fail.orders:
        if at_us < FAILS_US + 60 * SECOND:
            counts[check] += 1
    ordered = sorted(counts.values())
    assert ordered[-1] <= 4 * len(AGENTS)
    assert ordered[CHECKS // 20] >= 1, "nearly all had a look"


def test_an_agent_whose_network_died_asks_nobody() -> None:
    storm = Storm(
        Weather(network=lambda agent, at_us: agent == "fra-1" and at_us >= FAILS_US), CHECKS
    )
    storm.run(90 + 70)
    assert len(storm.orders) <= CONFIRM_FEW_FAILURES * len(AGENTS) * 2
    assert storm.opened == {}, "one blind site is no outage"


def test_after_its_trouble_what_really_fails_is_confirmed() -> None:
    """The network of fra is back after 40 s, and ten targets are down by then."""
    back_us = FAILS_US + 40 * SECOND
    down = {f"check-{n}" for n in range(10)}
    storm = Storm(
        Weather(
            target=lambda check, at_us: check in down and at_us >= FAILS_US + 30 * SECOND,
            network=lambda agent, at_us: agent == "fra-1" and FAILS_US <= at_us < back_us,
        ),
        200,
    )
    storm.run(90 + 70)
    assert set(storm.opened) == down
    assert max(storm.opened.values()) - FAILS_US < 60 * SECOND


def test_agents_without_anchors_stay_within_the_budget_too() -> None:
    storm = Storm(
        Weather(target=lambda _, at_us: at_us >= FAILS_US), CHECKS // 4, has_anchors=False
    )
    storm.run(90 + 60)
    assert_within_the_budget(storm)
    assert len(storm.opened) > 0.9 * CHECKS // 4


def test_the_end_of_a_storm_is_known_sooner_than_by_slots() -> None:
    ends_us = FAILS_US + 60 * SECOND
    storm = Storm(Weather(target=lambda _, at_us: FAILS_US <= at_us < ends_us), 300)
    storm.run(90 + 60)
    assert len(storm.opened) == 300
    storm.run(25)
    assert storm.out == set()
    assert_within_the_budget(storm)
