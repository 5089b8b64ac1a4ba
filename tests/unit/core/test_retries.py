"""Backoff: doubling, spread, bounded, and with an end."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from controller.core.retries import retry_after_us
from vedette.shared.limits import NOTIFY_ATTEMPTS_MAX, NOTIFY_RETRY_US_MAX, NOTIFY_RETRY_US_MIN

WHOLE = Fraction(1)
SECOND_US = 1_000_000


def test_delays_double_up_to_an_hour_and_end() -> None:
    delays = [retry_after_us(n, WHOLE) for n in range(1, NOTIFY_ATTEMPTS_MAX + 1)]
    assert delays[:4] == [5 * SECOND_US, 10 * SECOND_US, 20 * SECOND_US, 40 * SECOND_US]
    assert delays[-2:] == [3600 * SECOND_US, None]
    seconds = sum(one for one in delays if one) // SECOND_US
    assert 12 * 3600 < seconds < 18 * 3600


@given(st.integers(1, NOTIFY_ATTEMPTS_MAX - 1), st.fractions(0, 1), st.integers(0, 10**15))
def test_a_delay_is_at_least_half_of_the_whole_one_and_never_longer_than_the_longest(
    attempts: int, jitter: Fraction, asked_us: int
) -> None:
    whole, delay = retry_after_us(attempts, WHOLE), retry_after_us(attempts, jitter, asked_us)
    assert whole is not None
    assert delay is not None
    assert whole // 2 <= delay <= NOTIFY_RETRY_US_MAX
    assert delay >= min(asked_us, NOTIFY_RETRY_US_MAX)
    assert delay >= NOTIFY_RETRY_US_MIN // 2


def test_what_the_other_side_asks_for_is_kept_up_to_a_bound() -> None:
    assert retry_after_us(1, WHOLE, 60 * SECOND_US) == 60 * SECOND_US
    assert retry_after_us(1, WHOLE, 10**9 * SECOND_US) == NOTIFY_RETRY_US_MAX
