from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.link.offset import DRIFT_US_PER_SECOND, MeasuredOffset
from tests.fakes.clock import FakeClock
from vedette.shared.result import ClockReading


def exchange(offset: MeasuredOffset, clock: FakeClock, *, true: int, there: int, back: int) -> None:
    """One exchange with a controller whose clock is `true` behind this one."""
    sent = clock.wall
    clock.pass_us(there)
    at_controller = clock.wall - true
    clock.pass_us(back)
    offset.exchanged(sent, received_there_us=at_controller, sent_there_us=at_controller)


def test_without_an_exchange_there_is_no_offset() -> None:
    assert MeasuredOffset(FakeClock()).reading() == ClockReading(offset=None)


@given(true=st.integers(-(10**10), 10**10), there=st.integers(0, 10**6), back=st.integers(0, 10**6))
def test_the_true_offset_is_within_the_error_bound(true: int, there: int, back: int) -> None:
    clock = FakeClock(10**12)
    offset = MeasuredOffset(clock)
    exchange(offset, clock, true=true, there=there, back=back)
    reading = offset.reading()
    assert reading.offset is not None
    assert reading.error is not None
    assert abs(reading.offset - true) <= reading.error <= (there + back) // 2 + 1


def test_the_best_exchange_counts_until_its_error_has_grown() -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock)
    exchange(offset, clock, true=700, there=10, back=10)
    exchange(offset, clock, true=700, there=9000, back=1000)
    assert offset.reading() == ClockReading(offset=700, error=11)
    clock.pass_us(1_000_000_000)
    exchange(offset, clock, true=700, there=1000, back=1000)
    assert offset.reading() == ClockReading(offset=700, error=1001)


def test_a_step_of_the_wall_clock_moves_the_offset_at_once() -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock)
    exchange(offset, clock, true=0, there=10, back=10)
    clock.wall += 3_000_000
    assert offset.reading().offset == 3_000_000


def test_an_answer_that_makes_no_sense_is_ignored() -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock)
    offset.exchanged(clock.wall + 5, received_there_us=0, sent_there_us=0)
    offset.exchanged(clock.wall, received_there_us=0, sent_there_us=50)
    assert offset.reading().offset is None


async def test_a_restart_knows_the_last_offset_with_a_greater_error(tmp_path: Path) -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock, tmp_path / "clock.json")
    exchange(offset, clock, true=-250, there=10, back=10)
    await offset.save()
    clock.wall += 1000 * 1_000_000
    reading = MeasuredOffset(clock, tmp_path / "clock.json").reading()
    assert reading == ClockReading(offset=-250, error=11 + 1000 * DRIFT_US_PER_SECOND)


async def test_a_clock_that_was_set_back_over_a_restart_knows_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock, tmp_path / "clock.json")
    exchange(offset, clock, true=0, there=10, back=10)
    await offset.save(is_last=True)
    clock.wall -= 10_000_000
    assert MeasuredOffset(clock, tmp_path / "clock.json").reading().offset is None
