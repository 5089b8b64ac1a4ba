"""S-2 across checks, and what conflicting or odd lines cost: the server says what a replay of its lines says."""

import itertools
from typing import Any

import pytest

from controller.ports.custody import AlarmKind
from controller.ports.storage import Transaction
from controller.services.results.export import exported
from controller.services.results.frames import Accepted, Refused
from controller.services.results.lookback import HOUR_US, LookBack
from tests.unit.services.conftest import FLEET, SECOND, START, Running, World, frame, line
from tests.unit.services.replaying import exported_lines, replayed, served
from vedette.shared.limits import CONFLICTS_PER_RESULT_MAX, SEQ_MAX

CHECKS = ("shop-home", "shop-dns")
MINUTE = 60 * SECOND


def assert_equal_to_replay(world: World) -> None:
    """For both checks, live and after a restart."""
    lines = exported_lines(world)
    for _ in range(2):
        for check in CHECKS:
            assert served(world, check) == replayed(world, check, lines)
        world.restart()


async def minutes(running: Running, outcome: str, **more: Any) -> None:
    """Five results of each region, a minute apart, every one of them under its own number."""
    for seq in range(1, 6):
        for region in ("fra", "nyc"):
            at_us = START + seq * MINUTE
            await running.give(frame(seq, line(seq, at_us, outcome, region, **more)), region)


@pytest.fixture
def later(world: World) -> World:
    world.now_us = START + 10 * MINUTE
    return world


VARIANTS = [
    {"outcome": "up"}, {"outcome": "down"}, {"outcome": "degraded"}, {"outcome": "agent_error"},
    {"outcome": "down", "check": "shop-dns"}, {"outcome": "up", "check": "shop-dns"},
    {"outcome": "down", "check": "nobodys"}, {"outcome": "down", "at": START + 90 * SECOND},
    {"outcome": "up", "check": "@anchors", "ok": 0, "total": 4},
    {"outcome": "up", "check": "@anchors", "ok": 4, "total": 4},
    {"outcome": "down", "at": START + 99 * MINUTE},
]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(VARIANTS, 2)))
async def test_s02_of_lines_for_two_checks_only_the_worst_counts_in_either(
    later: World, running: Running, first: dict[str, Any], second: dict[str, Any]
) -> None:
    await minutes(running, "up")
    for variant in (first, second, first):
        for region in ("fra", "nyc"):
            given = [
                line(seq, START + seq * MINUTE, region=region, **variant)
                if "at" not in variant
                else line(seq, variant["at"], region=region, **{k: v for k, v in variant.items() if k != "at"})
                for seq in (2, 3, 4)
            ]  # fmt: skip
            await running.give(frame(2, *given), region)
    assert_equal_to_replay(later)


async def test_s02_lines_that_conflict_in_one_batch_are_decided_alike(
    later: World, running: Running
) -> None:
    await minutes(running, "up")
    for region in ("fra", "nyc"):
        variants = [
            line(6, START + 6 * MINUTE, "up", region),
            line(6, START + 6 * MINUTE, "down", region, check="shop-dns"),
            line(6, START + 7 * MINUTE, "down", region),
            line(6, START + 7 * MINUTE, "down", region, kind="http.status"),
        ]
        commits = later.ingest.counters.commits
        for one in [running.give_soon(frame(6, variant), region) for variant in variants]:
            assert await one == Accepted("e1", "shop", 6)
        assert later.ingest.counters.commits == commits + 1
    assert len(exported_lines(later)) == 2 * (5 + 4)
    assert_equal_to_replay(later)


async def test_s02_conflicts_of_every_number_come_to_what_a_replay_of_the_export_says(
    later: World, running: Running
) -> None:
    for outcome in ("up", "down", "degraded"):
        await minutes(running, outcome)
    with later.storage.transaction() as tx:
        assert len(tx.outages("shop-home")) == 1
    assert len(exported_lines(later)) == 30
    assert_equal_to_replay(later)


