"""Live frames go before those of a backlog, however many of these wait."""

import asyncio
from dataclasses import replace

from controller.services.results.frames import Accepted, IncomingFrame
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line
from vedette.shared.limits import INGEST_BACKLOG_LINES_MAX

LINES = 500


async def test_a_live_frame_overtakes_the_backlog(world: World, running: Running) -> None:
    frames = 2 * INGEST_BACKLOG_LINES_MAX // LINES
    waiting = [
        replace(
            frame(
                1 + n * LINES,
                *(line(1 + n * LINES + i, START - SECOND * i, epoch="e0") for i in range(LINES)),
                epoch="e0",
            ),
            is_backlog=True,
        )
        for n in range(frames)
    ]
    order: list[str] = []

    async def told(one: IncomingFrame) -> None:
        answer = await running.give(one)
        assert isinstance(answer, Accepted)
        order.append(answer.epoch)

    await asyncio.gather(*map(told, [*waiting, frame(1, line(1, START))]))
    assert order == ["e1"] + ["e0"] * frames
    assert world.ingest.counters.commits == 2
