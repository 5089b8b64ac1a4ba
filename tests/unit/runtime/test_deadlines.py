"""Deadlines of runs: few looks at many of them, and the same rule of cancelling as asyncio.timeout's."""

import asyncio

import pytest

from agent.runtime.deadlines import Deadlines

SECOND = 1_000_000


async def inside(deadlines: Deadlines, length_us: int, ended: list[int]) -> None:
    try:
        with deadlines.after(length_us):
            await asyncio.Event().wait()
    except TimeoutError:
        ended.append(length_us)


async def test_a_look_throws_out_those_whose_time_is_over_and_no_others() -> None:
    deadlines, ended = Deadlines(), list[int]()
    lengths = [2 * SECOND, SECOND, SECOND, 3 * SECOND]
    tasks = [asyncio.create_task(inside(deadlines, length, ended)) for length in lengths]
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    deadlines.look(now + 0.9)
    await asyncio.sleep(0)
    assert ended == []
    deadlines.look(now + 2.5)
    await asyncio.gather(*tasks[:3])
    assert sorted(ended) == [SECOND, SECOND, 2 * SECOND]
    assert not tasks[3].done()
    deadlines.look(now + 4)
    await tasks[3]
    assert [task.cancelling() for task in tasks] == [0, 0, 0, 0]


async def test_who_is_out_in_time_is_not_disturbed_by_a_later_look() -> None:
    deadlines = Deadlines()
    with deadlines.after(SECOND):
        await asyncio.sleep(0)
    deadlines.look(asyncio.get_running_loop().time() + 60)
    await asyncio.sleep(0)


async def test_a_task_that_others_cancelled_is_cancelled_whether_its_time_is_over_or_not() -> None:
    deadlines, ended = Deadlines(), list[int]()
    for is_over in (False, True):
        task = asyncio.create_task(inside(deadlines, SECOND, ended))
        await asyncio.sleep(0)
        task.cancel()
        if is_over:
            deadlines.look(asyncio.get_running_loop().time() + 60)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended == []


async def test_an_error_inside_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), Deadlines().after(SECOND):
        raise ZeroDivisionError