async def test_a_conflict_is_an_alarm_of_its_agent(
    later: World, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    await minutes(running, "up")
    for outcome in ("down", "degraded"):
        await running.give(frame(1, *(line(n, START + n * MINUTE, outcome) for n in (1, 2))))
    with later.storage.transaction() as tx:
        (alarm,) = tx.alarms()
    assert (alarm.agent, alarm.kind, alarm.count) == ("fra-1", AlarmKind.LINES_CONFLICT, 4)
    assert alarm.detail == "line 1 of stream 'shop' epoch e1 came with other bytes"
    told = [record.message for record in caplog.records]
    assert told.count("ingest.conflict") == 1, "once for a stream, not once for a line"


async def test_s03_lines_from_the_future_stand_in_an_export_of_their_own(
    world: World, running: Running
) -> None:
    now, future = line(1, START), line(2, START + MINUTE, "down")
    await running.give(frame(1, now, future))
    # Of a conflict, too: the first line of number 1 is in time, the second is not.
    early = line(1, START + MINUTE, "down")
    await running.give(frame(1, early))
    world.now_us = START + 5 * MINUTE
    opens = world.storage.transaction
    assert b"".join(exported(opens)) == now
    assert b"".join(exported(opens, set_aside=True)) == early + future
    assert_equal_to_replay(world)


async def test_an_export_does_not_count_through_what_was_lost(
    world: World, running: Running
) -> None:
    far = SEQ_MAX
    for epoch in ("e1", "e2", "e3"):
        lost = frame(far, line(far, START, epoch=epoch), lost=far - 1, epoch=epoch)
        assert await running.give(lost) == Accepted(epoch, "shop", far)
    assert len(exported_lines(world)) == 3
    world.restart()
    await running.restart()
    assert await running.give(frame(1, line(1, START, region="nyc")), "nyc") == Accepted(
        "e1", "shop", 1
    )
    with world.storage.transaction() as tx:
        assert {one.id: one.lost for one in tx.agents()}["fra-1"] == 3 * (far - 1)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(frame(2**62, line(2**62, START), lost=2**62 - 1), id="a number of 2**62"),
        pytest.param(frame(SEQ_MAX + 1, line(SEQ_MAX + 1, START), lost=SEQ_MAX), id="one beyond"),
        pytest.param(frame(SEQ_MAX, line(SEQ_MAX, START), line(SEQ_MAX + 1, START), lost=SEQ_MAX - 1), id="its end beyond"),
        pytest.param(frame(2**62, lost=2**62 - 1), id="a loss with nothing after it"),
    ],
)  # fmt: skip
async def test_numbers_that_no_agent_can_have_reached_are_refused(
    world: World, running: Running, bad: Any
) -> None:
    answer = await running.give(bad)
    assert isinstance(answer, Refused)
    assert f"no number beyond {SEQ_MAX}" in answer.reason
    assert await running.give(frame(1, line(1, START))) == Accepted("e1", "shop", 1)


