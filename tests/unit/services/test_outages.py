"""Outages: recorded once under a handle that stays, listed, and explained by what decided them."""

import pytest

from controller.errors import BadInput, NotFound
from controller.services.outages.handles import Extent, carried_over
from controller.services.outages.outages import Outages
from controller.services.timeline import evaluate
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.story import REGIONS, Story


@pytest.fixture
def story(world: World, running: Running) -> Story:
    return Story(world, running)


@pytest.fixture
def outages(world: World) -> Outages:
    return Outages(world.storage, world.evaluator, lambda: world.now_us)


async def test_an_outage_is_listed_with_what_it_was(story: Story, outages: Outages) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    (open_one,) = outages.list(open_only=True)
    assert (open_one.handle, open_one.service, open_one.body.ended_us) == ("OUT-1", "shop", None)
    assert open_one.body.until_us == story.world.now_us, "an open outage goes on"
    await story.rounds(10, 15)
    (closed,) = outages.list(check="shop-home")
    assert outages.list(open_only=True) == []
    # nyc is the second region to fail, and the second to recover.
    assert closed.body.started_us == START + 320 * SECOND
    assert closed.body.ended_us == START + 620 * SECOND
    assert closed.body.confirmed_us == START + 380 * SECOND
    assert closed.detected_us == START + 381 * SECOND
    assert closed.closed_known_us == START + 681 * SECOND
    assert closed.body.downtime_us == 300 * SECOND
    assert closed.body.regions == list(REGIONS)
    # The first failure of all came before two regions agreed.
    assert closed.body.kinds == [("http.status", 14)]


async def test_an_outage_is_explained_by_its_votes_and_samples(
    story: Story, outages: Outages
) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    await story.rounds(10, 20)
    told = outages.explain("out-1")
    assert told.outage.handle == "OUT-1"
    verdicts = [(b.verdict, b.from_us, b.to_us) for b in told.ballots]
    assert ("PARTIAL", START + 300 * SECOND, START + 320 * SECOND) in verdicts
    at_start = next(b for b in told.ballots if b.from_us == START + 320 * SECOND)
    assert (at_start.verdict, list(at_start.votes)) == (
        "DOWN", [("fra", "DOWN"), ("nyc", "DOWN"), ("sin", "UP")],
    )  # fmt: skip
    assert [a.to_us for a in told.ballots[:-1]] == [b.from_us for b in told.ballots[1:]]
    down = [one for one in told.samples if one.sample.outcome == "down"]
    assert len(down) == 15
    assert {one.label for one in down} == {"DOWN"}
    assert down[0].detail == "503 at 5"
    assert not any(one.is_voided for one in told.samples)
    times = [one.sample.at_us for one in told.samples]
    assert times == sorted(times)
    assert told.rule.startswith(
        "The check is DOWN when more than half of the regions that report say so"
        " (2 of 3 when all 3 report); with fewer than 2 reporting it is UNKNOWN."
        " A region says DOWN after 2 failures in a row and UP again after 2 successes in a row"
    )


async def test_an_old_outage_is_explained_like_a_new_one(
    story: Story, outages: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    await story.rounds(10, 100)
    new = outages.explain("OUT-1")
    monkeypatch.setattr(evaluate, "_KEPT_US", 600 * SECOND)
    story.world.evaluator.settle()
    await story.running.restart()
    forgetful = Outages(story.world.storage, story.world.evaluator, lambda: story.world.now_us)
    assert forgetful.explain("OUT-1") == new


async def test_s10_samples_of_an_agent_in_trouble_are_marked(
    story: Story, outages: Outages
) -> None:
    await story.rounds(1, 5, down=REGIONS)
    for seq, ok in enumerate((4, 0, 0, 4), 1):
        at_us = START + (seq * 60 + 10) * SECOND
        anchors = line(seq, at_us, check="@anchors", stream="@anchors", ok=ok, total=4)
        await story.running.give(frame(seq, anchors, stream="@anchors"))
    told = outages.explain("OUT-1")
    voided = [(o.sample.agent, o.sample.seq, o.label) for o in told.samples if o.is_voided]
    assert voided == [("fra-1", 2, "NONE"), ("fra-1", 3, "NONE"), ("fra-1", 4, "NONE")]


async def test_an_outage_is_explained_by_the_labels_that_decided_it(
    story: Story, outages: Outages
) -> None:
    """fra failed twice two hours ago, and has not succeeded twice in a row since: it is DOWN all along (OUT-1)."""
    for number in range(1, 150):
        await story.one(number, "fra", is_down=number < 3 or number % 2 == 0)
        await story.one(number, "nyc", is_down=120 <= number < 125, place=1)
    told = outages.explain("OUT-2")
    body = told.outage.body
    down = [ballot for ballot in told.ballots if ballot.verdict == "DOWN"]
    assert (down[0].from_us, down[-1].to_us) == (body.started_us, body.ended_us)
    assert {dict(ballot.votes)["fra"] for ballot in told.ballots} == {"DOWN"}
    assert {one.label for one in told.samples if one.sample.region == "fra"} == {"DOWN"}


async def test_s10_trouble_that_began_long_before_is_seen_in_the_explanation(
    story: Story, outages: Outages
) -> None:
    for seq, (minute, ok) in enumerate(((1, 4), (2, 0), (3, 0)), 1):
        at_us = START + minute * 60 * SECOND
        story.world.now_us = at_us
        anchors = line(seq, at_us, check="@anchors", stream="@anchors", ok=ok, total=4)
        await story.running.give(frame(seq, anchors, stream="@anchors"))
    await story.rounds(4, 100)
    await story.rounds(100, 105, down=("nyc", "sin"))
    told = outages.explain("OUT-1")
    assert all(one.is_voided == (one.sample.region == "fra") for one in told.samples)
    assert {dict(ballot.votes)["fra"] for ballot in told.ballots} == {"NONE"}


async def test_results_that_confirmed_are_told_from_those_of_the_schedule(
    story: Story, outages: Outages
) -> None:
    await story.rounds(1, 5)
    for region in REGIONS:
        for trigger, after in (("schedule", 0), ("confirm", 2)):
            story.seqs[region] += 1
            seq, at_us = story.seqs[region], START + (300 + after) * SECOND
            story.world.now_us = max(story.world.now_us, at_us)
            one = line(seq, at_us, "down", region, trigger=trigger)
            await story.running.give(frame(seq, one), region)
    failures = [one for one in outages.explain("OUT-1").samples if one.sample.outcome == "down"]
    assert [one.trigger for one in failures] == ["schedule"] * 3 + ["confirm"] * 3


async def test_s02_lines_that_were_overruled_are_shown_beside_the_one_that_counts(
    story: Story, outages: Outages
) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 8, down=REGIONS)
    at_us = START + 5 * 60 * SECOND
    other = line(5, at_us, "up", detail="all is well, says another line")
    await story.running.give(frame(5, other))
    told = outages.explain("OUT-1")
    both = [one for one in told.samples if one.sample.id.seq == 5 and one.sample.region == "fra"]
    assert [(o.sample.outcome.value, o.label, o.is_overruled, o.detail) for o in both] == [
        ("down", "DOWN", False, "503 at 5"),
        ("up", "NONE", True, "all is well, says another line"),
    ]
    assert sum(one.is_overruled for one in told.samples) == 1


