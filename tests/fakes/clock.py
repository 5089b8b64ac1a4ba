"""A clock that stands still until it is moved; sleeping moves it."""

import asyncio


class FakeClock:
    """A Clock (agent.ports): `wall` may be stepped, `pass_us` lets time go by."""

    def __init__(self, wall_us: int = 1_000_000_000) -> None:
        self.wall = wall_us
        self.monotonic = 5_000_000

    def wall_us(self) -> int:
        return self.wall

    def monotonic_us(self) -> int:
        return self.monotonic

    def pass_us(self, microseconds: int) -> None:
        self.wall += microseconds
        self.monotonic += microseconds

    async def sleep_until_us(self, wall_us: int) -> None:
        self.pass_us(max(0, wall_us - self.wall))
        await asyncio.sleep(0)