class Counting:
    """Counts what is read back from storage."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, world: World) -> None:
        self.world = world
        self.rebuilt: list[str] = []
        inner = world.evaluator._judge_anew

        def judge_anew(tx: Transaction, check: str, *more: Any) -> None:
            self.rebuilt.append(check)
            inner(tx, check, *more)

        monkeypatch.setattr(world.evaluator, "_judge_anew", judge_anew)

    @property
    def reads(self) -> int:
        return self.world.ingest.lookback.counters.reads


async def test_a_flood_of_conflicts_on_one_identity_is_bounded(
    later: World, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line(n, START + n) for n in range(1, 4001)]
    await running.give(frame(1, *lines))
    seen = Counting(monkeypatch, later)
    flood = [running.give_soon(frame(5, line(5, START + 5, "down", n=n))) for n in range(1500)]
    victim = running.give_soon(frame(1, line(1, START, region="nyc")), "nyc")
    answers = [await one for one in flood]
    assert await victim == Accepted("e1", "shop", 1)
    assert later.ingest.counters.commits == 2, "the other agent did not wait for another commit"
    taken = [one for one in answers if isinstance(one, Accepted)]
    assert len(taken) == CONFLICTS_PER_RESULT_MAX
    refused = [one for one in answers if isinstance(one, Refused)]
    assert {one.resend_from for one in refused} == {4001}
    assert (
        "differs from 9 lines that came under its number; no more of them are kept"
        in refused[0].reason
    )
    assert seen.reads == 1
    assert seen.rebuilt == ["shop-home"]


async def test_an_agent_that_conflicts_without_end_is_heard_with_new_lines_only(
    later: World, running: Running
) -> None:
    later.ingest.lookback = LookBack(points_per_hour=100)
    await running.give(frame(1, *(line(n, START + n) for n in range(1, 11))))
    answers = [await running.give(frame(n, line(n, START + n, "down"))) for n in range(1, 11)]
    assert [type(one) for one in answers] == [Accepted] * 3 + [Refused] * 7
    assert isinstance(answers[9], Refused)
    assert answers[9].resend_from == 11
    assert (
        "too many old or conflicting lines came from agent fra-1 in this hour" in answers[9].reason
    )
    assert await running.give(frame(11, line(11, START + 11))) == Accepted("e1", "shop", 11)
    # Others are not concerned, and the next hour is another one.
    for _ in range(2):
        other = frame(1, line(1, START, region="nyc"))
        assert await running.give(other, "nyc") == Accepted("e1", "shop", 1)
    later.now_us += HOUR_US
    again = frame(9, line(9, START + 9, "down"))
    assert await running.give(again) == Accepted("e1", "shop", 11)


async def test_sending_old_lines_again_reads_each_segment_once(
    later: World, running: Running
) -> None:
    lines = [line(n, START + n) for n in range(1, 2001)]
    for first in range(0, 2000, 100):
        await running.give(frame(first + 1, *lines[first : first + 100]))
    reads = later.ingest.lookback.counters
    for seq in range(1, 101):
        await running.give(frame(seq, lines[seq - 1]))
    assert reads.reads == 1
    await running.give(frame(1, *lines))
    assert later.ingest.counters.duplicates == 2100
    assert reads.reads <= 20


async def test_a_conflict_that_changes_nothing_makes_nothing_be_judged_anew(
    later: World, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await minutes(running, "down")
    seen = Counting(monkeypatch, later)
    await running.give(frame(2, line(2, START + 2 * MINUTE, "up")))
    await running.give(frame(2, line(2, START + 2 * MINUTE, "down", detail="otherwise")))
    assert later.ingest.counters.conflicts == 2
    assert seen.rebuilt == []


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_s20_lines_that_came_before_their_check_count_once_there_is_one(
    world: World, running: Running, *, is_restarted: bool
) -> None:
    world.now_us = START + 30 * MINUTE
    for seq in range(1, 11):
        for region in ("fra", "nyc"):
            at_us = START + 30 * MINUTE - (10 - seq) * 20 * SECOND - SECOND
            outcome = "down" if seq > 5 else "up"
            new = line(seq, at_us, outcome, region, check="shop-new")
            other = line(seq, at_us, "up", region, stream="mail", check="never")
            await running.give(frame(seq, new), region)
            await running.give(frame(seq, other, stream="mail"), region)
    assert world.ingest.counters.unknown_checks == 40
    if is_restarted:
        world.restart()
    more = b'  - {id: shop-new, service: shop, every: 60s, timeout: 9s, http: {url: "https://n.example/"}}\n'
    assert not world.fleets.apply(FLEET + more, "fleet.yaml", "ada").problems
    world.now_us += SECOND
    lines = exported_lines(world)
    assert served(world, "shop-new") == replayed(world, "shop-new", lines)
    # In force since a second ago, and known at once: the evidence before it speaks.
    assert served(world, "shop-new")[-1] == (START + 30 * MINUTE, world.now_us, "DOWN")
    with world.storage.transaction() as tx:
        assert len(tx.strays("shop-new")) == 0
        assert len(tx.strays("never")) == 20


async def test_a_check_that_no_fleet_can_name_is_refused(world: World, running: Running) -> None:
    answer = await running.give(frame(1, line(1, START, check="x" * 5000)))
    assert isinstance(answer, Refused)
    assert "expected the id of a check" in answer.reason


async def test_results_from_a_region_that_is_not_asked_are_counted(
    world: World, running: Running
) -> None:
    await running.give(frame(1, line(1, START, region="osl")), "osl")
    assert world.ingest.counters.unknown_regions == 1
    assert world.ingest.tally.agents()["osl-1"].unknown_regions == 1
