"""The page that explains an outage: who said what and how fresh it was, what did not count and why."""

import pytest

from controller.core.instants import instant_text
from controller.services.outages import explain
from controller.services.outages.explanation import SampleView
from controller.services.outages.outages import Outages
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line
from tests.unit.services.story import REGIONS, Story


@pytest.fixture
def story(world: World, running: Running) -> Story:
    return Story(world, running)


@pytest.fixture
def outages(world: World) -> Outages:
    return Outages(world.storage, world.evaluator, lambda: world.now_us)


async def outage(story: Story) -> None:
    """OUT-1: rounds 5 to 9 fail everywhere."""
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    await story.rounds(10, 15)


async def test_each_vote_says_by_which_result_and_how_many_it_took(
    story: Story, outages: Outages
) -> None:
    await outage(story)
    told = outages.explain("OUT-1")
    began = next(one for one in told.ballots if one.from_us == START + 320 * SECOND)
    assert (began.down, began.voters, began.needed) == (2, 3, 2)
    seen = [
        (v.region, v.label, v.sample_us, v.confirmed_us)
        for v in began.voices
    ]  # fmt: skip
    assert seen == [
        ("fra", "DOWN", START + 300 * SECOND, START + 360 * SECOND),
        ("nyc", "DOWN", START + 320 * SECOND, START + 380 * SECOND),
        ("sin", "UP", START + 280 * SECOND, None),
    ]


async def test_a_region_without_a_vote_says_why(story: Story, outages: Outages) -> None:
    """nyc falls silent, sin never spoke, and of fra's first failure nothing is certain yet."""
    for number in range(1, 6):
        await story.one(number, "nyc", is_down=True, place=1)
    await story.one(7, "fra", is_down=True)
    await story.one(8, "fra", is_down=True)
    await story.one(8, "nyc", is_down=True, place=1)
    await story.one(9, "nyc", is_down=True, place=1)
    told = outages.explain(outages.list()[0].handle)
    reasons = {(v.region, v.why) for one in told.ballots for v in one.voices if v.why}
    assert ("sin", "no result before") in reasons
    assert ("nyc", "its last result was too old") in reasons
    too_few = [one for one in told.ballots if one.verdict == "UNKNOWN"]
    assert {one.needed for one in too_few} == {None}


def of(samples: list[SampleView], region: str) -> list[tuple[int, str, str]]:
    return [
        (one.sample.seq, one.label, one.why_not) for one in samples if one.sample.region == region
    ]


async def test_what_does_not_count_says_why(story: Story, outages: Outages) -> None:
    await outage(story)
    # sin's agent could not probe once, and its network was in trouble for two rounds.
    at_us = START + 930 * SECOND
    fault = line(15, at_us, "agent_error", "sin", kind="no_route")
    story.world.now_us = at_us
    await story.running.give(frame(15, fault), "sin")
    rounds = [
        line(
            n, START + minute * 60 * SECOND, region="sin", check="@anchors", stream="@anchors",
            ok=ok, total=4,
        )
        for n, (minute, ok) in enumerate(((11, 4), (12, 1), (14, 4)), 1)
    ]  # fmt: skip
    await story.running.give(frame(1, *rounds, stream="@anchors"), "sin")
    told = outages.explain("OUT-1")
    why = {seq: (label, reason) for seq, label, reason in of(list(told.samples), "sin")}
    assert why[15] == ("NONE", "the fault was the agent's own, so it says nothing of the target")
    assert why[12] == (
        "NONE",
        "the agent's own network was in trouble: 1 of 4 anchors answered",
    )
    assert why[5] == ("DOWN", "")
    (trouble,) = told.troubles
    assert (trouble.agent, trouble.ok, trouble.total) == ("sin-1", 1, 4)
    assert (trouble.from_us, trouble.to_us) == (START + 660 * SECOND, START + 840 * SECOND)


async def test_blips_say_that_nothing_confirmed_them(story: Story, outages: Outages) -> None:
    await story.rounds(1, 4)
    await story.one(4, "fra", is_down=True)
    await story.one(5, "fra", is_down=False)
    await story.one(6, "fra", is_down=True)
    await story.one(7, "fra", is_down=True)
    await story.one(8, "fra", is_down=False)
    await story.one(9, "fra", is_down=True)
    for number in range(4, 10):
        await story.one(number, "nyc", is_down=number >= 6, place=1)
    told = outages.explain("OUT-1")
    reasons = {seq: why for seq, _, why in of(list(told.samples), "fra")}
    assert reasons[4] == "a failure that no other confirmed"
    assert reasons[8] == "a success that no other confirmed"
    runs = [(r.is_down, r.count, r.certain is not None) for r in told.runs if r.region == "fra"]
    assert runs == [
        (False, 3, True), (True, 1, False), (False, 1, True), (True, 2, True), (False, 1, False),
        (True, 1, True),
    ]  # fmt: skip


