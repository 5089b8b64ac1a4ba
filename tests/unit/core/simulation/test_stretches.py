"""What is not played changes nothing: the shortcut gives what playing every single result gives."""

import pytest

from controller.core.intervals import Interval
from controller.core.simulation.faults import fate_of
from controller.core.simulation.paths import Link, Path, Times
from controller.core.simulation.rules import compared
from controller.core.simulation.run import simulate
from controller.core.simulation.stretches import reach_of, stretches, votes_needed
from tests.unit.core.simulation.scenes import DARK, MIXED, scenario
from vedette.shared.result import Outcome


@pytest.mark.parametrize("text", [MIXED, DARK], ids=["mixed", "dark"])
@pytest.mark.parametrize("seed", [2, 51, 55])
def test_the_shortcut_gives_what_all_results_give(text: bytes, seed: int) -> None:
    short, whole = (simulate(scenario(text, seed), in_full=full) for full in (False, True))
    for one, other in zip(short.rules, whole.rules, strict=True):
        assert one.alarms == other.alarms, one.id
        assert one.score == other.score
        assert one.played <= other.played


def test_most_of_a_quiet_month_is_not_played() -> None:
    text = MIXED[: MIXED.index(b"faults:")].replace(b"8h", b"30d").replace(b"0.8%", b"0.05%")
    result = simulate(scenario(text, 1))
    assert result.scheduled == 2 * 5 * 30 * 1440
    assert all(rule.played < result.scheduled // 20 for rule in result.rules)


def test_every_slot_of_a_living_agent_is_counted() -> None:
    made = scenario(MIXED, 3)
    fate = fate_of(made)
    for agent in fate.agents:
        link = Link(made, agent, fate.conditions[agent.id])
        path = Path(made, fate, link, "check-1", Times(fate.down["check-1"]))
        assert path.slot_count == len(list(path.slots(made.start_us, made.end_us)))


def test_a_probe_fails_only_in_trouble() -> None:
    made = scenario(MIXED, 4)
    fate = fate_of(made)
    link = Link(made, fate.agents[1], fate.conditions[fate.agents[1].id])
    path = Path(made, fate, link, "check-1", Times(fate.down["check-1"]))
    times = Times(path.troubles)
    failed = 0
    for at_us in range(made.start_us, made.end_us, 7_000_000):
        if path.seen(at_us).outcome is Outcome.DOWN and at_us not in link.dead:
            failed += 1
            assert at_us in times
    assert failed


def test_a_rule_that_needs_no_votes_is_played_whole() -> None:
    made = scenario(DARK)
    rules = {one.id: compared(made.check, one, made.terms.regions) for one in made.rules}
    assert [votes_needed(rules[name]) for name in ("any", "all", "half", "always")] == [1, 1, 1, 0]
    fate = fate_of(made)
    links = [Link(made, agent, fate.conditions[agent.id]) for agent in fate.agents]
    paths = [Path(made, fate, link, "check-1", Times(())) for link in links]
    whole = Interval(made.start_us, made.end_us)
    reach = reach_of(rules["always"], paths[0], 100_000, 0)
    assert stretches(rules["always"], paths, reach, *whole) == [whole]
