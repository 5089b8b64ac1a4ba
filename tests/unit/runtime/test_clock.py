import asyncio

import pytest

from agent.runtime.clock import SystemClock


async def test_sleeping_until_a_time_that_has_passed_returns_at_once() -> None:
    clock = SystemClock()
    await asyncio.wait_for(clock.sleep_until_us(clock.wall_us() - 1), 1)


async def test_sleeping_ends_at_the_time_and_not_before() -> None:
    clock = SystemClock()
    until = clock.wall_us() + 20_000
    await clock.sleep_until_us(until)
    assert clock.wall_us() >= until


async def test_a_clock_that_is_set_back_wakes_the_sleeper(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    times = iter([100_000_000, 40_000_000])
    monkeypatch.setattr(clock, "wall_us", lambda: next(times))
    await asyncio.wait_for(clock.sleep_until_us(100_010_000), 5)
