"""A controller that was taken over says what no controller says: the agent keeps its lines and goes on."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.spool.positions import FILE
from tests.fakes.controller import FakeController
from tests.integration.agent.machine import Machine, machine
from vedette.shared.limits import ASSIGNED_MAX, ASSIGNMENTS_WAITING_MAX
from vedette.v1 import session_pb2 as pb

SIGNED = (0, 1, -1, 2**31, 2**62, 2**63 - 1, -(2**63))
TRIGGERS = (
    pb.PROBE_TRIGGER_UNSPECIFIED,
    pb.PROBE_TRIGGER_CONFIRM,
    pb.PROBE_TRIGGER_MANUAL,
)
UNSIGNED = (0, 1, 5, 2**31, 2**63, 2**64 - 1)


def reply(sent_us: int, received_us: int, controller_sent_us: int) -> pb.ConnectResponse:
    """What the controller's clock says."""
    return pb.ConnectResponse(
        clock_reply=pb.ClockReply(
            agent_sent_us=sent_us,
            controller_received_us=received_us,
            controller_sent_us=controller_sent_us,
        )
    )


def ack(*positions: tuple[str, str, int]) -> pb.ConnectResponse:
    """These lines are said to be held."""
    named = [pb.Position(epoch=epoch, stream=stream, seq=seq) for epoch, stream, seq in positions]
    return pb.ConnectResponse(ack=pb.Ack(durable=named))


def assignment(checks: int) -> pb.ConnectResponse:
    """So many checks that nobody can read."""
    parts = [pb.AssignedCheck(definition=b"{", digest=f"{n}") for n in range(checks)]
    return pb.ConnectResponse(assignment=pb.Assignment(revision="r", checks=parts))


async def delivers(controller: FakeController, site: Machine, count: int) -> None:
    """Lines that are written from now on arrive, every one."""
    first = site.spool.next_seq("shop")
    site.write(count)
    last = first + count - 1
    await controller.until(lambda: controller.durable.get(site.key, 0) >= last)
    assert set(controller.numbers(*site.key)) >= set(range(first, last + 1))


async def test_lines_that_were_never_sent_cannot_be_acknowledged_away(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        await delivers(controller, site, 2)
        epoch = site.spool.epoch
        await controller.tell(ack((epoch, "shop", 2**62), (epoch, "mail", 2**62)))
        await delivers(controller, site, 3)
        site.write(1, "mail")
        await controller.until(lambda: controller.durable.get((epoch, "mail")) == 1)
        assert site.spool.epoch == epoch
    async with machine(controller, tmp_path) as site:
        assert (site.spool.epoch, site.spool.next_seq("shop")) == (epoch, 6)
        await delivers(controller, site, 1)


async def test_what_is_acknowledged_of_nothing_is_not_kept(
    controller: FakeController, tmp_path: Path
) -> None:
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.streams)
        for some in range(20):
            await controller.tell(ack(*((f"x{some}", f"s{n}", 7) for n in range(1_000))))
        await delivers(controller, site, 1)
    assert (tmp_path / "spool" / FILE).stat().st_size < 1_000


