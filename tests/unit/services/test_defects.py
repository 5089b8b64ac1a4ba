"""A fault of ours that one line shows: the line is found and kept, and nobody else notices."""

import asyncio
from typing import Any

import pytest

from controller.errors import Fatal, Unstorable
from controller.services.results import frames, intake
from controller.services.results.frames import Accepted, Refused
from tests.unit.services.conftest import START, Running, World, frame, line
from vedette.shared.identity import ResultId

POISON = "poison"


@pytest.fixture(
    params=[ZeroDivisionError("by zero"), MemoryError(), RecursionError(), Unstorable("No.")]
)
def poison(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Exception:
    """What reading a certain line raises."""
    fault: Exception = request.param
    inner = frames.read_lines

    def read_lines(frame: Any, sender: Any, lines: Any, *more: Any) -> Any:
        if any(POISON.encode() in one for one in lines):
            raise fault
        return inner(frame, sender, lines, *more)

    monkeypatch.setattr(intake, "read_lines", read_lines)
    return fault


@pytest.mark.usefixtures("poison")
async def test_the_line_at_fault_is_kept_unread_and_others_are_untouched(
    world: World, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    bad = line(4, START + 4, detail=POISON)
    others = [line(seq, START + seq) for seq in range(1, 9)]
    given = [running.give_soon(frame(n, bad if n == 4 else others[n - 1])) for n in range(1, 9)]
    given += [
        running.give_soon(frame(n, line(n, START + n, region="nyc")), "nyc") for n in range(1, 9)
    ]
    answers = [await one for one in given]
    assert answers == [Accepted("e1", "shop", n) for n in range(1, 9)] * 2
    with world.storage.transaction() as tx:
        assert [s.seq for s in tx.samples("shop-home", 0, 2**62) if s.agent == "fra-1"] == [
            1,
            2,
            3,
            5,
            6,
            7,
            8,
        ]
        assert tx.line(ResultId("fra-1", "e1", "shop", 4)) == bad
        (aside,) = tx.quarantined()
    assert aside.id.seq == 4
    assert aside.reason.startswith("the controller failed on it: ")
    assert world.ingest.counters.defects == 1
    told = [record for record in caplog.records if record.message == "ingest.defect"]
    assert len(told) == 1
    assert told[0].exc_info is not None


@pytest.mark.usefixtures("poison")
async def test_a_frame_of_many_is_refused_until_its_lines_come_singly(
    world: World, running: Running
) -> None:
    lines = [line(seq, START + seq) for seq in (1, 2)] + [line(3, START + 3, detail=POISON)]
    other = running.give_soon(frame(1, line(1, START, region="nyc")), "nyc")
    refused = await running.give(frame(1, *lines))
    assert isinstance(refused, Refused)
    assert refused.resend_from == 0
    assert refused.reason == (
        "the controller failed on one of 3 lines from line 1 of stream 'shop' of agent fra-1 on: send them singly"
    )
    assert await other == Accepted("e1", "shop", 1)
    singly = [running.give_soon(frame(seq, one)) for seq, one in enumerate(lines, 1)]
    assert [await one for one in singly] == [Accepted("e1", "shop", n) for n in (1, 2, 3)]


async def test_what_cannot_even_be_kept_ends_the_process_and_is_not_acknowledged(
    world: World, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def transaction() -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(world.evaluator, "transaction", transaction)
    given = running.give_soon(frame(1, line(1, START)))
    with pytest.raises(Fatal, match="could not even keep it: ZeroDivisionError"):
        await running.ended()
    assert not given.done()
    given.cancel()


async def test_a_line_that_is_nested_without_end_is_refused_with_a_sentence(
    world: World, running: Running
) -> None:
    deep = line(1, START)[:-2] + b',"x":' + b"[" * 1500 + b"]" * 1500 + b"}\n"
    other = running.give_soon(frame(1, line(1, START, region="nyc")), "nyc")
    answer = await running.give(frame(1, deep))
    assert isinstance(answer, Refused)
    assert "at most 32 objects and arrays inside one another" in answer.reason
    assert await other == Accepted("e1", "shop", 1)
    assert world.ingest.counters.defects == 0


async def test_failing_and_recovering_are_each_told_once(
    world: World, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    world.storage.is_full = True
    waiting = running.give_soon(frame(1, line(1, START)))
    for _ in range(3):
        await world.storage.failed.wait()
        world.storage.failed.clear()
    await asyncio.sleep(0)
    assert world.ingest.counters.failing_since_us == world.now_us
    world.storage.is_full = False
    assert await waiting == Accepted("e1", "shop", 1)
    told = [
        r.message for r in caplog.records if r.message in ("ingest.failing", "ingest.recovered")
    ]
    assert told == ["ingest.failing", "ingest.recovered"]
    assert world.ingest.tally.total.failing_since_us is None
    assert world.ingest.counters.last_failure == "The disk is full."
