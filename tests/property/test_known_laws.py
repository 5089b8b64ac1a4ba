"""Law of S-21: what was known at an instant is told again, whatever comes later, and by whatever way."""

import pytest

from controller.services.sight import PastSight, StoredSight, Told
from tests.property.life.life import CHECKS, EVERY, START, Life


@pytest.mark.parametrize("seed", [1, 4, 5])
async def test_s21_what_was_known_at_an_instant_is_told_again(seed: int) -> None:
    """Late, lost, repeated and conflicting lines, agents in trouble, new policies and restarts in between."""
    life = Life(seed)
    told: dict[tuple[str, int, int], Told] = {}
    try:
        for step in range(200):
            await life.step()
            if step % 20 == 19:
                told |= _told_now(life)
        differing = [key for key, before in told.items() if _told_then(life, *key) != before]
    finally:
        life.end()
    assert len(told) > 10
    assert differing == []


def _told_now(life: Life) -> dict[tuple[str, int, int], Told]:
    """What is told of each check now, of a time that is chosen by chance."""
    found: dict[tuple[str, int, int], Told] = {}
    with life.evaluator.transaction() as tx:
        sight = StoredSight(tx, life.evaluator, life.now_us)
        for check in CHECKS:
            from_us = life.random.randrange(START - EVERY, life.now_us)
            if life.evaluator.is_behind(check):
                continue
            found[check, from_us, life.now_us] = sight.told(check, from_us, life.now_us)
    return found


def _told_then(life: Life, check: str, from_us: int, known_us: int) -> Told:
    with life.evaluator.transaction() as tx:
        return PastSight(tx, life.evaluator, known_us).told(check, from_us, known_us)
