"""The ledger of outages: what is news of one, what was known when, and why it was learnt."""

import pytest

from controller.errors import BadInput, NotFound
from controller.ports.events import Cause, EventKind, OutageEvent
from controller.services.outages.outage_body import decode_body
from controller.services.outages.outages import Outages
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line
from tests.unit.services.story import REGIONS, Story


@pytest.fixture
def story(world: World, running: Running) -> Story:
    return Story(world, running)


@pytest.fixture
def outages(world: World) -> Outages:
    return Outages(world.storage, world.evaluator, lambda: world.now_us)


def events(story: Story, number: int = 1) -> list[OutageEvent]:
    with story.world.storage.transaction() as tx:
        return list(tx.events_of(number))


def kinds(story: Story, number: int = 1) -> list[str]:
    return [one.kind.value for one in events(story, number)]


async def outage(story: Story) -> None:
    """OUT-1: rounds 5 to 9 fail everywhere."""
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    await story.rounds(10, 15)


async def test_an_outage_opens_is_confirmed_and_closes(story: Story) -> None:
    await outage(story)
    opened, confirmed, closed = events(story)
    # Two failures in a row of two regions make it certain, and the first of them was down for a while.
    assert [one.kind for one in (opened, confirmed, closed)] == [
        EventKind.OPENED, EventKind.CONFIRMED, EventKind.CLOSED
    ]  # fmt: skip
    assert [one.revision for one in (opened, confirmed, closed)] == [1, 2, 3]
    assert opened.recorded_us == confirmed.recorded_us == START + 381 * SECOND
    assert closed.recorded_us == closed.closed_known_us == START + 681 * SECOND
    assert {one.detected_us for one in (opened, confirmed, closed)} == {opened.recorded_us}
    assert decode_body(opened.body).ended_us is None
    assert decode_body(closed.body).downtime_us == 300 * SECOND


async def test_an_event_names_the_line_that_came_with_it(story: Story) -> None:
    await outage(story)
    opened, _, closed = events(story)
    assert (opened.cause, opened.line_count) == (Cause.LINES, 1)
    assert opened.lines[0] == ("nyc-1", "e1", "shop", 6, START + 380 * SECOND, "down")
    assert closed.lines[0] == ("nyc-1", "e1", "shop", 11, START + 680 * SECOND, "up")


async def test_that_an_open_outage_goes_on_is_no_news(story: Story) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 60, down=REGIONS)
    story.world.evaluator.advance(story.world.now_us)
    story.world.evaluator.settle()
    assert kinds(story) == ["opened", "confirmed"]


async def test_a_restart_is_no_news(story: Story) -> None:
    await outage(story)
    await story.rounds(15, 20, down=REGIONS)
    before = events(story), events(story, 2)
    await story.running.restart()
    story.world.evaluator.rebuild(story.world.now_us)
    story.world.evaluator.advance(story.world.now_us)
    assert (events(story), events(story, 2)) == before


async def test_what_was_undone_was_never_told(story: Story) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 6, down=REGIONS)
    story.world.storage.is_full = True
    story.seqs["fra"] += 1
    at_us = story.world.now_us = START + 360 * SECOND
    given = story.running.give_soon(frame(6, line(6, at_us, "down")))
    await story.world.storage.failed.wait()
    story.world.storage.is_full = False
    assert kinds(story) == []
    await given
    await story.one(6, "nyc", is_down=True, place=1)
    assert kinds(story) == ["opened", "confirmed"]


async def test_s15_failing_again_within_the_gap_reopens(story: Story) -> None:
    """Outages are glued over less than two minutes of good time."""
    await story.rounds(1, 5)
    await story.rounds(5, 8, down=REGIONS)
    await story.rounds(8, 10)
    assert kinds(story) == ["opened", "confirmed", "closed"]
    for number in (10, 11):
        for region in ("fra", "nyc"):
            await story.one(number, region, is_down=True)
    assert kinds(story) == ["opened", "confirmed", "closed", "reopened"]
    assert events(story)[-1].closed_known_us is None


