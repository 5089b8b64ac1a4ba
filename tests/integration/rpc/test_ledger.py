"""Every method that changes something leaves an act in the ledger; the others are named here as reading."""

from collections.abc import Callable
from typing import Any, Final

import grpc
import pytest

from controller.identity.roles import METHOD_ROLES, Role
from tests.integration.rpc.running import FLEET, Running, connected
from tests.integration.rpc.test_identity import expire, recover
from vedette.v1 import (
    access_pb2,
    access_pb2_grpc,
    fleet_pb2,
    fleet_pb2_grpc,
    secret_pb2,
    secret_pb2_grpc,
)

READS: Final = {
    "EnrolService/Challenge", "EnrolService/ChallengeRecovery", "AccessService/WhoAmI",
    "AccessService/ListTokens", "AccessService/ListAudit", "AgentService/ListAgents",
    "AgentService/ListAlarms", "SecretService/ListSecrets", "FleetService/Plan",
    "FleetService/Export", "FleetService/ListChecks", "OutageService/ListOutages",
    "OutageService/GetOutage", "OutageService/ShowOutage", "OutageService/GetOutageHistory",
    "SlaService/GetStatus", "AgentService/GetAgent",
    "AgentService/ListNotices", "DoctorService/Examine", "EvidenceService/ListStreams",
    "NotifyService/ListDeliveries", "NotifyService/GetDelivery", "BacktestService/Backtest",
    "IncidentService/ListIncidents", "IncidentService/GetIncident",
    "ExclusionService/ListExclusions", "ExclusionService/GetExclusion", "SlaService/ListPeriods",
    "SlaService/GetReport", "EvidenceService/ListTimestamps", "EvidenceService/GetAnnex",
    "ClaimService/ListClaims", "ClaimService/GetClaim", "ClaimService/GetClaimFile",
    "DisputeService/ListHolds", "DisputeService/ListCounters",
}  # fmt: skip
# They record their acts, too; the tests of what they do hold it.
ELSEWHERE: Final = {
    "AgentService/LabelAgent", "AgentService/SetAgentMode", "NotifyService/RetryDelivery",
    "NotifyService/DropDelivery", "NotifyService/TestChannel", "OutageService/AckOutage",
    "OutageService/AnnotateOutage", "OutageService/PauseOutage", "OutageService/ResumeOutage",
    "ExclusionService/DeclareExclusion", "ExclusionService/ApproveExclusion",
    "ExclusionService/WithdrawExclusion", "ExclusionService/ImportExclusions",
    "SlaService/SealReport",
    "ClaimService/CreateClaim", "ClaimService/MoveClaim", "EvidenceService/ExportBundle",
    "DisputeService/PlaceHold", "DisputeService/LiftHold", "DisputeService/AddCounter",
}  # fmt: skip


class Caller:
    """Calls every method that changes something, as an admin would."""

    def __init__(self, controller: Running, channel: grpc.Channel) -> None:
        self._controller = controller
        self._agents = access_pb2_grpc.AgentServiceStub(channel)
        self._access = access_pb2_grpc.AccessServiceStub(channel)
        self._secrets = secret_pb2_grpc.SecretServiceStub(channel)
        self._fleets = fleet_pb2_grpc.FleetServiceStub(channel)
        self._site = controller.enrol(controller.join_token())
        self._call = controller.call()

    def enrol(self) -> None:
        self._controller.enrol(self._controller.join_token())

    def recover(self) -> None:
        expire(self._controller, self._site)
        recover(self._controller, self._site)

    def create_join_token(self) -> None:
        self._controller.join_token()

    def approve(self) -> None:
        self._agents.ApproveAgent(
            access_pb2.ApproveAgentRequest(agent=self._site.agent), **self._call
        )

    def revoke(self) -> None:
        request = access_pb2.RevokeAgentRequest(agent=self._site.agent, reason="test")
        self._agents.RevokeAgent(request, **self._call)

    def clear_alarms(self) -> None:
        instances = ("a", "b", "a")
        for instance in instances:
            with connected(self._controller, self._site, instance=instance) as stream:
                stream.rest_or_refusal()
        request = access_pb2.ClearAlarmsRequest(agent=self._site.agent)
        assert self._agents.ClearAlarms(request, **self._call).cleared == 1

    def create_token(self) -> str:
        request = access_pb2.CreateTokenRequest(name="bo", role="auditor", ttl_us=60_000_000)
        return str(self._access.CreateToken(request, **self._call).id)

    def revoke_token(self) -> None:
        request = access_pb2.RevokeTokenRequest(id=self.create_token())
        self._access.RevokeToken(request, **self._call)

    def set_secret(self) -> None:
        self._secrets.SetSecret(
            secret_pb2.SetSecretRequest(name="led", value="x" * 8), **self._call
        )

    def delete_secret(self) -> None:
        self.set_secret()
        self._secrets.DeleteSecret(secret_pb2.DeleteSecretRequest(name="led"), **self._call)

    def apply(self) -> None:
        for text in (FLEET.replace(b"60s", b"30s"), FLEET):
            self._controller.apply(text)

    def probe(self) -> None:
        self._fleets.ProbeNow(fleet_pb2.ProbeNowRequest(check="home"), **self._call)


