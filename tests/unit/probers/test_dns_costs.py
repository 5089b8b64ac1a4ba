"""What reading replies costs: none of it is the server's time, and none of it delays other probes."""

import asyncio
import statistics
import time
from collections.abc import Callable

import dns.message
import pytest

from agent.probers.dns import DnsProber
from agent.probers.dns import reply as reading
from agent.probers.network.admission import Admission
from tests.fakes.dns_target import LOOPBACK, name_server, reply_to, wire
from tests.fakes.tcp_target import target
from tests.unit.probers.dns_probing import Query, honest, run_dns
from tests.unit.probers.http_probing import LOOPBACK_ONLY, check_of
from tests.unit.probers.test_dns_transports import by_length

RECORDS = 4000
SLOW_SECONDS = 0.03


def many(query: Query) -> list[bytes]:
    """As many addresses as fit into the longest message."""
    (short,) = honest(query)
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04"
    head = short[:6] + RECORDS.to_bytes(2) + short[8:10] + b"\0\0"
    question = wire(query)[12:29]
    addresses = (record + bytes([127, 1, number >> 8, number & 255]) for number in range(RECORDS))
    return [head + question + b"".join(addresses)]


async def longest_stall_us(work: "asyncio.Task[object]") -> int:
    """The longest time for which the loop did nothing else while `work` ran."""
    longest, last = 0, time.thread_time_ns()
    while not work.done():
        await asyncio.sleep(0)
        now = time.thread_time_ns()
        longest, last = max(longest, now - last), now
    return longest // 1000


async def test_a_long_reply_is_read_up_to_a_bound_and_beside_the_loop() -> None:
    stalls = []
    for _ in range(3):
        async with target(by_length(many)) as place:
            work = asyncio.create_task(run_dns(place.port, transport="tcp"))
            stalls.append(await longest_stall_us(work))
            run = await work
        assert run.outcome == "up", run.verdict.detail
        assert run.seen.facts["count"] == 1000
        assert run.seen.facts["left_out"] == RECORDS - 1000
    assert min(stalls) < 50_000


async def test_a_reply_within_the_bound_leaves_nothing_out() -> None:
    async with name_server(honest) as port:
        run = await run_dns(port)
    assert "left_out" not in run.seen.facts


async def test_what_was_left_out_cannot_be_proven() -> None:
    async with target(by_length(many)) as place:
        run = await run_dns(
            place.port, "dnssec.state == 'indeterminate'", transport="tcp", dnssec={}
        )
    assert run.seen.variables["dnssec"]["reason"] == "the reply has 3000 records more than are read"


async def test_a_datagram_longer_than_can_be_offered_is_passed_over() -> None:
    async with name_server(lambda q: [wire(reply_to(q)) + bytes(5000)]) as port:
        run = await run_dns(port, within="200ms")
    assert run.kind == "query_timeout"
    assert "more than 4096 bytes" in (run.verdict.detail or "")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_reading_is_no_phase(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole: Callable[..., dns.message.Message] = dns.message.from_wire
    read = 0

    def slow(data: bytes, **options: bool) -> dns.message.Message:
        nonlocal read
        read += 1
        time.sleep(SLOW_SECONDS)
        return whole(data, **options)

    async with name_server(honest) as port:
        reading._kept.cache_clear()
        monkeypatch.setattr(dns.message, "from_wire", slow)
        run = await run_dns(port, transport=transport)
        monkeypatch.undo()
    phases = run.seen.phases or {}
    assert run.outcome == "up", run.verdict.detail
    assert sum(phases.values()) == run.seen.took_us
    # The server of the test shares the function, and reads the question with it within the phase.
    assert read <= 2
    assert run.seen.took_us < SLOW_SECONDS * 1e6 * 1.9


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("delay_ms", [0, 40])
async def test_phases_sum_to_what_an_outer_watch_sees(transport: str, delay_ms: int) -> None:
    """A median of quiet runs: the phases miss less than a millisecond of the exchange, and add nothing."""

    def late(query: Query) -> list[bytes]:
        time.sleep(delay_ms / 1000)
        return honest(query)

    prober = DnsProber(Admission(LOOPBACK_ONLY))
    missed, waited = [], []
    async with name_server(late) as port:
        plain = {
            "name": "example.com", "servers": [LOOPBACK], "port": port, "transport": transport,
        }  # fmt: skip
        check = check_of("dns", plain, "2s")
        for _ in range(9):
            began = time.monotonic_ns()
            seen = await prober.probe(check)
            outer_us = (time.monotonic_ns() - began) // 1000
            phases = seen.phases or {}
            missed.append(outer_us - sum(phases.values()))
            waited.append(phases["query"] - delay_ms * 1000)
            assert seen.took_us == sum(phases.values())
    assert 0 <= statistics.median(missed) < 1000
    assert min(waited) >= 0
    assert statistics.median(waited) < 15_000


SIGNATURE = (
    "example.com. 3600 IN RRSIG A 13 2 3600 20300101000000 20200101000000 1 example.com. AAAA"
)


@pytest.mark.parametrize(("asked", "count"), [("A", 1), ("ANY", 2)])
async def test_signatures_that_came_along_are_records_and_no_answers(
    asked: str, count: int
) -> None:
    def signed(query: Query) -> list[bytes]:
        return [wire(reply_to(query, ["example.com. 3600 IN A 127.0.0.1", SIGNATURE]))]

    async with name_server(signed) as port:
        run = await run_dns(
            port, f"size(answers) == {count} && size(records) == 2", type=asked, dnssec_ok=True
        )
    assert run.outcome == "up", run.verdict.detail
