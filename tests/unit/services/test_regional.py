"""Outages of a single region: recorded as others are, and carried on however long they last (S-14)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pytest

from controller.core.intervals import FOREVER_US
from controller.core.outages import Outage, spans
from controller.core.regional import WholeView, regional_outages, voting
from controller.core.timeline import evidence_until, judged_samples, timeline
from controller.ports.events import EventKind
from controller.ports.outcomes import OutageScope, StoredOutage
from controller.services.outages.outage_body import body_of, decode_body
from controller.services.outages.outages import Outages
from controller.services.timeline import evaluate
from controller.services.timeline.carrying import superfluous
from controller.storage.evidence import EvidenceRows
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from tests.unit.services.story import REGIONS, Story

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
CHECK = "shop-home"


def alone(world: World) -> list[StoredOutage]:
    with world.storage.transaction() as tx:
        return list(tx.outages(CHECK, scope=OutageScope.REGIONAL))[::-1]


def oracle(world: World) -> list[Outage]:
    """What all stored evidence says at once."""
    with world.storage.transaction() as tx:
        revisions = world.evaluator.checks(tx)[CHECK]
        evidence = evidence_until(
            tx.samples(CHECK, -FOREVER_US, FOREVER_US),
            tx.anchors([f"{region}-1" for region in REGIONS], -FOREVER_US, FOREVER_US),
            world.now_us,
        )
    segments = timeline(evidence, revisions, -FOREVER_US, world.now_us)
    return regional_outages(
        WholeView(segments, partial(judged_samples, evidence)),
        voting(revisions, -FOREVER_US, FOREVER_US),
        spans(segments),
        from_us=-FOREVER_US,
        to_us=world.now_us,
        reach_us=HOUR,
    )


def assert_equal(world: World) -> None:
    """What is stored, and of open ones what the engine says, is what the oracle says."""
    world.evaluator.advance(world.now_us)
    expected = oracle(world)
    stored = [decode_body(one.body) for one in alone(world)]
    assert [one.id for one in stored] == [one.id for one in expected]
    with world.storage.transaction() as tx:
        now = {one.id: one for one in world.evaluator.outages(tx, CHECK, world.now_us)}
    for one, body in zip(expected, stored, strict=True):
        assert body == body_of(one) if one.span.ended_us is not None else now[one.id] == one


async def test_a_region_that_is_down_alone_is_an_outage_of_its_own(
    world: World, running: Running
) -> None:
    story = Story(world, running)
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=("nyc",))
    outages = Outages(world.storage, world.evaluator, lambda: world.now_us)
    assert outages.list() == [], "the check is not down"
    (one,) = outages.list(scope=OutageScope.REGIONAL)
    assert (one.handle, one.body.region, one.body.scope) == ("OUT-1", "nyc", "regional")
    assert (one.body.started_us, one.body.ended_us) == (START + 320 * SECOND, None)
    assert one.body.until_us == world.now_us, "it goes on"
    assert one.body.kinds == [("http.status", 5)]
    await story.rounds(10, 15)
    (one,) = outages.list(scope=OutageScope.ALL)
    assert (one.body.ended_us, one.body.downtime_us) == (START + 620 * SECOND, 300 * SECOND)
    assert (one.body.regions, one.body.confirmed_us) == (["nyc"], START + 380 * SECOND)
    assert (one.body.downtime_us_min, one.body.downtime_us_max) == (240 * SECOND, 360 * SECOND)
    assert one.closed_known_us == START + 681 * SECOND
    with world.storage.transaction() as tx:
        kinds = [event.kind for event in tx.events_of(1)]
    assert kinds == [EventKind.OPENED, EventKind.CONFIRMED, EventKind.CLOSED]
    assert_equal(world)


async def test_the_edges_of_an_outage_of_all_are_no_outages_of_regions(
    world: World, running: Running
) -> None:
    """Regions fail and recover twenty seconds apart: that is sampling."""
    story = Story(world, running)
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=REGIONS)
    await story.rounds(10, 15)
    assert alone(world) == []
    assert_equal(world)


async def test_a_region_that_fails_long_before_the_others_is_one(
    world: World, running: Running
) -> None:
    story = Story(world, running)
    await story.rounds(1, 5)
    await story.rounds(5, 8, down=("fra",))
    await story.rounds(8, 12, down=REGIONS)
    await story.rounds(12, 17)
    (one,) = alone(world)
    assert (one.region, one.started_us, one.ended_us) == (
        "fra",
        START + 300 * SECOND,
        START + 720 * SECOND,
    )
    assert_equal(world)


async def test_late_results_revise_and_undo_it(world: World, running: Running) -> None:
    story = Story(world, running)
    await story.rounds(1, 5)
    await story.rounds(5, 10, down=("fra",))
    (before,) = alone(world)
    for seq, minute in enumerate((5, 6, 7, 8, 9), 1):
        at_us = START + minute * MINUTE + 10 * SECOND
        late = line(seq, at_us, "up", "fra", stream="late")
        await running.give(frame(seq, late, stream="late"), "fra")
        assert_equal(world)
    assert alone(world) == []
    with world.storage.transaction() as tx:
        assert tx.events_of(before.number)[-1].kind is EventKind.RETRACTED


@contextmanager
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The instants from which samples of the check are read."""
    found: list[int] = []
    real = EvidenceRows.samples

    def spied(self: EvidenceRows, check: str, from_us: int, to_us: int) -> Sequence[object]:
        if check == CHECK:
            found.append(from_us)
        return real(self, check, from_us, to_us)

    with monkeypatch.context() as patch:
        patch.setattr(EvidenceRows, "samples", spied)
        yield found


