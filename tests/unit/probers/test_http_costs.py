"""The phases of an HTTP exchange against a watch outside of it, and against a server that delays by known times."""

import asyncio
import statistics
import time

import pytest

from agent.probers.http import HttpProber
from agent.probers.network.admission import Admission
from tests.fakes.tcp_target import head_of, response, target
from tests.unit.probers.http_probing import LOOPBACK_ONLY, check_of


@pytest.mark.parametrize("delay_ms", [0, 40])
async def test_phases_sum_to_what_an_outer_watch_sees(delay_ms: int) -> None:
    """A median of quiet runs: the phases miss less than a millisecond of the exchange, and add nothing."""

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        await asyncio.sleep(delay_ms / 1000)
        writer.write(response(b"hi"))
        await writer.drain()

    prober = HttpProber(Admission(LOOPBACK_ONLY))
    missed, waited = [], []
    async with target(late) as place:
        check = check_of("http", {"url": f"http://127.0.0.1:{place.port}/"}, "2s")
        for _ in range(9):
            began = time.monotonic_ns()
            seen = await prober.probe(check)
            outer_us = (time.monotonic_ns() - began) // 1000
            phases = seen.phases or {}
            assert seen.kind is None, seen.detail
            missed.append(outer_us - sum(phases.values()))
            waited.append(phases["first_byte"] - delay_ms * 1000)
            assert abs(seen.took_us - sum(phases.values())) < 1000
    assert 0 <= statistics.median(missed) < 1000
    assert min(waited) >= -1000  # the loop may wake a timer that early
    assert statistics.median(waited) < 15_000
