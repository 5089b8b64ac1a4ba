"""Identities over real mTLS: revoked at once, approved or silent, cloned and alarmed, recovered and counted."""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator

import grpc
import pytest

from controller.identity.roles import Role
from controller.ports.custody import AlarmKind
from tests.integration.rpc.running import (
    SECONDS_MAX,
    Running,
    Site,
    connected,
    frame,
    line,
    new_key_and_request,
    now_us,
    refused,
)
from tests.integration.rpc.test_agents import refusal
from vedette.shared.limits import RECOVERIES_MAX
from vedette.v1 import access_pb2, access_pb2_grpc, enrol_pb2, enrol_pb2_grpc
from vedette.v1 import session_pb2 as pb

REASON = "laptop stolen in Oslo"


@pytest.fixture
def site(controller: Running) -> Site:
    return controller.enrol(controller.join_token())


@pytest.fixture
def agents(controller: Running) -> Iterator[access_pb2_grpc.AgentServiceStub]:
    with controller.people() as channel:
        yield access_pb2_grpc.AgentServiceStub(channel)


def revoke(controller: Running, site: Site) -> access_pb2.RevokeAgentResponse:
    with controller.people() as channel:
        answer: access_pb2.RevokeAgentResponse = access_pb2_grpc.AgentServiceStub(
            channel
        ).RevokeAgent(
            access_pb2.RevokeAgentRequest(agent=site.agent, reason=REASON), **controller.call()
        )
    return answer


def alarms(controller: Running, site: Site) -> dict[str, access_pb2.Alarm]:
    with controller.people() as channel:
        answer = access_pb2_grpc.AgentServiceStub(channel).ListAlarms(
            access_pb2.ListAlarmsRequest(), **controller.call(Role.AUDITOR)
        )
    return {alarm.kind: alarm for alarm in answer.alarms if alarm.agent == site.agent}


# --- revocation


def test_revoking_an_agent_ends_its_stream_within_a_second(controller: Running, site: Site) -> None:
    with connected(controller, site) as stream:
        stream.until("assignment")
        ended: list[float] = []
        failures: list[BaseException] = []

        def wait_for_the_end() -> None:
            try:
                stream.rest()
            except grpc.RpcError as error:
                failures.append(error)
            ended.append(time.monotonic())

        waiting = threading.Thread(target=wait_for_the_end)
        waiting.start()
        began = time.monotonic()
        answer = revoke(controller, site)
        waiting.join(SECONDS_MAX)
    assert answer.was_connected
    assert ended[0] - began < 1.0
    (failure,) = failures
    assert isinstance(failure, grpc.Call)
    assert failure.code() is grpc.StatusCode.PERMISSION_DENIED
    assert f"Agent {site.agent} was revoked at 2" in failure.details()
    assert REASON in failure.details()
    assert ("vedette-revoked", "1") in list(failure.trailing_metadata())


def test_a_revoked_agent_is_refused_on_its_next_call(controller: Running, site: Site) -> None:
    revoke(controller, site)
    code, details = refusal(controller, site.key_pem, site.chain_pem)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "was revoked" in details
    with connected(controller, site) as stream, pytest.raises(grpc.RpcError) as caught:
        stream.rest()
    assert "was revoked" in refused(caught)[1]
    assert not alarms(controller, site)


def test_what_a_revoked_agent_reported_before_stays(controller: Running, site: Site) -> None:
    with connected(controller, site) as stream:
        stream.send(frame=frame([line(site, 1, at_us=now_us())]))
        stream.until("ack")
    revoke(controller, site)
    with controller.people() as channel:
        listed = access_pb2_grpc.AgentServiceStub(channel).ListAgents(
            access_pb2.ListAgentsRequest(), **controller.call()
        )
    (one,) = [agent for agent in listed.agents if agent.id == site.agent]
    assert (one.lines, one.standing) == (1, access_pb2.AGENT_STANDING_REVOKED)
    assert (one.standing_reason, one.connected) == (REASON, False)


