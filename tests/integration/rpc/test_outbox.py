import asyncio

from controller.rpc.outbox import REPLIES_MAX, Outbox
from vedette.v1 import session_pb2 as pb


def kinds(messages: list[pb.ConnectResponse]) -> list[str | None]:
    return [message.WhichOneof("message") for message in messages]


async def test_acks_merge_by_stream_and_never_go_back() -> None:
    outbox = Outbox(lambda: 0)
    for seq in (3, 9, 7):
        outbox.acknowledge("e1", "shop", seq)
    outbox.acknowledge("e1", "@anchors", 1)
    (message,) = await outbox.next()
    assert [(p.stream, p.seq) for p in message.ack.durable] == [("shop", 9), ("@anchors", 1)]


async def test_an_assignment_replaces_the_one_that_waits() -> None:
    outbox = Outbox(lambda: 0)
    outbox.assign(pb.Assignment(revision="old"))
    outbox.assign(pb.Assignment(revision="new"))
    (message,) = await outbox.next()
    assert message.assignment.revision == "new"


async def test_a_run_that_waits_to_be_asked_for_is_asked_for_once() -> None:
    outbox = Outbox(lambda: 0)
    confirm, manual = pb.PROBE_TRIGGER_CONFIRM, pb.PROBE_TRIGGER_MANUAL
    for checks in (["home", "name"], ["home"], ["cart"]):
        outbox.order(pb.ProbeOrder(checks=checks, trigger=confirm))
    outbox.order(pb.ProbeOrder(checks=["home"], trigger=manual))
    first, second = await outbox.next()
    assert (list(first.probe_now.checks), first.probe_now.trigger) == (
        ["home", "name", "cart"],
        confirm,
    )
    assert (list(second.probe_now.checks), second.probe_now.trigger) == (["home"], manual)
    outbox.order(pb.ProbeOrder(checks=["home"], trigger=confirm))
    (again,) = await outbox.next()
    assert list(again.probe_now.checks) == ["home"]


async def test_a_clock_reply_is_stamped_when_it_leaves() -> None:
    now = [5]
    outbox = Outbox(lambda: now[0])
    outbox.reply(pb.ConnectResponse(clock_reply=pb.ClockReply(controller_received_us=5)))
    now[0] = 8
    (message,) = await outbox.next()
    assert message.clock_reply.controller_sent_us == 8


async def test_replies_cannot_pile_up() -> None:
    outbox = Outbox(lambda: 0)
    for _ in range(REPLIES_MAX):
        outbox.reply(pb.ConnectResponse(drain=pb.Drain()))
    waiting = asyncio.create_task(outbox.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert len(await outbox.next()) == REPLIES_MAX
    await waiting


async def test_what_is_left_is_sent_after_closing_and_then_nothing() -> None:
    outbox = Outbox(lambda: 0)
    outbox.acknowledge("e1", "shop", 1)
    outbox.close()
    assert kinds(await outbox.next()) == ["ack"]
    assert await outbox.next() == []
