"""Ingest: durable before ack, idempotent by identity, deaf to strangers, patient with a full disk."""

import asyncio
from typing import Any

import pytest

from controller.ports.evidence import Position
from controller.services.results.frames import Accepted, IncomingFrame, Refused
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from vedette.shared.identity import ResultId

OK = Accepted("e1", "shop", 1)


def samples(world: World, check: str = "shop-home") -> list[tuple[int, str]]:
    with world.storage.transaction() as tx:
        return [(s.seq, s.outcome.value) for s in tx.samples(check, 0, 2**62)]


async def test_a_frame_is_acknowledged_when_it_is_durable(world: World, running: Running) -> None:
    first, second = line(1, START), line(2, START + SECOND, "down", kind="http.status")
    assert await running.give(frame(1, first, second)) == Accepted("e1", "shop", 2)
    with world.storage.transaction() as tx:
        assert tx.line(ResultId("fra-1", "e1", "shop", 2)) == second
    assert samples(world) == [(1, "up"), (2, "down")]
    assert await world.ingest.durable("fra-1") == [Position("fra-1", "e1", "shop", 2)]
    assert await world.ingest.durable("nyc-1") == []
    assert world.ingest.counters.lines == 2


async def test_frames_of_many_agents_share_one_commit(world: World, running: Running) -> None:
    given = [
        running.give(frame(1, line(1, START, region=region)), region) for region in ("fra", "nyc")
    ]
    assert await asyncio.gather(*given) == [OK, OK]
    assert world.ingest.counters.commits == 1


async def test_consecutive_frames_of_one_batch_are_taken_in_order(
    world: World, running: Running
) -> None:
    given = [running.give(frame(n, line(n, START + n))) for n in (1, 2, 3)]
    assert await asyncio.gather(*given) == [Accepted("e1", "shop", n) for n in (1, 2, 3)]
    assert world.ingest.counters.commits == 1
    with world.storage.transaction() as tx:
        assert [s.count for s in tx.segments("fra-1", "e1", "shop", 0, 9)] == [3]


async def test_s02_the_same_line_again_is_ignored(world: World, running: Running) -> None:
    lines = [line(n, START + n * SECOND) for n in (1, 2, 3)]
    await running.give(frame(1, *lines[:2]))
    assert await running.give(frame(1, *lines)) == Accepted("e1", "shop", 3)
    assert await running.give(frame(2, lines[1])) == Accepted("e1", "shop", 3)
    assert samples(world) == [(1, "up"), (2, "up"), (3, "up")]
    assert (world.ingest.counters.duplicates, world.ingest.counters.conflicts) == (3, 0)


async def test_s02_a_line_twice_in_one_batch_is_one_line(world: World, running: Running) -> None:
    one = frame(1, line(1, START))
    given = [running.give(one), running.give(one)]
    assert await asyncio.gather(*given) == [OK, OK]
    assert samples(world) == [(1, "up")]


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize("order", [("up", "down"), ("down", "up")])
async def test_x59_of_two_lines_with_one_identity_the_worst_counts(
    world: World, running: Running, order: tuple[str, str], *, is_restarted: bool
) -> None:
    for region in ("fra", "nyc"):
        for seq in (1, 2):
            await running.give(frame(seq, line(seq, START + seq, order[0], region)), region)
    for region in ("fra", "nyc"):
        again = frame(1, *(line(seq, START + seq, order[1], region) for seq in (1, 2)))
        assert await running.give(again, region) == Accepted("e1", "shop", 2)
        assert await running.give(again, region) == Accepted("e1", "shop", 2)
    assert world.ingest.counters.conflicts == 4
    assert world.ingest.counters.duplicates == 4
    world.now_us = START + SECOND
    if is_restarted:
        world.restart()
    with world.storage.transaction() as tx:
        assert world.evaluator.standing(tx, "shop-home", world.now_us).verdict == "DOWN"
        assert len(tx.outages("shop-home")) == 1
        conflict = tx.conflicts(ResultId("fra-1", "e1", "shop", 1))
        assert [one.line for one in conflict] == [line(1, START + 1, order[1])]


async def test_s05_a_gap_is_refused_and_says_where_to_resend_from(
    world: World, running: Running
) -> None:
    await running.give(frame(1, line(1, START)))
    answer = await running.give(frame(4, line(4, START)))
    assert isinstance(answer, Refused)
    assert (answer.first_seq, answer.resend_from) == (4, 2)
    assert answer.reason == "expected line 2 of stream 'shop', found 4 with 0 lost before it"
    assert samples(world) == [(1, "up")]


async def test_s05_a_gap_that_is_accounted_for_is_lost_evidence(
    world: World, running: Running
) -> None:
    await running.give(frame(1, line(1, START)))
    assert await running.give(frame(4, line(4, START + 4), lost=2)) == Accepted("e1", "shop", 4)
    assert world.ingest.counters.lost == 2
    with world.storage.transaction() as tx:
        agent = tx.agent("fra-1")
        assert agent is not None
        assert (agent.lines, agent.lost) == (2, 2)


