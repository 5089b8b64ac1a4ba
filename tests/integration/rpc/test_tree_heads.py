"""Heads of the log over real mTLS: proved from what the agent has seen; what an agent refuses is an alarm."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.core.bundle.annex import parsed_annex
from controller.identity.roles import Role
from controller.ports.custody import AlarmKind
from tests.integration.rpc.running import Running, Site, Stream
from vedette.shared.checkpoint import Checkpoint, parsed_checkpoint
from vedette.shared.merkle import EMPTY, check_consistency
from vedette.shared.note import Verifier, cosignature, opened_note
from vedette.v1 import access_pb2, access_pb2_grpc, evidence_pb2, evidence_pb2_grpc
from vedette.v1 import session_pb2 as pb

SEEN_S = 1_780_000_000


@pytest.fixture
def site(controller: Running) -> Site:
    return controller.enrol(controller.join_token())


def head_of(message: pb.TreeHead) -> Checkpoint:
    """The checkpoint of a head, verified by the key that comes with it."""
    origin = message.checkpoint.split(b"\n", 1)[0].decode()
    text = opened_note(message.checkpoint, [Verifier(origin, message.log_key)])
    return parsed_checkpoint(text, origin)


def heard(
    controller: Running, site: Site, size: int, answers: Callable[[Stream, pb.TreeHead], None]
) -> pb.TreeHead:
    """The head that an agent is sent that has seen so many leaves, once it has answered it."""
    with controller.agents(site.key_pem, site.chain_pem) as channel:
        stream = Stream(channel)
        hello = pb.Hello(version="0.1.0", epoch="e1", takes_tree_heads=True, log_size=size)
        stream.send(hello=hello)
        try:
            head: pb.TreeHead = stream.until("tree_head")
            answers(stream, head)
            stream.send(clock_probe=pb.ClockProbe())
            stream.until("clock_reply")  # what was sent before it has been taken
        finally:
            stream.close()
    return head


def takes(stream: Stream, head: pb.TreeHead) -> None:
    stream.send(tree_head_ack=pb.TreeHeadAck(size=head_of(head).size))


def refuses(stream: Stream, head: pb.TreeHead) -> None:
    stream.send(tree_head_ack=pb.TreeHeadAck(size=head.from_size, refusal="another history\x07"))


def alarms(controller: Running, agent: str) -> list[access_pb2.Alarm]:
    with controller.people() as channel:
        answer = access_pb2_grpc.AgentServiceStub(channel).ListAlarms(
            access_pb2.ListAlarmsRequest(), **controller.call(Role.AUDITOR)
        )
    kind = AlarmKind.LOG_REFUSED.value
    return [one for one in answer.alarms if one.agent == agent and one.kind == kind]


def test_an_agent_is_told_how_the_log_stands_and_how_it_grew(
    controller: Running, site: Site
) -> None:
    first = heard(controller, site, 0, takes)
    before = head_of(first)
    check_consistency((0, EMPTY), before.head, first.path)
    # What was done since is in the log, and the next head begins with the one before.
    controller.enrol(controller.join_token())
    second = heard(controller, site, before.size - 1, takes)
    assert second.from_size == before.size - 1
    assert head_of(second).size >= before.size
    assert not alarms(controller, site.agent)


def test_a_head_of_the_size_that_was_seen_is_shown_once_more(
    controller: Running, site: Site
) -> None:
    size = head_of(heard(controller, site, 0, takes)).size
    again = heard(controller, site, size, takes)
    # Nothing says that it is the same tree of that size but its root.
    assert head_of(again).size >= size
    assert again.from_size == size


def test_a_head_that_an_agent_refuses_is_an_alarm(controller: Running, site: Site) -> None:
    heard(controller, site, 0, refuses)
    (alarm,) = alarms(controller, site.agent)
    assert alarm.detail == "another history"


def signs(key: Ed25519PrivateKey, name: str) -> Callable[[Stream, pb.TreeHead], None]:
    """What a witness answers."""

    def answers(stream: Stream, head: pb.TreeHead) -> None:
        size = head_of(head).size
        text = head.checkpoint[: head.checkpoint.rindex(b"\n\n") + 1]
        line, public = cosignature(text, name, key, SEEN_S), key.public_key().public_bytes_raw()
        stream.send(tree_head_ack=pb.TreeHeadAck(size=size))
        stream.send(cosignature=pb.Cosignature(size=size, public_key=public, line=line))

    return answers


def test_what_a_witness_signs_is_kept_and_shown_and_its_key_is_for_the_annex(
    controller: Running, site: Site
) -> None:
    key, name = Ed25519PrivateKey.generate(), f"acme/witness/{site.agent}"
    size = head_of(heard(controller, site, 0, signs(key, name))).size
    with controller.people() as channel:
        stub = evidence_pb2_grpc.EvidenceServiceStub(channel)
        call = controller.call(Role.AUDITOR)
        answer = stub.ListTimestamps(evidence_pb2.ListTimestampsRequest(), **call)
        annex = stub.GetAnnex(evidence_pb2.GetAnnexRequest(), **call).text
    (mine,) = [one for one in answer.witnesses if one.name == name]
    assert (mine.agent, mine.party, mine.size, mine.at_us) == (site.agent, "", size, SEEN_S * 10**6)
    public = key.public_key().public_bytes_raw()
    assert mine.public_key == public
    assert parsed_annex(annex).witnesses[name] == public
    # What is signed under another name is not kept, and the stream goes on.
    other = controller.enrol(controller.join_token())
    heard(controller, other, 0, signs(key, name))
    with controller.people() as channel:
        again = evidence_pb2_grpc.EvidenceServiceStub(channel).ListTimestamps(
            evidence_pb2.ListTimestampsRequest(), **controller.call(Role.AUDITOR)
        )
    assert other.agent not in {one.agent for one in again.witnesses}


def test_an_agent_that_has_seen_more_is_told_all_the_same(controller: Running, site: Site) -> None:
    more = 1 << 40
    head = heard(controller, site, more, takes)
    assert (head.from_size, list(head.path)) == (more, [])
    assert head_of(head).size < more


def test_a_log_that_nobody_outside_vouches_for_says_so(controller: Running, site: Site) -> None:
    heard(controller, site, 0, takes)
    with controller.people() as channel:
        answer = evidence_pb2_grpc.EvidenceServiceStub(channel).ListTimestamps(
            evidence_pb2.ListTimestampsRequest(), **controller.call(Role.AUDITOR)
        )
    assert answer.leaves > 0
    assert (answer.fixed_leaves, answer.HasField("fixed_since_us")) == (0, False)
