"""When a delivery that failed is tried again: exponential backoff with jitter, up to a bound."""

from fractions import Fraction

from vedette.shared.limits import NOTIFY_ATTEMPTS_MAX, NOTIFY_RETRY_US_MAX, NOTIFY_RETRY_US_MIN


def retry_after_us(attempts: int, jitter: Fraction, asked_us: int = 0) -> int | None:
    """How long after the attempt of that number (from 1) the next one may be; None: it was the last.

    `jitter` from 0 to 1 spreads the delay between half of it and all of it, so that many that failed
    together do not come again together. The other side may ask for more, up to the longest delay.
    """
    if attempts >= NOTIFY_ATTEMPTS_MAX:
        return None
    # 2**attempts would grow without bound; the longest delay is reached long before 2**32.
    whole_us = min(NOTIFY_RETRY_US_MIN << min(attempts - 1, 32), NOTIFY_RETRY_US_MAX)
    spread_us = whole_us // 2 + int(whole_us * jitter) // 2
    return max(spread_us, min(asked_us, NOTIFY_RETRY_US_MAX))
