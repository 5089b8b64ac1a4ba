"""Law of S-21: what was known at an instant is told again, whatever comes later, and by whatever way."""

from typing import NamedTuple

import pytest

from controller.services.contracts import sight
from controller.services.contracts.sight import PastSight, StoredSight, Told
from tests.property.life.life import CHECKS, EVERY, START, Life


class Asked(NamedTuple):
    """A time of a check, as known at an instant."""

    check: str
    from_us: int
    to_us: int
    known_us: int


@pytest.mark.parametrize("seed", [1, 5])
async def test_s21_what_was_known_at_an_instant_is_told_again(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late, lost, repeated and conflicting lines, agents in trouble, new policies and restarts in between."""
    # So little that it often does not do, and has to be widened.
    monkeypatch.setattr(sight, "_REACH_US", EVERY)
    life = Life(seed)
    told: dict[Asked, Told] = {}
    try:
        for step in range(200):
            await life.step()
            if step % 20 == 19:
                told |= _told_now(life)
        differing = [one for one, before in told.items() if _told_then(life, one) != before]
    finally:
        life.end()
    assert len(told) > 10
    assert differing == []


def _told_now(life: Life) -> dict[Asked, Told]:
    """What is told of each check now, of a time that is chosen by chance."""
    found: dict[Asked, Told] = {}
    with life.evaluator.transaction() as tx:
        stored = StoredSight(tx, life.evaluator, life.now_us)
        for check in CHECKS:
            from_us = life.random.randrange(START - EVERY, life.now_us)
            if life.evaluator.is_behind(check):
                continue
            to_us = life.random.randrange(from_us, life.now_us) + 1
            asked = Asked(check, from_us, to_us, life.now_us)
            found[asked] = stored.told(check, from_us, to_us)
    return found


def _told_then(life: Life, asked: Asked) -> Told:
    with life.evaluator.transaction() as tx:
        past = PastSight(tx, life.evaluator, asked.known_us)
        return past.told(asked.check, asked.from_us, asked.to_us)