class Months:
    """Long times, told by the hour; fra cannot reach the target from minute 30 on."""

    def __init__(self, world: World, running: Running) -> None:
        self.world = world
        self.running = running
        self.seqs = dict.fromkeys(REGIONS, 0)

    async def hours(self, first: int, last: int, silent: Sequence[str] = ()) -> None:
        for hour in range(first, last):
            self.world.now_us = START + (hour + 1) * HOUR
            for place, region in enumerate(REGIONS):
                if region in silent:
                    continue
                # Once in a while fra says nothing for longer than a result counts.
                minutes = [m for m in range(hour * 60, hour * 60 + 60) if m % 97 > 3 or place]
                lines = [self._line(minute, region, place) for minute in minutes]
                first = self.seqs[region] - len(lines) + 1
                await self.running.give(frame(first, *lines), region)
            self.world.evaluator.settle()

    def _line(self, minute: int, region: str, place: int) -> bytes:
        self.seqs[region] += 1
        # Now and then it succeeds once.
        is_down = region == "fra" and minute >= 30 and minute % 41 > 0
        more = {"kind": "timeout" if minute % 7 else "http.status"} if is_down else {}
        at_us = START + minute * MINUTE + place * 20 * SECOND
        return line(self.seqs[region], at_us, "down" if is_down else "up", region, **more)


async def test_a_long_one_is_not_read_back_to_its_beginning(
    world: World, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "_KEPT_US", 2 * HOUR)
    months = Months(world, running)
    await months.hours(0, 30)
    (one,) = alone(world)
    assert (one.region, one.started_us, one.ended_us) == ("fra", START + 30 * MINUTE, None)
    assert_equal(world)
    for _ in range(2):
        world.restart()
        with reads(monkeypatch) as starts:
            world.evaluator.rebuild(world.now_us)
        assert min(starts) > world.now_us - 3 * HOUR
        assert_equal(world)
    # What the controller was told before stays: the same handle, no event but the first ones.
    (again,) = alone(world)
    assert again.number == one.number
    with world.storage.transaction() as tx:
        assert [event.kind for event in tx.events_of(one.number)] == ["opened", "confirmed"]


async def test_late_results_reach_into_a_long_one(
    world: World, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "_KEPT_US", 2 * HOUR)
    months = Months(world, running)
    await months.hours(0, 12)
    await months.hours(12, 30)
    late = [
        line(
            1 + n,
            START + (14 * 60 + n // 2) * MINUTE + (1 + n % 2) * SECOND,
            "up",
            "fra",
            stream="late",
        )
        for n in range(16)
    ]
    with reads(monkeypatch) as starts:
        await running.give(frame(1, *late, stream="late"), "fra")
    assert min(starts) > START + 8 * HOUR, "from an hour before it on, and not from the beginning"
    assert_equal(world)


async def test_a_region_that_fell_silent_is_not_read_back_either(
    world: World, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fra is down and then silent: its outage is open for a day, then abandoned."""
    monkeypatch.setattr(evaluate, "_KEPT_US", 2 * HOUR)
    months = Months(world, running)
    await months.hours(0, 4)
    await months.hours(4, 40, silent=("fra",))
    (one,) = alone(world)
    assert one.ended_us is not None
    assert_equal(world)
    world.restart()
    with reads(monkeypatch) as starts:
        world.evaluator.rebuild(world.now_us)
    assert min(starts) > world.now_us - 6 * HOUR
    assert_equal(world)


def test_of_old_instants_few_are_kept() -> None:
    instants = [n * 10 * MINUTE for n in range(6 * 24 * 30)]
    kept: list[int] = []
    for at_us in instants:
        kept.append(at_us)
        dropped = set(superfluous(kept))
        kept = [one for one in kept if one not in dropped]
    assert len(kept) < 6 + 25 + 31
    assert kept[-6:] == instants[-6:]
    assert kept[0] < 86_400 * SECOND