ACTS: Final[dict[str, tuple[str, Callable[[Caller], Any]]]] = {
    "EnrolService/Enrol": ("agent.enrol", Caller.enrol),
    "EnrolService/Recover": ("agent.recover", Caller.recover),
    "AgentService/CreateJoinToken": ("join_token.create", Caller.create_join_token),
    "AgentService/ApproveAgent": ("agent.approve", Caller.approve),
    "AgentService/RevokeAgent": ("agent.revoke", Caller.revoke),
    "AgentService/ClearAlarms": ("alarm.clear", Caller.clear_alarms),
    "AccessService/CreateToken": ("token.create", Caller.create_token),
    "AccessService/RevokeToken": ("token.revoke", Caller.revoke_token),
    "SecretService/SetSecret": ("secret.set", Caller.set_secret),
    "SecretService/DeleteSecret": ("secret.delete", Caller.delete_secret),
    "FleetService/Apply": ("fleet.apply", Caller.apply),
    "FleetService/ProbeNow": ("check.probe", Caller.probe),
}


def test_every_method_reads_or_leaves_an_act() -> None:
    methods = {method.removeprefix("/vedette.v1.") for method in METHOD_ROLES}
    assert methods == READS | set(ACTS) | ELSEWHERE
    assert not READS & set(ACTS)


@pytest.mark.parametrize("method", sorted(ACTS))
def test_a_method_that_changes_something_leaves_an_act(controller: Running, method: str) -> None:
    action, work = ACTS[method]
    with controller.people() as channel:
        caller = Caller(controller, channel)
        ledger = access_pb2_grpc.AccessServiceStub(channel)

        def acts() -> list[access_pb2.Act]:
            request = access_pb2.ListAuditRequest(limit=1000)
            return list(ledger.ListAudit(request, **controller.call(Role.AUDITOR)).acts)

        before = acts()[0].number
        work(caller)
        new = [act for act in acts() if act.number > before and act.action == action]
    assert new
    assert all(act.who and act.role and act.subject and act.at_us for act in new)
    assert all(act.peer.startswith("ipv4:127.0.0.1:") for act in new)


def test_an_apply_that_changes_nothing_leaves_nothing(controller: Running) -> None:
    with controller.people() as channel:
        ledger = access_pb2_grpc.AccessServiceStub(channel)
        request = access_pb2.ListAuditRequest(limit=1)
        controller.apply()
        before = ledger.ListAudit(request, **controller.call()).acts[0].number
        controller.apply()
        assert ledger.ListAudit(request, **controller.call()).acts[0].number == before


def test_the_same_refusal_is_noted_once_a_minute(controller: Running) -> None:
    with controller.people() as channel:
        ledger = access_pb2_grpc.AccessServiceStub(channel)
        for _ in range(5):
            with pytest.raises(grpc.RpcError):
                ledger.ListTokens(
                    access_pb2.ListTokensRequest(), **controller.call(Role.COUNTERPARTY)
                )
        acts = ledger.ListAudit(access_pb2.ListAuditRequest(limit=100), **controller.call()).acts
    refused = [a for a in acts if a.action == "role.refuse" and a.who == "counterparty"]
    assert [(a.role, a.subject, a.detail) for a in refused] == [
        ("counterparty", "ListTokens", "needs the role admin")
    ]
