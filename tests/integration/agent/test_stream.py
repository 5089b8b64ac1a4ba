import asyncio
import datetime as dt
from pathlib import Path

import grpc
import pytest

from agent.link.credential import Credential, key_pem, new_request
from tests.fakes.controller import FakeAuthority, FakeController
from tests.fakes.proxy import CuttingProxy
from tests.integration.agent.machine import Machine, machine
from vedette.shared.result import Trigger
from vedette.v1 import session_pb2


async def held(controller: FakeController, site: Machine, seq: int) -> None:
    await controller.until(lambda: controller.durable.get(site.key) == seq)


async def test_lines_are_sent_when_durable_and_forgotten_when_acknowledged(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        site.write(5)
        await controller.until(lambda: controller.durable.get(site.key) == 5)
        site.write(2)
        site.write(1, "dns")
        await controller.until(lambda: controller.durable.get(site.key) == 7)
        await controller.until(lambda: controller.durable.get((site.spool.epoch, "dns")) == 1)
        hello = controller.streams[0].hello
        assert (hello.version, hello.epoch, list(hello.can_probe)) == (
            "9.9",
            site.spool.epoch,
            ["http"],
        )
    assert (len(controller.streams), controller.doubled) == (1, 0)


async def test_cut_anywhere_in_the_middle_of_frames_every_line_arrives_once_in_the_end(
    controller: FakeController, tmp_path: Path
) -> None:
    cuts = [4_000, 6_000, 9_500, 20_000, 33_333, 50_001]
    async with (
        CuttingProxy(controller.port, list(cuts)) as proxy,
        machine(controller, tmp_path, port=proxy.port) as site,
    ):
        site.write(600, pad=400)
        await controller.until(lambda: controller.durable.get(site.key) == 600)
        assert proxy.connections > len(cuts)
    assert controller.numbers(*site.key) == list(range(1, 601))
    assert controller.lost[site.key] == 0


async def test_lost_acknowledgements_send_the_same_lines_again_under_the_same_numbers(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.is_acking = False
    async with machine(controller, tmp_path) as site:
        site.write(4)
        await controller.until(lambda: controller.durable.get(site.key) == 4)
        key = site.key
    controller.durable.clear()
    controller.is_acking = True
    async with machine(controller, tmp_path) as site:
        assert site.key == key
        site.write(1)
        await controller.until(lambda: controller.durable.get(key) == 5)
    assert controller.doubled == 4
    assert controller.numbers(*key) == [1, 2, 3, 4, 5]


async def test_a_controller_that_kept_the_lines_is_not_sent_them_again(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.is_acking = False
    async with machine(controller, tmp_path) as site:
        site.write(4)
        await controller.until(lambda: controller.durable.get(site.key) == 4)
    async with machine(controller, tmp_path) as site:
        site.write(1)
        await controller.until(lambda: controller.durable.get(site.key) == 5)
    assert controller.doubled == 0


async def test_a_restarted_controller_is_found_again_and_nothing_is_lost(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        for at in (20, 40, 60):
            site.write(10)
            await held(controller, site, at - 10)
            await controller.stop()
            site.write(10)
            await site.spool.sync()
            await controller.start()
            await held(controller, site, at)
    assert controller.numbers(*site.key) == list(range(1, 61))
    assert controller.doubled == 0


async def test_a_refused_frame_is_sent_again_from_where_the_controller_says(
    controller: FakeController, tmp_path: Path
) -> None:
    refused: list[int] = []

    def refuse_once(frame: session_pb2.Frame) -> session_pb2.Refusal | None:
        if refused:
            return None
        refused.append(frame.first_seq)
        return session_pb2.Refusal(resend_from=1, reason="busy")

    controller.refuses = refuse_once
    async with machine(controller, tmp_path) as site:
        site.write(3)
        await controller.until(lambda: controller.durable.get(site.key) == 3)
    assert refused == [1]
    assert len(controller.streams) == 1


async def test_a_line_that_is_never_taken_is_given_up_and_counted(
    controller: FakeController, tmp_path: Path
) -> None:
    def refuse_seven(frame: session_pb2.Frame) -> session_pb2.Refusal | None:
        has_seven = frame.first_seq <= 7 < frame.first_seq + frame.count
        return session_pb2.Refusal(reason="line 7 is no line") if has_seven else None

    controller.refuses = refuse_seven
    async with machine(controller, tmp_path) as site:
        site.write(10)
        await controller.until(lambda: controller.durable.get(site.key) == 10)
    assert controller.numbers(*site.key) == [1, 2, 3, 4, 5, 6, 8, 9, 10]
    assert controller.lost[site.key] == 1


async def test_drained_the_agent_sends_what_it_has_closes_and_comes_back(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.streams)
        site.write(4)
        await site.spool.sync()
        await controller.tell(
            session_pb2.ConnectResponse(drain=session_pb2.Drain(reason="upgrade"))
        )
        await controller.until(lambda: len(controller.streams) == 2)
        assert controller.durable[site.key] == 4
        assert not controller.streams[0].is_open


async def test_an_assignment_is_adopted_then_acknowledged_with_what_will_not_run(
    controller: FakeController, tmp_path: Path
) -> None:
    revision = await controller.assign(b'{"id":"home"}')
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.streams and controller.streams[0].assignment_acks)
        ack = controller.streams[0].assignment_acks[0]
        assert ack.revision == revision == site.duties.adopted[0].revision
        assert site.duties.adopted[0].checks[0].definition == b'{"id":"home"}'
        assert [(u.check, u.reason) for u in ack.unrunnable] == [
            ("odd", "this agent cannot run tcp probes")
        ]
        # The clock was measured before the first assignment was run.
        assert site.offset.reading().offset is not None


async def test_orders_to_probe_reach_the_duties(controller: FakeController, tmp_path: Path) -> None:
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.streams)
        order = session_pb2.ProbeOrder(checks=["home"], trigger=session_pb2.PROBE_TRIGGER_CONFIRM)
        await controller.tell(session_pb2.ConnectResponse(probe_now=order))
        await asyncio.wait_for(site.duties.ordered.wait(), 10)
        assert site.duties.orders == [(["home"], Trigger.CONFIRM)]


async def test_the_clock_of_the_controller_is_measured_and_health_is_told(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.clock_ahead_us = 5_000_000
    async with machine(controller, tmp_path) as site:
        await asyncio.wait_for(site.offset.is_measured.wait(), 10)
        reading = site.offset.reading()
        assert reading.offset == pytest.approx(-5_000_000, abs=200_000)
        await controller.until(lambda: controller.streams[0].health)
        assert controller.streams[0].health[0].missed_slots == 3


async def test_a_controller_that_holds_more_than_was_numbered_here_gets_a_new_epoch(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        old = site.spool.epoch
        site.write(2)
        await controller.until(lambda: controller.durable.get(site.key) == 2)
    controller.durable[old, "shop"] = 40
    async with machine(controller, tmp_path) as site:
        await controller.until(
            lambda: len(controller.streams) == 2 and controller.streams[1].health
        )
        assert site.spool.epoch != old
        site.write(1)
        await controller.until(lambda: controller.durable.get(site.key) == 1)


@pytest.mark.parametrize(
    ("region", "door", "words"),
    [
        pytest.param("nyc", None, "for agent fra-1 of region nyc: join again", id="another region"),
        pytest.param(
            "fra",
            (grpc.StatusCode.PERMISSION_DENIED, "The certificate was replaced by a newer one."),
            "refused: The certificate was replaced",
            id="replaced",
        ),
    ],
)
async def test_refused_at_the_door_it_says_so_once_keeps_its_lines_and_tries_again(
    controller: FakeController,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    region: str,
    door: tuple[grpc.StatusCode, str] | None,
    words: str,
) -> None:
    controller.region, controller.refused_at_the_door = region, door
    async with machine(controller, tmp_path) as site:
        site.write(3)
        await controller.until(lambda: controller.calls > 4)
        assert controller.durable == {}
        controller.region, controller.refused_at_the_door = "fra", None
        await controller.until(lambda: controller.durable.get(site.key) == 3)
    reasons = [vars(r)["reason"] for r in caplog.records if r.message == "link.disconnected"]
    assert [words in reason for reason in reasons] == [True]


async def test_at_half_life_a_new_key_is_certified_used_and_only_then_committed(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.authority.age = dt.timedelta(hours=13)
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.renewed)
        first = site.identity.credential()
        controller.authority.age = dt.timedelta(0)
        await controller.until(
            lambda: controller.streams[-1].serial != controller.streams[0].serial
        )
        site.write(1)
        await controller.until(lambda: controller.durable.get(site.key) == 1)
        now = site.identity.credential()
        assert site.identity.candidate() is None or controller.renewed > 1
        assert now.key_pem != first.key_pem


async def test_a_candidate_that_does_not_work_does_not_keep_the_agent_out(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.streams)
        chain = site.identity.credential()
    site.identity.keep_candidate(_foreign_credential())
    async with machine(controller, tmp_path) as site:
        site.write(1)
        await controller.until(lambda: controller.durable.get(site.key) == 1)
        assert site.identity.credential() == chain


def _foreign_credential() -> Credential:
    key, csr = new_request()
    return Credential.of_pem(key_pem(key) + FakeAuthority().agent(csr))