# --- approval


def test_an_agent_that_waits_for_approval_gets_no_checks_and_gives_no_lines(
    controller: Running, agents: access_pb2_grpc.AgentServiceStub
) -> None:
    site = controller.enrol(controller.join_token(needs_approval=True))
    with connected(controller, site) as stream:
        assert list(stream.until("assignment").checks) == []
        agents.ApproveAgent(access_pb2.ApproveAgentRequest(agent=site.agent), **controller.call())
        assert len(stream.until("assignment").checks) == 1
        stream.send(frame=frame([line(site, 1, at_us=now_us())]))
        assert stream.until("ack").durable[0].seq == 1
    hasty = controller.enrol(controller.join_token(needs_approval=True))
    with connected(controller, hasty) as stream:
        stream.until("assignment")
        stream.send(frame=frame([line(hasty, 1, at_us=now_us())]))
        with pytest.raises(grpc.RpcError) as caught:
            stream.rest()
    assert refused(caught) == (
        grpc.StatusCode.PERMISSION_DENIED,
        f"Agent {hasty.agent} waits for approval: no line is taken from it yet.",
    )


# --- clones


def test_a_serial_that_was_replaced_is_refused_and_alarmed(controller: Running, site: Site) -> None:
    with sqlite3.connect(controller.state / "vedette.db") as database:
        database.execute("UPDATE agent SET active_serial = 'f00' WHERE id = ?", [site.agent])
    database.close()
    for count in (1, 2):
        code, details = refusal(controller, site.key_pem, site.chain_pem)
        assert code is grpc.StatusCode.PERMISSION_DENIED
        assert "replaced by a newer one" in details
        alarm = alarms(controller, site)[AlarmKind.CLONE_SERIAL]
        assert alarm.count == count
        assert alarm.peer.startswith("ipv4:127.0.0.1:")
        assert "which was replaced" in alarm.detail


def test_two_machines_with_one_identity_are_told_apart(controller: Running, site: Site) -> None:
    with connected(controller, site, instance="first") as stream:
        stream.until("assignment")
    with connected(controller, site, instance="second") as stream:
        stream.until("assignment")
    # A process that was replaced is dead: that it speaks again shows that there are two machines.
    with connected(controller, site, instance="first") as stream:
        with pytest.raises(grpc.RpcError) as caught:
            stream.rest()
        assert "Another machine runs as agent" in refused(caught)[1]
    assert AlarmKind.CLONE_INSTANCE in alarms(controller, site)


def test_a_process_that_comes_again_is_no_clone(controller: Running, site: Site) -> None:
    for instance in ("first", "first", "second", "second", "third", ""):
        with connected(controller, site, instance=instance) as stream:
            stream.until("assignment")
    assert not alarms(controller, site)


# --- recovery


def expire(controller: Running, site: Site) -> None:
    with sqlite3.connect(controller.state / "vedette.db") as database:
        database.execute("UPDATE agent SET certificate_ends_us = 1 WHERE id = ?", [site.agent])
    database.close()


def recover(controller: Running, site: Site, *, proof: bytes | None = None) -> Site:
    key_pem, csr = new_key_and_request()
    with controller.people() as channel:
        stub = enrol_pb2_grpc.EnrolServiceStub(channel)
        nonce = stub.ChallengeRecovery(
            enrol_pb2.ChallengeRecoveryRequest(agent=site.agent), timeout=SECONDS_MAX
        ).nonce
        proved = b"vedette.recover/v1\n" + nonce + hashlib.sha256(csr).digest()
        signed = site.evidence.sign(proved + site.agent.encode())
        answer = stub.Recover(
            enrol_pb2.RecoverRequest(agent=site.agent, nonce=nonce, csr=csr, proof=proof or signed),
            timeout=SECONDS_MAX,
        )
    return Site(site.agent, site.region, key_pem, answer.certificate_chain, site.evidence)


