"""Delivery over networks as they are: every line arrives once, live ones first, seals after their lines."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.link import sending, session
from agent.ports import SEALS_SUFFIX
from tests.fakes.controller import WAIT_SECONDS_MAX, FakeController
from tests.fakes.proxy import Fault, FaultyProxy, Kind
from tests.integration.agent.machine import Machine, machine
from vedette.shared.limits import BACKLOG_FRAME_BYTES
from vedette.shared.note import Verifier, opened_note
from vedette.shared.seal import Seal, parsed_seal
from vedette.v1 import session_pb2

LINES = 600


async def eventually(claim: Callable[[], object]) -> None:
    """Return when `claim` holds, of something that nobody announces."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not claim():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)


def everything_once(controller: FakeController, site: Machine, count: int = LINES) -> None:
    assert controller.numbers(*site.key) == list(range(1, count + 1))
    assert controller.lost[site.key] == 0


def seals_of(controller: FakeController, site: Machine, key: tuple[str, str]) -> list[Seal]:
    """The seals that the controller keeps of a stream, verified and in a chain without holes."""
    public = site.identity.evidence_key().public_key().public_bytes_raw()
    kept = controller.notes[key]
    name = f"{site.identity.organisation()}/agent/fra-1"
    seals = [parsed_seal(opened_note(kept[n], [Verifier(name, public)])) for n in sorted(kept)]
    assert [seal.number for seal in seals] == list(range(1, len(seals) + 1))
    return seals


