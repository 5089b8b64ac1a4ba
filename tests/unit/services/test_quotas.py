"""Quotas: a flood of one agent is refused with a reason, and is no matter to the others."""

import pytest

from controller.core.quota import Bucket, Rate
from controller.errors import Rejected
from controller.services.results.quotas import Quotas

SECOND = 1_000_000


class Clock:
    us = 0

    def __call__(self) -> int:
        return self.us


def quotas(clock: Clock) -> Quotas:
    return Quotas(clock, lines=Rate(100, 1_000), size=Rate(1_000, 50_000), messages=Rate(1, 3))


def test_a_burst_is_taken_and_then_a_rate() -> None:
    bucket = Bucket.full(Rate(10, 100), 0)
    assert bucket.wait_us(100, 0) == 0
    bucket.take(100, 0)
    assert bucket.wait_us(1, 0) == SECOND // 10
    assert bucket.wait_us(1, SECOND // 10 - 1) == 1
    assert bucket.wait_us(1, SECOND // 10) == 0
    assert bucket.wait_us(100, 3600 * SECOND) == 0
    assert bucket.wait_us(101, 3600 * SECOND) == 0


def test_asking_often_gives_no_more_than_asking_once() -> None:
    often, once = (Bucket.full(Rate(7, 1), 0) for _ in range(2))
    often.take(1, 0)
    once.take(1, 0)
    for us in range(0, 142_857, 13):
        assert often.wait_us(1, us) > 0
    assert often.wait_us(1, 142_858) == once.wait_us(1, 142_858) == 0


def test_more_than_a_burst_is_taken_from_a_full_bucket_and_paid_for_after() -> None:
    bucket = Bucket.full(Rate(10, 100), 0)
    assert bucket.wait_us(300, 0) == 0
    bucket.take(300, 0)
    assert bucket.wait_us(1, 0) == 20 * SECOND + SECOND // 10


def test_a_flood_of_lines_is_refused_with_a_reason_and_the_others_are_not() -> None:
    clock = Clock()
    held = quotas(clock)
    assert held.frame("fra-1", 1_000, 10) is None
    over = held.frame("fra-1", 50, 10)
    assert over is not None
    assert over.retry_after_us == SECOND // 2
    assert over.reason.startswith("expected at most 100 lines and 1000 bytes a second")
    assert held.frame("nyc-1", 1_000, 10) is None
    clock.us = over.retry_after_us
    assert held.frame("fra-1", 50, 10) is None
    assert held.refused == 1


def test_a_flood_of_bytes_is_refused_and_takes_nothing() -> None:
    clock = Clock()
    held = quotas(clock)
    assert held.frame("fra-1", 1, 50_000) is None
    over = held.frame("fra-1", 999, 1_000)
    assert over is not None
    assert over.retry_after_us == SECOND
    clock.us = SECOND
    assert held.frame("fra-1", 999, 1_000) is None


def test_a_flood_of_other_messages_ends_the_stream_in_a_sentence() -> None:
    clock = Clock()
    held = quotas(clock)
    for _ in range(3):
        held.message("fra-1")
    with pytest.raises(Rejected, match="Agent fra-1 sends more than 1 messages a second"):
        held.message("fra-1")
    held.message("nyc-1")
    clock.us = SECOND
    held.message("fra-1")


def test_a_frame_that_lies_about_its_lines_is_charged_what_a_frame_can_hold() -> None:
    clock = Clock()
    own = quotas(clock)
    assert own.frame("a", 2**32 - 1, 100) is None
    over = own.frame("a", 1, 100)
    assert over is not None
    assert over.retry_after_us < 60 * SECOND
    clock.us += over.retry_after_us
    assert own.frame("a", 1, 100) is None


def test_seals_are_only_slowed_down_and_refused_ones_more_than_others() -> None:
    clock = Clock()
    own = Quotas(clock, seals=Rate(100, 50))
    assert [own.seal_wait_us("fra-1") for _ in range(52)] == [0] * 50 + [10_000, 20_000]
    assert own.seal_wait_us("nyc-1") == 0
    own.seal_refused("nyc-1")
    assert [own.seal_wait_us("nyc-1") for _ in range(41)] == [0] * 40 + [10_000]
    clock.us = SECOND
    assert own.seal_wait_us("fra-1") == 0


def test_streams_without_end_are_refused_and_come_later() -> None:
    clock = Clock()
    own = Quotas(clock, streams=Rate(1, 3))
    assert [own.stream("fra-1") for _ in range(3)] == [None] * 3
    over = own.stream("fra-1")
    assert over is not None
    assert over.retry_after_us == SECOND
    assert over.reason.startswith("expected at most 3 new streams of one agent at once")
    assert own.stream("nyc-1") is None
    clock.us = SECOND
    assert own.stream("fra-1") is None
