"""How checks flap now, by the verdicts that are known of them (S-18). For presentation only."""

from controller.core.flapping import Flapping, flapping_at, looks_back_us
from controller.ports import Transaction
from controller.services.evaluate import Evaluator


def flapping_now(
    tx: Transaction, evaluator: Evaluator, check: str, every_us: int, now_us: int
) -> Flapping:
    """How a check that runs every so often flaps now (S-18)."""
    from_us = max(now_us - looks_back_us(every_us), 0)
    stored = evaluator.intervals(tx, check, from_us, now_us + 1, now_us + 1)
    return flapping_at([(one.from_us, one.to_us, one.verdict) for one in stored], every_us, now_us)