async def test_a_late_result_says_how_late(story: Story, outages: Outages) -> None:
    await outage(story)
    late = line(15, START + 890 * SECOND)
    story.world.now_us = START + 3000 * SECOND
    await story.running.give(frame(15, late), "fra")
    told = outages.explain("OUT-1")
    views = {one.sample.seq: one for one in told.samples if one.sample.region == "fra"}
    assert views[15].late_us == 2110 * SECOND
    assert views[14].late_us is None
    assert views[14].received_us == START + 841 * SECOND


async def test_of_a_long_outage_the_start_and_the_end_are_read(
    story: Story, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 60, down=REGIONS)
    await story.rounds(60, 65)
    whole = outages.explain("OUT-1")
    monkeypatch.setattr(explain, "_READ_RUNS_MAX", 4)
    parted = outages.explain("OUT-1")
    assert whole.skipped is None
    start_us, end_us = START + 320 * SECOND, START + 3620 * SECOND
    assert parted.skipped == (start_us + 600 * SECOND, end_us - 600 * SECOND)
    assert parted.bounds == whole.bounds
    assert parted.doubts == whole.doubts
    shown = [one.sample for one in parted.samples]
    assert shown == [
        one.sample
        for one in whole.samples
        if not parted.skipped[0] <= one.sample.at_us < parted.skipped[1]
    ]
    for region in REGIONS:
        seen = [(r.is_down, r.is_older, r.goes_on) for r in parted.runs if r.region == region]
        assert seen == [
            (False, False, False), (True, False, True), (True, True, False), (False, False, False)
        ]  # fmt: skip
    assert parted.ballots[0] == whole.ballots[0]
    assert parted.ballots[-1] == whole.ballots[-1]


async def test_an_outage_that_goes_on_is_explained_until_now(
    story: Story, outages: Outages
) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    told = outages.explain("OUT-1")
    assert told.to_us == story.world.now_us + 1
    assert told.outage.body.ended_us is None
    assert told.history[-1].event.kind == "confirmed"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            b'shop.example/"}}',
            b'shop.example/"}, regions: [fra, nyc]}',
            (
                "another definition was in force: The check is DOWN when more than half of the regions"
                " that report say so (2 of 2 when all 2 report)"
            ),
        ),
        (
            b'  - {id: shop-home, service: shop, every: 60s, timeout: 10s, http: {url: "https://shop.example/"}}\n',
            b"",
            "there was no such check.",
        ),
        (b'shop.example/"}}', b'shop.example/", method: HEAD}}', ""),
    ],
    ids=["a region less", "retired", "the same rule"],
)
async def test_a_definition_that_comes_within_an_outage_is_told(
    story: Story, outages: Outages, old: bytes, new: bytes, expected: str
) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 8, down=REGIONS)
    before = outages.explain("OUT-1").rule
    at_us = story.world.now_us
    assert not story.world.fleets.apply(FLEET.replace(old, new), "fleet.yaml", "ada").problems
    story.world.now_us += 60 * SECOND
    story.world.evaluator.advance(story.world.now_us)
    rule = outages.explain("OUT-1").rule
    assert rule.startswith(before)
    added = f" From {instant_text(at_us)} on {expected}" if expected else ""
    assert rule.removeprefix(before).startswith(added)
    assert bool(rule.removeprefix(before)) == bool(expected)


async def test_what_was_retracted_is_neither_bounded_nor_said_to_be_doubtful(
    story: Story, outages: Outages
) -> None:
    """nyc was in trouble all along: OUT-1 is none any more, though sin was down by itself."""
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=("nyc", "sin"))
    await story.rounds(10, 15)
    assert outages.explain("OUT-1").doubts
    rounds = [
        line(
            n, START + minute * 60 * SECOND, region="nyc", check="@anchors", stream="@anchors",
            ok=ok, total=4,
        )
        for n, (minute, ok) in enumerate(((4, 4), (5, 0), (10, 0), (11, 4)), 1)
    ]  # fmt: skip
    await story.running.give(frame(1, *rounds, stream="@anchors"), "nyc")
    told = outages.explain("OUT-1")
    assert told.outage.retraction is not None
    assert told.bounds.startswith("This outage was retracted, so that nothing is bounded.")
    assert told.doubts == []
