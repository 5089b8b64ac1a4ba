"""The situation: plans, posts and open outages as storage has them, whatever happened meanwhile."""

import pytest

from controller.core.posts import Post
from controller.ports.custody import Actor
from controller.ports.postings import Mode
from controller.services.agents.postings import Postings
from controller.services.outages.situation import Seen, Situation
from controller.services.results.turns import Turns
from tests.fakes.storage import FakeStorage
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line
from vedette.shared.result import Outcome

CONNECTED = {"fra-1": "fra", "nyc-1": "nyc"}
ADA = Actor("ada")


@pytest.fixture
def situation(world: World) -> Situation:
    return situation_of(world)


def situation_of(world: World) -> Situation:
    return Situation(world.storage, world.fleets, Turns(world.evaluator.prompt_us))


class Story:
    """Two regions fail together and recover together."""

    def __init__(self, world: World, running: Running) -> None:
        self.world = world
        self.running = running
        self.seq = 0

    async def say(self, outcome: str, count: int = 1, *, nyc: str = "") -> None:
        """Both regions say it, so many times a minute apart; nyc something else if that is given."""
        for _ in range(count):
            self.seq += 1
            self.world.now_us = START + self.seq * 60 * SECOND
            for region, one in (("fra", outcome), ("nyc", nyc or outcome)):
                said = frame(self.seq, line(self.seq, self.world.now_us, one, region))
                await self.running.give(said, region)


@pytest.fixture
def story(world: World, running: Running) -> Story:
    return Story(world, running)


def test_plans_are_of_the_fleet_in_force(world: World, situation: Situation) -> None:
    first = situation.look(CONNECTED, world.now_us).plans
    home = first["shop-home"]
    assert (home.regions, home.interval_us) == (("fra", "nyc", "sin"), 60 * SECOND)
    assert (home.outage_interval_us, home.fail_after, home.recover_after) == (15 * SECOND, 2, 2)
    assert situation.look(CONNECTED, world.now_us).plans is first
    text = FLEET.replace(b"every: 60s, timeout: 10s", b"every: 20s, timeout: 10s")
    world.fleets.apply(text, "fleet.yaml", "ada")
    second = situation.look(CONNECTED, world.now_us).plans
    assert second["shop-home"].interval_us == 20 * SECOND
    assert second["shop-home"].revision != home.revision
    assert second["shop-dns"] == first["shop-dns"]


def test_without_a_fleet_there_is_nothing_to_look_at(storage: FakeStorage) -> None:
    assert situation_of(World(storage)).look({}, START) == Seen({}, {})


def test_agents_that_are_not_to_probe_have_no_post(world: World, situation: Situation) -> None:
    assert situation.look(CONNECTED, START).posts == {"fra-1": Post("fra"), "nyc-1": Post("nyc")}
    postings = Postings(world.storage, lambda: world.now_us)
    postings.label("fra-1", {"isp": "a"}, [], ADA)
    postings.set_mode("nyc-1", Mode.DRAIN, "", ADA)
    assert len(situation.look(CONNECTED, START + SECOND - 1).posts) == 2, "they are not read often"
    posts = situation.look(CONNECTED, START + SECOND).posts
    assert posts == {"fra-1": Post("fra", frozenset({("isp", "a")}), 0)}


async def test_an_outage_is_out_until_it_ends(
    world: World, situation: Situation, story: Story
) -> None:
    await story.say("up", 2)
    assert situation.look(CONNECTED, world.now_us).out == frozenset()
    await story.say("down", 3)
    assert situation.look(CONNECTED, world.now_us).out == {"shop-home"}
    assert situation.look(CONNECTED, world.now_us).out == {"shop-home"}
    await story.say("up", 3)
    assert situation.look(CONNECTED, world.now_us).out == frozenset()
    # Within the merge gap it is the same outage, open again.
    await story.say("down", 2)
    assert situation.look(CONNECTED, world.now_us).out == {"shop-home"}


async def test_an_outage_of_one_region_is_out_there_alone(
    world: World, situation: Situation, story: Story
) -> None:
    await story.say("up", 2)
    situation.look(CONNECTED, world.now_us)
    await story.say("down", 5, nyc="up")
    for seen in (situation, situation_of(world)):
        found = seen.look(CONNECTED, world.now_us)
        assert found.out == frozenset()
        assert found.regional == frozenset({("shop-home", "fra")})
    await story.say("up", 3)
    assert situation.look(CONNECTED, world.now_us).regional == frozenset()


async def test_an_outage_that_late_evidence_took_back_is_not_out(
    world: World, situation: Situation, story: Story
) -> None:
    await story.say("down", 3)
    assert situation.look(CONNECTED, world.now_us).out == {"shop-home"}
    # Anchors say that it was the agents' own trouble.
    for region in ("fra", "nyc"):
        rounds = [
            line(n, at_us, "up", region, stream="@anchors", check="@anchors", ok=ok, total=3)
            for n, (at_us, ok) in enumerate([(START, 3), (START + 60 * SECOND, 0)], 1)
        ]
        await story.running.give(frame(1, *rounds, stream="@anchors"), region)
    assert situation.look(CONNECTED, world.now_us).out == frozenset()


async def test_after_a_restart_what_is_out_is_known_from_storage(
    world: World, story: Story
) -> None:
    await story.say("down", 3)
    await story.running.restart()
    situation = situation_of(world)
    assert situation.look(CONNECTED, world.now_us).out == {"shop-home"}
    await story.say("up", 3)
    assert situation.look(CONNECTED, world.now_us).out == frozenset()


async def test_a_first_success_after_a_restart_is_news(world: World, story: Story) -> None:
    await story.say("down", 3)
    turns = Turns(world.evaluator.prompt_us)
    Situation(world.storage, world.fleets, turns).look(CONNECTED, world.now_us)
    with world.storage.transaction() as tx:
        (sample, *_) = tx.samples("shop-home", START, world.now_us + 1)
    works = sample._replace(at_us=world.now_us, outcome=Outcome.UP)
    assert [turn.agent for turn in turns.news([works], [], world.now_us).turns] == ["fra-1"]