async def test_lines_that_were_given_up_are_taken_when_they_come_after_all(
    world: World, running: Running
) -> None:
    await running.give(frame(3, line(3, START + 3), lost=2))
    both = frame(1, line(1, START + 1), line(2, START + 2))
    assert await running.give(both) == Accepted("e1", "shop", 3)
    assert samples(world) == [(1, "up"), (2, "up"), (3, "up")]


async def test_a_loss_with_nothing_after_it_moves_the_stream(
    world: World, running: Running
) -> None:
    assert await running.give(frame(6, lost=5)) == Accepted("e1", "shop", 5)
    assert await running.give(frame(6, line(6, START))) == Accepted("e1", "shop", 6)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(
            frame(1, line(1, START, agent="nyc-1")),
            "expected agent 'fra-1', found 'nyc-1'", id="another agent's line",
        ),
        pytest.param(
            frame(1, line(1, START, region="nyc", agent="fra-1")),
            "expected region 'fra', found 'nyc'", id="another region",
        ),
        pytest.param(
            frame(1, line(1, START, epoch="e2")),
            "expected epoch 'e1', found 'e2'", id="another epoch",
        ),
        pytest.param(
            frame(1, line(1, START, stream="mail")),
            "expected stream 'shop', found 'mail'", id="another stream",
        ),
        pytest.param(
            frame(1, line(2, START)), "expected seq 1, found '2'", id="another number",
        ),
        pytest.param(
            frame(1, line(1, START), line(3, START)), "line 2 of stream 'shop'", id="a hole inside",
        ),
        pytest.param(
            frame(1, b'{"agent":\n'), "line 1 of stream 'shop'", id="no JSON",
        ),
        pytest.param(
            frame(1, line(1, START, outcome="fine")), "Invalid enum value 'fine'", id="an outcome of its own",
        ),
        pytest.param(
            frame(1, line(1, -5)), "expected an instant since 1970, found -5", id="before 1970",
        ),
        pytest.param(
            frame(1, line(1, START, took=2**63)), "expected a `took` of microseconds", id="a huge number",
        ),
        pytest.param(
            frame(1, line(1, START, kind="a\x00b")), "expected a `kind` of", id="NUL in a word",
        ),
        pytest.param(
            frame(1, line(1, START, detail="x" * 20_000)), "at most 16384 bytes", id="a long line",
        ),
        pytest.param(
            frame(1, line(1, START)[:-1]), "a last line without one", id="a torn line",
        ),
        pytest.param(
            frame(1, line(1, START), count=2), "expected 2 lines", id="a wrong count",
        ),
        pytest.param(frame(1), "expected at least one line", id="nothing"),
        pytest.param(frame(0, line(0, START)), "first_seq of 1 or more", id="number 0"),
        pytest.param(frame(2, line(2, START), lost=2), "a smaller lost", id="more lost than there is"),
        pytest.param(frame(1, line(1, START), epoch="e 1"), "expected an epoch", id="epoch"),
        pytest.param(frame(1, line(1, START), stream="a b"), "expected the name of a service", id="stream"),
        pytest.param(
            frame(1, line(1, START, check="@anchors", ok=5, total=3)),
            "0 <= ok <= total", id="more anchors than there are",
        ),
    ],
)  # fmt: skip
async def test_a_frame_that_cannot_be_true_is_refused_alone(
    world: World, running: Running, bad: IncomingFrame, reason: str
) -> None:
    other = running.give(frame(1, line(1, START, region="nyc")), "nyc")
    refused, taken = await asyncio.gather(running.give(bad), other)
    assert isinstance(refused, Refused)
    assert reason in refused.reason
    assert refused.resend_from == 0
    assert taken == OK
    assert samples(world) == [(1, "up")]
    assert world.ingest.counters.refused_frames == 1
    # The stream is where it was.
    assert await running.give(frame(1, line(1, START))) == OK


async def test_lines_of_unknown_checks_are_kept_and_not_evaluated(
    world: World, running: Running
) -> None:
    stray = line(1, START, check="nobodys")
    assert await running.give(frame(1, stray)) == OK
    assert samples(world, "nobodys") == []
    assert world.ingest.counters.unknown_checks == 1
    with world.storage.transaction() as tx:
        assert tx.line(ResultId("fra-1", "e1", "shop", 1)) == stray


async def test_s03_a_line_from_the_future_is_set_aside(world: World, running: Running) -> None:
    soon, late = line(1, START + 5 * SECOND), line(2, START + 5 * SECOND + 1)
    assert await running.give(frame(1, soon, late)) == Accepted("e1", "shop", 2)
    assert samples(world) == [(1, "up")]
    with world.storage.transaction() as tx:
        assert [one.id.seq for one in tx.quarantined()] == [2]


@pytest.mark.parametrize(
    ("clock", "outcome"),
    [
        ({"offset": 60 * SECOND}, "down"),
        ({"offset": 60 * SECOND + 1}, "agent_error"),
        ({"offset": None}, "agent_error"),
    ],
)
async def test_s03_without_a_good_clock_a_result_is_no_evidence(
    world: World, running: Running, clock: dict[str, Any], outcome: str
) -> None:
    await running.give(frame(1, line(1, START, "down", clock=clock)))
    assert samples(world) == [(1, outcome)]