@pytest.mark.parametrize("received_us", SIGNED)
async def test_a_clock_that_is_out_of_this_world_is_not_believed(
    controller: FakeController, tmp_path: Path, received_us: int
) -> None:
    async with machine(controller, tmp_path) as site:
        await asyncio.wait_for(site.offset.is_measured.wait(), 10)
        for sent_us in (received_us, min(received_us + 5, 2**63 - 1)):
            await controller.tell(reply(time.time_ns() // 1000, received_us, sent_us))
        site.link.tell()
        heard = controller.streams[0]
        told = len(heard.health)
        await controller.until(lambda: len(heard.health) > told)
        await delivers(controller, site, 1)
        assert abs(site.offset.reading().offset or 0) < 2**60
        assert len(controller.streams) == 1


async def test_an_assignment_beyond_every_bound_is_refused_in_a_sentence(
    controller: FakeController, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.streams)
        await controller.tell(assignment(ASSIGNED_MAX + 1))
        await controller.until(lambda: len(controller.streams) > 1)
        assert not site.duties.adopted
        await delivers(controller, site, 1)
    assert "assigned 100001 checks and secrets; this vedette-agent takes 100000 at most." in str(
        [vars(record).get("reason") for record in caplog.records]
    )


async def test_assignments_without_end_are_refused_in_a_sentence(
    controller: FakeController, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.streams)
        adopting = asyncio.Event()

        async def never(_: object) -> Any:
            await adopting.wait()

        site.duties.adopt = never  # type: ignore[method-assign, assignment]  # one that is slower than any disk
        for _ in range(ASSIGNMENTS_WAITING_MAX + 2):
            await controller.tell(assignment(0))
        await controller.until(lambda: len(controller.streams) > 1)
        await delivers(controller, site, 1)
    reasons = [str(vars(record).get("reason")) for record in caplog.records]
    assert any("more quickly than they can be adopted" in reason for reason in reasons)


def some_message(site: Machine, chance: random.Random) -> pb.ConnectResponse:
    """Something that no controller of ours says."""
    pick = chance.choice
    epoch = pick([site.spool.epoch, "zzzz", "", "e" * 50_000, "a/b\0"])
    stream = pick(["shop", "@anchors", "", "\n" * 1_000])
    number = pick(UNSIGNED)
    kinds: list[Callable[[], pb.ConnectResponse]] = [
        lambda: ack(*[(epoch, stream, number)] * pick([1, 500])),
        lambda: reply(pick([number % 2**63, time.time_ns() // 1000]), pick(SIGNED), pick(SIGNED)),
        lambda: pb.ConnectResponse(
            refusal=pb.Refusal(
                epoch=epoch,
                stream=stream,
                first_seq=number,
                resend_from=pick(UNSIGNED),
                reason="x" * pick([0, 50_000]),
            )
        ),
        lambda: pb.ConnectResponse(
            seal_ack=pb.SealAck(durable=[pb.Position(epoch=epoch, stream=stream, seq=number)])
        ),
        lambda: pb.ConnectResponse(
            seal_refusal=pb.SealRefusal(epoch=epoch, stream=stream, number=number, reason="no")
        ),
        lambda: pb.ConnectResponse(
            assignment=pb.Assignment(
                revision=pick(["", "r", "x" * 50_000]),
                base=pick(["", "b"]),
                checks=[pb.AssignedCheck(definition=pick([b"", b"[" * 5_000, b"\xff"]))],
                secrets=[pb.SealedSecret(name=pick(["a", "\0"]), sealed=b"x" * 90)],
                anchors=pb.Anchors(targets=pick([[], [b"\xff"], [b"{}"] * 100])),
                place=pick([0, 2**32 - 1]),
            )
        ),
        lambda: pb.ConnectResponse(
            probe_now=pb.ProbeOrder(checks=["home"] * pick([1, 5_000]), trigger=pick(TRIGGERS))
        ),
        lambda: pb.ConnectResponse(seal_now=pb.SealNow()),
        lambda: pb.ConnectResponse(),
        lambda: pb.ConnectResponse(welcome=pb.Welcome(agent="another")),
    ]
    return pick(kinds)()


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_it_says_the_agent_goes_on_and_its_lines_arrive(
    controller: FakeController, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    async with machine(controller, tmp_path) as site:
        await controller.until(lambda: controller.streams)
        for turn in range(100):
            if turn % 10 == 0:
                site.write(2)
            await controller.tell(some_message(site, chance))
        # A refusal may have sent it somewhere else: from the next conversation on it is right again.
        await controller.stop()
        await controller.start()
        await delivers(controller, site, 3)
        assert not any(task.done() for task in site.running)
