"""Having the log stamped: once an hour by each authority, again soon where it failed, and how much is fixed then."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from controller.ports.leaves import StoredCheckpoint
from controller.services.evidence.exposure import Exposure
from controller.services.evidence.stamping import Stamping
from controller.storage.database import open_storage

T = TypeVar("T")
HOUR_US = 3600 * 1_000_000


@dataclass(frozen=True)
class Said:
    query: bytes
    response: bytes
    at_us: int
    root: bytes


@dataclass
class World:
    """A log, authorities that stamp or do not, and a clock."""

    now_us: int = 10 * HOUR_US
    asked: list[bytes] = field(default_factory=list)
    failure: str = ""
    name: str = "tsa"

    def __post_init__(self) -> None:
        self.storage = open_storage("sqlite://")
        self.stamping = Stamping(self, self.storage, lambda: [self], lambda: self.now_us)

    async def run(self, work: Callable[[], T]) -> T:
        """controller.ports.Worker."""
        await asyncio.sleep(0)
        return work()

    async def stamp(self, data: bytes) -> Said | str:
        self.asked.append(data)
        return self.failure or Said(b"q", b"r", self.now_us, b"root")

    def sign(self, size: int) -> None:
        with self.storage.transaction() as tx:
            tx.put_checkpoint(StoredCheckpoint(size, bytes(32), b"head %d" % size, self.now_us))


@pytest.fixture
def world() -> World:
    return World()


async def test_nothing_is_asked_before_the_first_checkpoint(world: World) -> None:
    assert await world.stamping.look() == 0
    assert not world.asked
    assert world.stamping.exposure() == Exposure(0)


async def test_the_newest_checkpoint_is_stamped_once_an_hour(world: World) -> None:
    for size in (3, 5, 9):
        world.sign(size)
        await world.stamping.look()
        await world.stamping.look()
    assert world.asked == [b"head 3"]
    world.now_us += HOUR_US
    await world.stamping.look()
    assert world.asked == [b"head 3", b"head 9"]
    assert [(one.size, one.root) for one in world.stamping.timestamps()] == [
        (9, b"root"),
        (3, b"root"),
    ]
    assert world.stamping.exposure() == Exposure(0, 9, world.now_us)


async def test_a_log_that_did_not_grow_is_not_stamped_again(world: World) -> None:
    world.sign(3)
    await world.stamping.look()
    world.now_us += 5 * HOUR_US
    assert await world.stamping.look() == 0


async def test_one_that_failed_is_asked_again_and_said_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.sign(3)
    world.failure = "it did not answer within 20 s"
    for _ in range(3):
        assert await world.stamping.look() == 0
    assert len(world.asked) == 3
    assert [one.message for one in caplog.records] == ["log.unstamped"]
    world.failure = ""
    assert await world.stamping.look() == 1
