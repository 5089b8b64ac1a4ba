"""A story of a check in three regions, told to a controller result by result."""

from collections.abc import Sequence

from tests.unit.services.conftest import SECOND, START, Running, World, frame, line

REGIONS = ("fra", "nyc", "sin")


class Story:
    """Feeds the results of three regions, 20 s apart, one round a minute."""

    def __init__(self, world: World, running: Running) -> None:
        self.world = world
        self.running = running
        self.seqs = dict.fromkeys(REGIONS, 0)

    async def rounds(self, start: int, end: int, down: Sequence[str] = ()) -> None:
        """Rounds number `start` to `end`; the regions in `down` fail."""
        for number in range(start, end):
            for place, region in enumerate(REGIONS):
                await self.one(number, region, is_down=region in down, place=place)

    async def one(self, number: int, region: str, *, is_down: bool, place: int = 0) -> None:
        at_us = START + (number * 60 + place * 20) * SECOND
        self.world.now_us = max(self.world.now_us, at_us + SECOND)
        self.seqs[region] += 1
        seq = self.seqs[region]
        more = {"kind": "http.status", "detail": f"503 at {number}"} if is_down else {}
        outcome = "down" if is_down else "up"
        await self.running.give(frame(seq, line(seq, at_us, outcome, region, **more)), region)
