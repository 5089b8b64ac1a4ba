from pathlib import Path

import pytest
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


@pytest.mark.parametrize("step_us", [3_000_000, -3_000_000, 100_001, -100_001])
def test_a_clock_that_was_set_has_no_offset_until_the_next_exchange(step_us: int) -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock)
    exchange(offset, clock, true=0, there=10, back=10)
    assert not offset.look()
    clock.wall += step_us
    assert offset.reading() == ClockReading(offset=None)
    assert offset.look()
    assert not offset.is_measured.is_set()
    assert (offset.steps, offset.step_us) == (1, step_us)
    offset.is_wanted.clear()
    exchange(offset, clock, true=step_us, there=10, back=10)
    assert offset.reading() == ClockReading(offset=step_us, error=11)
    assert not offset.look()


@pytest.mark.parametrize("slewed_us", [40_000, -99_999])
def test_a_clock_that_is_slewed_moves_its_offset_with_it(slewed_us: int) -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock)
    exchange(offset, clock, true=0, there=10, back=10)
    clock.wall += slewed_us
    assert offset.reading() == ClockReading(offset=slewed_us, error=11)
    assert offset.steps == 0


@pytest.mark.parametrize("step_us", [5_000_000, -5_000_000])
def test_what_was_timed_by_the_clock_before_it_was_set_has_no_offset(step_us: int) -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock)
    exchange(offset, clock, true=0, there=10, back=10)
    begun = offset.mark()
    clock.wall += step_us
    exchange(offset, clock, true=step_us, there=10, back=10)
    exchange(offset, clock, true=step_us, there=10, back=10)
    assert offset.reading().offset == step_us
    assert offset.reading(begun) == ClockReading(offset=None)
    assert offset.reading(offset.mark()).offset == step_us


@pytest.mark.parametrize("step_us", [5_000_000, -5_000_000])
def test_an_answer_to_a_question_from_before_the_step_is_no_measurement(step_us: int) -> None:
    clock = FakeClock()
    offset = MeasuredOffset(clock)
    sent = clock.wall
    clock.wall += step_us
    clock.pass_us(20)
    offset.exchanged(sent, received_there_us=sent + 10, sent_there_us=sent + 10)
    assert offset.reading().offset is None


def test_what_the_system_says_of_its_clock_is_asked_now_and_then() -> None:
    clock, said, asked = FakeClock(), [True, False, True], 0

    def is_synced() -> bool:
        nonlocal asked
        asked += 1
        return said[min(asked, 3) - 1]

    offset = MeasuredOffset(clock, is_synced=is_synced)
    assert [offset.reading().synced for _ in range(5)] == [True] * 5
    clock.pass_us(10_000_000)
    assert not offset.reading().synced
    assert asked == 2
    assert MeasuredOffset(clock).reading().synced, "what is not known is not said"


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