async def test_nothing_is_acknowledged_while_the_disk_is_full_and_all_goes_on_after(
    world: World, running: Running
) -> None:
    await running.give(frame(1, line(1, START)))
    world.storage.is_full = True
    waiting = asyncio.create_task(running.give(frame(2, line(2, START + 2, "down"))))
    for _ in range(2):
        await world.storage.failed.wait()
        world.storage.failed.clear()
    assert not waiting.done()
    assert world.ingest.counters.failed_commits >= 1
    assert world.ingest.counters.last_failure == "The disk is full."
    world.storage.is_full = False
    assert await waiting == Accepted("e1", "shop", 2)
    assert samples(world) == [(1, "up"), (2, "down")]


async def test_a_failed_commit_leaves_no_trace_in_the_engines(
    world: World, running: Running
) -> None:
    async def outage() -> None:
        for seq in (1, 2, 3):
            for place, region in enumerate(("fra", "nyc", "sin")):
                at_us = START + seq * 60 * SECOND + place
                world.now_us = max(world.now_us, at_us)
                await running.give(frame(seq, line(seq, at_us, "down", region)), region)

    world.now_us = START + 300 * SECOND
    lost = line(1, START + 60 * SECOND, "down")
    world.storage.is_full = True
    task = asyncio.create_task(running.give(frame(1, lost)))
    await world.storage.failed.wait()
    task.cancel()
    world.storage.is_full = False
    await outage()
    before = world.view()
    assert len(before["shop-home"][2]) == 1
    world.restart()
    assert world.view() == before


async def test_a_restart_changes_nothing(world: World, running: Running) -> None:
    outcomes = ["up", "down", "down", "up", "down", "down", "down", "up", "up", "down", "up", "up"]
    for seq, outcome in enumerate(outcomes, 1):
        if seq == 6:
            await running.restart()
        for place, region in enumerate(("fra", "nyc")):
            at_us = START + (seq * 60 + place * 20) * SECOND
            world.now_us = at_us + SECOND
            kept = frame(seq, line(seq, at_us, outcome, region))
            assert await running.give(kept, region) == Accepted("e1", "shop", seq)
            assert await running.give(kept, region) == Accepted("e1", "shop", seq)
    before = world.view()
    _, intervals, outages = before["shop-home"]
    assert [one.verdict for one in intervals].count("DOWN") >= 2
    assert outages
    world.restart()
    world.evaluator.rebuild(world.now_us)
    assert world.view() == before


async def test_the_first_failure_of_a_region_is_told_once(world: World, running: Running) -> None:
    for seq, outcome in enumerate(["up", "down", "down", "up", "down"], 1):
        world.now_us = START + seq * SECOND
        await running.give(frame(seq, line(seq, world.now_us, outcome)))
    assert world.suspects == ["shop-home", "shop-home"]
    await running.give(frame(1, line(1, START - 3000 * SECOND, "down", "nyc")), "nyc")
    assert len(world.suspects) == 2, "a failure of an hour ago is not asked about"


async def test_what_a_backlog_brings_asks_nobody_and_forgets_no_failure(
    world: World, running: Running
) -> None:
    """The check runs every 60 s with a timeout of 10 s: what is older than 70 s is history."""
    world.now_us = START + 3600 * SECOND
    old = [line(n, START + n * 60 * SECOND, "up" if n % 2 else "down") for n in range(1, 50)]
    await running.give(frame(1, *old))
    assert world.suspects == []
    await running.give(frame(50, line(50, world.now_us - 70 * SECOND, "down")))
    assert world.suspects == []
    await running.give(frame(51, line(51, world.now_us - 70 * SECOND + 1, "down")))
    assert world.suspects == ["shop-home"]
    late = [line(n, START + n * SECOND, "up") for n in (52, 53)]
    await running.give(frame(52, *late, line(54, world.now_us, "down")))
    assert world.suspects == ["shop-home"], "fra fails as before, whatever it once saw"
    await running.restart()
    await running.give(frame(55, *[line(n, START + n * SECOND, "down") for n in range(55, 60)]))
    assert world.suspects == ["shop-home"]


async def test_s10_anchor_rounds_void_samples_also_after_a_restart(
    world: World, running: Running
) -> None:
    for seq in range(1, 6):
        for region in ("fra", "nyc"):
            at_us = START + seq * 60 * SECOND
            world.now_us = at_us + SECOND
            await running.give(frame(seq, line(seq, at_us, "down", region)), region)
            ok = 0 if region == "fra" else 4
            anchors = line(
                seq, at_us - 1, "up", region, check="@anchors", stream="@anchors", ok=ok, total=4
            )
            await running.give(frame(seq, anchors, stream="@anchors"), region)
    with world.storage.transaction() as tx:
        standing = world.evaluator.standing(tx, "shop-home", world.now_us)
        assert {r: label.name for r, label in standing.labels.items()} == {
            "fra": "NONE", "nyc": "DOWN", "sin": "NONE",
        }  # fmt: skip
        assert tx.outages("shop-home") == []
    before = world.view()
    world.restart()
    assert world.view() == before
