"""The anchor rounds that are told of void what all of them would void."""

import pytest

from controller.core.intervals import clip
from controller.core.labels import bad_intervals
from controller.core.simulation.faults import fate_of
from controller.core.simulation.paths import Link, Path, Times
from controller.core.simulation.rounds import Anchors
from tests.unit.core.simulation.scenes import scenario

TROUBLED = b"""\
version: 1
title: Trouble
length: 12h
regions: [{id: fra}, {id: nyc}]
checks: {count: 3, every: 60s, timeout: 10s}
faults:
  - {kind: partition, regions: [fra], times: 6, lasting: {least: 1s, most: 40m}, anchors: 3}
  - {kind: death, regions: [fra], times: 3, lasting: {least: 1m, most: 1h}}
  - {kind: skew, regions: [fra], lasting: 1h, behind: 5s, measured: false}
"""


@pytest.mark.parametrize("seed", range(20))
def test_the_edges_of_trouble_say_what_all_rounds_say(seed: int) -> None:
    made = scenario(TROUBLED, seed)
    fate = fate_of(made)
    agent = fate.agents[0]
    link = Link(made, agent, fate.conditions[agent.id])
    anchors = Anchors(made, link)
    paths = [Path(made, fate, link, check, Times(())) for check in made.checks]
    told = [one.round for trouble in anchors.troubles(paths) for one in trouble.rounds]
    every = [
        anchors.heard(at_us).round for at_us in anchors.all_instants(made.start_us, made.end_us)
    ]
    assert len(told) < len(every)
    window = (made.start_us, made.end_us)
    assert clip(bad_intervals(told), *window) == clip(bad_intervals([*every, *told]), *window)


def test_an_agent_without_trouble_tells_nothing() -> None:
    made = scenario(TROUBLED)
    fate = fate_of(made)
    link = Link(made, fate.agents[1], fate.conditions["nyc-1"])
    assert Anchors(made, link).troubles([]) == []
