"""Judging never keeps the loop waiting for long, and says so where it did."""

import asyncio
import random
import threading
import time
from collections.abc import Callable

import pytest

from agent.core.verdict import verdict
from agent.ports import Observation
from agent.runtime import judge
from agent.runtime.clock import SystemClock
from agent.runtime.executor import run_once
from agent.runtime.judge import Judge
from tests.unit.agent.checks import check_of
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.limits import LOOP_LAG_US_MAX
from vedette.shared.patterns import text_pattern_of
from vedette.shared.result import Outcome

# Hundreds of its steps are live at a time over such a text, never the same ones again.
SLOW = "[ab]*a[ab]{200}Q"
TEXT = "".join(random.Random(1).choices("ab", k=100_000))


def expecting(*texts: str) -> Check:
    return check_of(http={"url": "http://x/", "expect": list(texts)})


class Answering:
    """A prober that is answered at once."""

    def __init__(self, **variables: object) -> None:
        self._seen = Observation(1000, variables=variables)

    async def probe(self, check: Check) -> Observation:
        return self._seen


async def test_other_probes_go_on_while_a_pattern_is_matched() -> None:
    begun = time.monotonic()
    assert not text_pattern_of(SLOW).is_in(TEXT.encode())
    alone = time.monotonic() - begun
    check = expecting(f"!body.matches('{SLOW}')")
    run = asyncio.create_task(run_once(check, Answering(body=TEXT), SystemClock()))
    turns = 0
    while not run.done():
        turns += 1
        await asyncio.sleep(0.001)
    finding = await run
    assert finding.outcome is Outcome.UP
    assert turns > alone * 1000 / 20  # of a loop that stood still there would be one or two


async def test_time_that_judging_took_stands_in_the_line_and_is_no_distortion() -> None:
    clock = SystemClock()

    def slowly(check: Check, seen: Observation) -> object:
        ends_us = clock.monotonic_us() + LOOP_LAG_US_MAX + 20_000
        while clock.monotonic_us() < ends_us:
            pass
        return real(check, seen)

    real: Callable[..., object] = verdict
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "verdict", slowly)
        finding = await run_once(expecting("status == 200"), Answering(status=200), clock)
    assert finding.outcome is Outcome.UP
    assert finding.loop_lag_us is not None
    assert finding.loop_lag_us > LOOP_LAG_US_MAX


async def test_judging_that_takes_no_time_is_no_lag() -> None:
    judged = await Judge(SystemClock()).verdict(
        expecting("status == 200"), Observation(1000, variables={"status": 200})
    )
    assert (judged.verdict.outcome, judged.stood_us) == (Outcome.UP, 0)


async def test_a_run_that_no_thread_came_to_is_the_agents_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judge, "EVALUATION_US_MAX", 50_000)
    is_over = threading.Event()
    busy = Judge(SystemClock(), threads_max=1)
    check = expecting("body.matches('error')")
    large = Observation(1000, variables={"body": "x" * 1_000_000})
    monkeypatch.setattr(judge, "verdict", lambda *_: is_over.wait())
    waiting = [busy.verdict(check, large) for _ in range(2)]
    judged = await asyncio.gather(*waiting)
    is_over.set()
    assert [one.verdict.outcome for one in judged] == [Outcome.AGENT_ERROR] * 2
    assert {one.verdict.kind for one in judged} == {Failure.EXHAUSTED}