async def late_fra(story: Story) -> None:
    """OUT-1 by nyc and sin alone; what fra saw comes late, and moves its start."""
    await story.rounds(1, 4)
    story.seqs["fra"] += 2
    for number in (4, 5):
        for region in ("nyc", "sin"):
            await story.one(number, region, is_down=True, place=REGIONS.index(region))
    lines = [line(n, START + n * 60 * SECOND, "down") for n in (4, 5)]
    story.world.now_us += 3 * SECOND
    await story.running.give(frame(4, *lines))


async def test_s19_a_start_that_late_results_move_is_a_revision(
    story: Story, outages: Outages
) -> None:
    await late_fra(story)
    opened, *_, revised = events(story)
    assert revised.kind is EventKind.REVISED
    before, after = decode_body(opened.body), decode_body(revised.body)
    assert after.started_us < before.started_us
    assert revised.carried_from == before.id != after.id
    _, entries = outages.history("OUT-1")
    last = entries[-1]
    assert last.words.startswith("Revised: the start is 20s earlier")
    assert "The handle stayed" in last.words
    assert last.why == "2 lines came, 1 of the 2 below late."
    assert [(one.line.seq, one.late_us) for one in last.lines] == [(4, 104 * SECOND), (5, None)]
    changed = {one.field: (one.before, one.after) for one in last.changes}
    assert changed["started_us"] == (str(before.started_us), str(after.started_us))


async def test_a_hole_that_late_trouble_makes_in_an_open_outage_is_a_revision(
    story: Story,
) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 15, down=REGIONS)
    assert kinds(story) == ["opened", "confirmed"]
    # fra and nyc could not reach their anchors over rounds 8 and 9: sin alone is too little evidence.
    for region in ("fra", "nyc"):
        rounds = [
            line(
                n, START + minute * 60 * SECOND, region=region, check="@anchors",
                stream="@anchors", ok=ok, total=4,
            )
            for n, (minute, ok) in enumerate(((7, 4), (8, 0), (9, 0), (11, 4)), 1)
        ]  # fmt: skip
        await story.running.give(frame(1, *rounds, stream="@anchors"), region)
    told = events(story)
    assert [one.kind.value for one in told] == ["opened", "confirmed", "revised"]
    assert decode_body(told[-1].body).unknown_us > 0
    assert {one.said for one in told[-1].lines} == {"0 of 4 anchors", "4 of 4 anchors"}


async def retracted(story: Story) -> None:
    """OUT-1 by nyc and sin; nyc turns out to have been in trouble all along."""
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=("nyc", "sin"))
    await story.rounds(10, 15)
    rounds = [
        line(
            n, START + minute * 60 * SECOND, region="nyc", check="@anchors", stream="@anchors",
            ok=ok, total=4,
        )
        for n, (minute, ok) in enumerate(((4, 4), (5, 0), (10, 0), (11, 4)), 1)
    ]  # fmt: skip
    await story.running.give(frame(1, *rounds, stream="@anchors"), "nyc")


async def test_what_late_results_undo_is_retracted_and_stays_known(
    story: Story, outages: Outages
) -> None:
    await outage(story)
    assert outages.list() != []
    await story.running.restart()
    later = Story(story.world, story.running)
    later.seqs = story.seqs
    outages = Outages(story.world.storage, story.world.evaluator, lambda: story.world.now_us)
    rounds = [
        line(n, START + minute * 60 * SECOND, check="@anchors", stream="@anchors", ok=ok, total=4)
        for n, (minute, ok) in enumerate(((4, 4), (5, 0), (10, 0), (12, 4)), 1)
    ]
    for region in ("fra", "nyc"):
        own = [one.replace(b'"fra', b'"' + region.encode()) for one in rounds]
        await story.running.give(frame(1, *own, stream="@anchors"), region)
    assert kinds(story)[-1] == "retracted"
    assert outages.list() == []
    view = outages.show("OUT-1")
    assert view.retraction is not None
    assert view.retraction.absorbed_by == ""
    assert view.body.downtime_us > 0, "it is shown as it was last"
    _, entries = outages.history("OUT-1")
    assert entries[-1].words == (
        "Retracted: by the evidence that is known now there was no such outage."
    )
    assert outages.explain("OUT-1").bounds.startswith("This outage was retracted")
    # Its number is never given again; OUT-2 is what sin saw alone.
    await later.rounds(20, 25, down=REGIONS)
    assert [one.handle for one in outages.list()] == ["OUT-3"]