async def test_s19_the_handle_stays_when_late_results_move_the_start(
    story: Story, outages: Outages
) -> None:
    await story.rounds(1, 4)
    story.seqs["fra"] += 2
    for region in ("nyc", "sin"):
        await story.one(4, region, is_down=True, place=REGIONS.index(region))
        await story.one(5, region, is_down=True, place=REGIONS.index(region))
    (before,) = outages.list()
    lines = [line(n, START + n * 60 * SECOND, "down") for n in (4, 5)]
    await story.running.give(frame(4, *lines))
    (after,) = outages.list()
    assert after.body.started_us < before.body.started_us
    assert after.body.id != before.body.id
    assert (after.handle, after.detected_us) == (before.handle, before.detected_us)


async def test_s19_an_outage_that_late_results_undo_is_gone(story: Story, outages: Outages) -> None:
    await story.rounds(1, 4)
    await story.one(4, "fra", is_down=True)
    await story.one(5, "fra", is_down=True)
    for number in range(6, 10):
        await story.one(number, "fra", is_down=True)
        await story.one(number, "nyc", is_down=False, place=1)
    assert outages.list() == []
    await story.one(10, "sin", is_down=True, place=2)
    await story.one(11, "sin", is_down=True, place=2)
    (one,) = outages.list()
    # The same numbers again with a better answer would conflict; what is late is what nyc saw meanwhile.
    late = [line(8 + n, START + ((10 + n) * 60 + 15) * SECOND, region="nyc") for n in range(2)]
    await story.running.give(frame(8, *late), "nyc")
    assert one.handle == "OUT-2", "OUT-1 is what fra saw alone before"
    with pytest.raises(NotFound, match="There is no outage OUT-3"):
        outages.explain("OUT-3")


def test_filters(outages: Outages) -> None:
    with pytest.raises(NotFound, match="There is no check 'nothing'"):
        outages.list(check="nothing")
    for handle in ("", "OUT-", "OUT-0", "12x", "OUT-1; DROP"):
        with pytest.raises(BadInput, match="such as OUT-12"):
            outages.explain(handle)


@pytest.mark.parametrize(
    ("vanished", "new", "heirs"),
    [
        pytest.param([("a", 0, 10)], [("b", 5, 20)], {"b": "a"}, id="overlap"),
        pytest.param([("a", 0, 10)], [("b", 10, 20)], {}, id="touching is another story"),
        pytest.param(
            [("a", 0, 100)], [("b", 0, 30), ("c", 40, 100)], {"c": "a"}, id="the largest overlap"
        ),
        pytest.param(
            [("a", 0, 100)], [("c", 60, 90), ("b", 10, 40)], {"b": "a"}, id="the earliest on a tie"
        ),
        pytest.param(
            [("a", 0, 30), ("b", 40, 100)], [("c", 0, 100)], {"c": "b"}, id="two become one"
        ),
        pytest.param(
            [("a", 0, 30), ("b", 40, 100)], [("c", 0, 35), ("d", 36, 100)],
            {"c": "a", "d": "b"}, id="each its own",
        ),
    ],
)  # fmt: skip
def test_s19_handles_go_to_the_largest_overlap(
    vanished: list[tuple[str, int, int]], new: list[tuple[str, int, int]], heirs: dict[str, str]
) -> None:
    assert carried_over([Extent(*v) for v in vanished], [Extent(*n) for n in new]) == heirs
