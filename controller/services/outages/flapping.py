"""How checks flap now, by the verdicts that are stored of them (S-18). For presentation only."""

from controller.core.flapping import Flapping, flapping_at, looks_back_us
from controller.ports.storage import Transaction


def flapping_now(tx: Transaction, check: str, every_us: int, now_us: int) -> Flapping:
    """How a check that runs every so often flaps now.

    Reads what is stored and wakes no engine: the last verdict is stored up to where it was last told of, and
    has gone on since.
    """
    from_us = max(now_us - looks_back_us(every_us), 0)
    found = [
        (one.from_us, one.to_us, one.verdict) for one in tx.intervals(check, from_us, now_us + 1)
    ]
    if found:
        found[-1] = (found[-1][0], now_us + 1, found[-1][2])
    return flapping_at(found, every_us, now_us)