async def test_s21_what_was_known_then(story: Story, outages: Outages) -> None:
    await outage(story)
    known_us, closed_us = START + 381 * SECOND, START + 681 * SECOND
    (then,) = outages.list(as_of_us=known_us)
    assert (then.body.ended_us, then.closed_known_us, then.revision) == (None, None, 2)
    assert outages.list(as_of_us=known_us - 1) == []
    (after,) = outages.list(as_of_us=closed_us)
    assert after.body.ended_us == START + 620 * SECOND
    assert outages.list(as_of_us=closed_us, open_only=True) == []
    assert outages.list(as_of_us=known_us, to_us=START) == []
    assert outages.list(as_of_us=closed_us, from_us=START + 620 * SECOND) == []
    assert outages.show("OUT-1", as_of_us=known_us).body.ended_us is None
    with pytest.raises(NotFound, match=r"OUT-1 was not known at \S+: it was recorded at 2025-"):
        outages.show("OUT-1", as_of_us=known_us - 1)
    with pytest.raises(NotFound, match="There is no outage OUT-7, and there never was one"):
        outages.show("OUT-7", as_of_us=known_us)


async def test_s21_what_was_revised_later_is_as_it_was(story: Story, outages: Outages) -> None:
    await late_fra(story)
    first, *_, last = events(story)
    before = outages.show("OUT-1", as_of_us=last.recorded_us - 1)
    assert before.body == decode_body(first.body)
    assert outages.show("OUT-1").body.id == decode_body(last.body).id


async def test_another_definition_can_be_why(story: Story, outages: Outages) -> None:
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=("fra",))
    assert outages.list() == []
    before = FLEET.replace(b'shop.example/"}}', b'shop.example/"}, quorum: {rule: any}}')
    assert not story.world.fleets.apply(before, "fleet.yaml", "ada").problems
    story.world.now_us += 60 * SECOND
    story.world.evaluator.advance(story.world.now_us)
    view, entries = outages.history("OUT-2")
    assert view.body.started_us == START + 581 * SECOND, "when the definition came into force"
    assert entries[0].why.startswith("Time had passed")


async def test_s08_an_outage_is_confirmed_by_merely_going_on(
    story: Story, outages: Outages
) -> None:
    """With one failure enough, an outage opens before anything is certain; the next failures change no verdict."""
    rules = b'shop.example/"}, quorum: {fail_after: 1}}'
    fleet = FLEET.replace(b'shop.example/"}}', rules)
    assert not story.world.fleets.apply(fleet, "fleet.yaml", "ada").problems
    await story.rounds(1, 5)
    for region in ("fra", "nyc"):
        await story.one(5, region, is_down=True)
    assert kinds(story) == ["opened"]
    for region in ("fra", "nyc"):
        await story.one(6, region, is_down=True)
    story.world.evaluator.advance(story.world.now_us)
    assert kinds(story) == ["opened", "confirmed"]
    assert events(story)[-1].cause in (Cause.LINES, Cause.TIME)
    story.world.evaluator.advance(story.world.now_us)
    await story.running.restart()
    story.world.evaluator.rebuild(story.world.now_us)
    assert kinds(story) == ["opened", "confirmed"]


def test_a_time_that_ends_before_it_begins_is_refused(outages: Outages) -> None:
    assert outages.list(from_us=1, to_us=1) == []
    with pytest.raises(BadInput, match="--from is later than --to"):
        outages.list(from_us=2, to_us=1)