# --- faults of the network


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([Fault(Kind.CUT, n) for n in (3_000, 9_000, 40_000)], id="loss"),
        pytest.param([Fault(Kind.RESET, n) for n in (100, 5_000, 9_000, 40_000)], id="resets"),
        pytest.param([Fault(Kind.HALF_OPEN, n) for n in (5_000, 30_000)], id="half open"),
    ],
)
async def test_over_a_faulty_network_every_line_and_seal_arrives_once(
    controller: FakeController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faults: list[Fault]
) -> None:
    monkeypatch.setattr(session, "_SILENCE_SECONDS_MAX", 0.5)
    monkeypatch.setattr(session, "CLOCK_PROBE_SECONDS", 0.1)
    wanted = len(faults)
    async with (
        FaultyProxy(controller.port, faults) as proxy,
        machine(controller, tmp_path, port=proxy.port) as site,
    ):
        for _ in range(6):
            site.write(LINES // 6, pad=400)
            await site.sealer.seal()
        await controller.until(lambda: controller.durable.get(site.key) == LINES)
        await controller.until(lambda: len(controller.notes.get(site.key, ())) == 6)
        assert proxy.connections > wanted
        everything_once(controller, site)
        assert sum(s.payload.count for s in seals_of(controller, site, site.key)) == LINES


async def test_latency_delays_and_loses_nothing(controller: FakeController, tmp_path: Path) -> None:
    async with (
        FaultyProxy(controller.port, [], latency_seconds=0.02) as proxy,
        machine(controller, tmp_path, port=proxy.port) as site,
    ):
        site.write(LINES, pad=400)
        await controller.until(lambda: controller.durable.get(site.key) == LINES)
        everything_once(controller, site)
    assert len(controller.streams) == 1


# --- live first


async def test_after_a_long_outage_live_lines_overtake_the_backlog(
    controller: FakeController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "BACKLOG_LINES_MIN", 1_000)
    async with machine(controller, tmp_path) as site:
        await controller.stop()
        old = site.key
        site.write(20_000)
        await site.spool.sync()
        await controller.start()
        await eventually(lambda: site.key != old)
        site.write(10)
        await controller.until(lambda: controller.durable.get(site.key) == 10)
        assert controller.durable.get(old, 0) < 20_000
        await controller.until(lambda: controller.durable.get(old) == 20_000)
        everything_once(controller, site, 10)
        assert controller.numbers(*old) == list(range(1, 20_001))
        assert controller.lost[old] == 0
        by_epoch = {f.epoch: f.is_backlog for f in controller.streams[-1].frames}
        assert by_epoch == {old[0]: True, site.spool.epoch: False}
        largest = max(len(f.lines) for f in controller.streams[-1].frames if f.is_backlog)
        assert largest <= BACKLOG_FRAME_BYTES


async def test_the_backlog_is_paced(
    controller: FakeController, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "BACKLOG_LINES_MIN", 10)
    monkeypatch.setattr(sending, "BACKLOG_LINES_PER_SECOND", 1_000)
    monkeypatch.setattr(sending, "BACKLOG_FRAME_BYTES", 10_000)
    async with machine(controller, tmp_path) as site:
        await controller.stop()
        old = site.key
        site.write(500)
        await site.spool.sync()
        await controller.start()
        loop = asyncio.get_running_loop()
        await controller.until(lambda: controller.durable.get(old))
        began = loop.time()
        await controller.until(lambda: controller.durable.get(old) == 500)
        assert loop.time() - began > 0.3


async def test_a_short_outage_opens_no_epoch(controller: FakeController, tmp_path: Path) -> None:
    async with machine(controller, tmp_path) as site:
        await controller.stop()
        old = site.key
        site.write(100)
        await site.spool.sync()
        await controller.start()
        await controller.until(lambda: controller.durable.get(old) == 100)
        assert site.key == old


async def test_told_to_wait_it_sends_nothing_until_then(
    controller: FakeController, tmp_path: Path
) -> None:
    answers = iter([session_pb2.Refusal(resend_from=1, reason="slow", retry_after_us=300_000)])
    controller.refuses = lambda _: next(answers, None)
    async with machine(controller, tmp_path) as site:
        loop = asyncio.get_running_loop()
        site.write(5)
        await controller.until(lambda: controller.streams and controller.streams[0].frames)
        began = loop.time()
        await controller.until(lambda: controller.durable.get(site.key) == 5)
        assert loop.time() - began > 0.25
        assert len(controller.streams[0].frames) == 2


# --- seals


async def test_a_controller_that_hands_evidence_over_gets_seals_out_of_turn(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        sealing = asyncio.create_task(site.sealer.run())
        for count in (1, 2):
            site.write(3)
            await controller.until(lambda: controller.durable.get(site.key) == 3 * count)  # noqa: B023
            await controller.tell(session_pb2.ConnectResponse(seal_now=session_pb2.SealNow()))
            await controller.until(lambda: len(controller.notes.get(site.key, ())) >= count)  # noqa: B023
        assert sum(s.payload.count for s in seals_of(controller, site, site.key)) == 6
        site.sealer.stop()
        await sealing


async def test_a_seal_follows_its_lines_and_leaves_the_spool_when_it_is_kept(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.is_acking = False
    async with machine(controller, tmp_path) as site:
        site.write(5)
        await site.sealer.seal()
        await controller.until(lambda: controller.durable.get(site.key) == 5)
        assert controller.notes == {}
        await controller.release()
        await controller.until(lambda: controller.notes)
        (seal,) = seals_of(controller, site, site.key)
        assert (seal.payload.first, seal.payload.last) == (1, 5)
        await eventually(lambda: site.spool.acked((site.key[0], "shop" + SEALS_SUFFIX)))


async def test_hours_without_a_controller_are_sealed_as_they_passed(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        await controller.stop()
        for _ in range(300):
            site.write(1)
            await site.sealer.seal()
        await controller.start()
        await controller.until(lambda: len(controller.notes.get(site.key, ())) == 300)
        everything_once(controller, site, 300)
        seals = seals_of(controller, site, site.key)
        assert [s.payload.last for s in seals] == list(range(1, 301))


async def test_a_refused_seal_leaves_its_lines_unsealed_and_begins_a_new_chain(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        old = site.key
        site.write(1)
        await site.sealer.seal()
        await controller.until(lambda: controller.notes.get(old))
        controller.refuses_seal = lambda seal: "it is not true" if seal.epoch == old[0] else ""
        site.write(1)
        await site.sealer.seal()
        await eventually(lambda: site.key != old)
        site.write(1)
        await site.sealer.seal()
        await controller.until(lambda: controller.notes.get(site.key))
        assert len(seals_of(controller, site, old)) == 1
        assert len(seals_of(controller, site, site.key)) == 1


async def test_where_not_even_a_first_seal_is_taken_no_epoch_is_opened_for_it(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.refuses_seal = lambda _: "no"
    async with machine(controller, tmp_path) as site:
        old = site.key
        seals = (old[0], "shop" + SEALS_SUFFIX)
        site.write(1)
        await site.sealer.seal()
        await eventually(lambda: site.spool.acked(seals) == 1)
        assert site.key == old


async def test_a_controller_that_was_restored_from_a_backup_gets_a_new_epoch(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        old = site.key
        for _ in range(2):
            site.write(1)
            await site.sealer.seal()
        await controller.until(lambda: len(controller.notes.get(old, ())) == 2)
        await eventually(lambda: site.spool.acked((old[0], "shop" + SEALS_SUFFIX)) == 2)
        await controller.stop()
        del controller.notes[old][2]
        await controller.start()
        await eventually(lambda: site.key != old)


async def test_a_controller_from_before_seals_does_not_keep_lines_in_the_spool(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.takes_seals = False
    async with machine(controller, tmp_path) as site:
        site.write(3)
        await site.sealer.seal()
        await eventually(lambda: site.spool.acked((site.key[0], "shop" + SEALS_SUFFIX)))
        await controller.until(lambda: controller.durable.get(site.key) == 3)
    assert controller.notes == {}