def test_an_expired_agent_recovers_with_its_evidence_key(controller: Running, site: Site) -> None:
    expire(controller, site)
    with connected(controller, recover(controller, site)) as stream:
        assert stream.until("welcome").agent == site.agent
    with controller.people() as channel:
        acts = access_pb2_grpc.AccessServiceStub(channel).ListAudit(
            access_pb2.ListAuditRequest(limit=1), **controller.call()
        ).acts  # fmt: skip
    assert [(a.who, a.role, a.action, a.detail) for a in acts] == [
        (site.agent, "agent", "agent.recover", f"1 of {RECOVERIES_MAX} in 30 days")
    ]


def test_an_agent_whose_certificate_is_good_does_not_recover(
    controller: Running, site: Site
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        recover(controller, site)
    assert "is still good" in refused(caught)[1]


def test_without_the_evidence_key_nobody_recovers(controller: Running, site: Site) -> None:
    expire(controller, site)
    with pytest.raises(grpc.RpcError) as caught:
        recover(controller, site, proof=b"\0" * 64)
    assert refused(caught)[0] is grpc.StatusCode.PERMISSION_DENIED
    assert "proof does not match" in refused(caught)[1]
    unknown = Site("mars-1", "mars", b"", b"", site.evidence)
    with pytest.raises(grpc.RpcError) as caught:
        recover(controller, unknown)
    assert "There is no agent mars-1" in refused(caught)[1]


def test_a_revoked_agent_does_not_recover(controller: Running, site: Site) -> None:
    expire(controller, site)
    revoke(controller, site)
    with pytest.raises(grpc.RpcError) as caught:
        recover(controller, site)
    assert "was revoked" in refused(caught)[1]


def test_recoveries_are_limited_until_an_admin_approves(
    controller: Running, site: Site, agents: access_pb2_grpc.AgentServiceStub
) -> None:
    expire(controller, site)
    for _ in range(RECOVERIES_MAX):
        recover(controller, site)
    with pytest.raises(grpc.RpcError) as caught:
        recover(controller, site)
    assert f"vedette agent approve {site.agent}" in refused(caught)[1]
    assert AlarmKind.RECOVERY in alarms(controller, site)
    agents.ApproveAgent(access_pb2.ApproveAgentRequest(agent=site.agent), **controller.call())
    recover(controller, site)


def test_a_recovery_cannot_be_replayed(controller: Running, site: Site) -> None:
    expire(controller, site)
    _, csr = new_key_and_request()
    with controller.people() as channel:
        stub = enrol_pb2_grpc.EnrolServiceStub(channel)
        nonce = stub.ChallengeRecovery(
            enrol_pb2.ChallengeRecoveryRequest(agent=site.agent), timeout=SECONDS_MAX
        ).nonce
        proved = b"vedette.recover/v1\n" + nonce + hashlib.sha256(csr).digest()
        request = enrol_pb2.RecoverRequest(
            agent=site.agent, nonce=nonce, csr=csr,
            proof=site.evidence.sign(proved + site.agent.encode()),
        )  # fmt: skip
        stub.Recover(request, timeout=SECONDS_MAX)
        with pytest.raises(grpc.RpcError) as caught:
            stub.Recover(request, timeout=SECONDS_MAX)
    assert "answered already" in refused(caught)[1]


# --- every so many messages


def test_a_stream_is_looked_at_again_after_so_many_messages(
    controller: Running, site: Site
) -> None:
    with connected(controller, site) as stream:
        stream.until("assignment")
        with sqlite3.connect(controller.state / "vedette.db") as database:
            database.execute("UPDATE agent SET active_serial = 'f00' WHERE id = ?", [site.agent])
        database.close()
        for _ in range(256):
            stream.send(clock_probe=pb.ClockProbe(agent_sent_us=1))
        with pytest.raises(grpc.RpcError) as caught:
            stream.rest()
    assert "replaced by a newer one" in refused(caught)[1]
