"""Tokens for some contracts: they open what is of these, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from controller.errors import BadInput
from controller.identity.roles import Role
from controller.local import create_person_token
from tests.integration.rpc.running import DAY_US, FLEET, Running, refused, running
from vedette.v1 import (
    access_pb2,
    access_pb2_grpc,
    claim_pb2,
    claim_pb2_grpc,
    evidence_pb2,
    evidence_pb2_grpc,
    outage_pb2,
    outage_pb2_grpc,
    sla_pb2,
    sla_pb2_grpc,
)

CONTRACT = """\
  - id: {id}
    party: {id} Ltd
    effective_from: 2026-01-01T00:00:00Z
    scope: {{checks: [home]}}
    period: {{kind: year}}
    objectives: [{{id: availability, target: "99", min_coverage: "0"}}]
    acknowledge_unmeasurable: true
"""
TWO = FLEET + b"contracts:\n" + "".join(CONTRACT.format(id=i) for i in ("gold", "iron")).encode()


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A controller with two contracts."""
    with running(tmp_path_factory.mktemp("controller")) as started:
        assert not started.apply(TWO).problems
        yield started


@pytest.fixture(scope="module", params=[Role.AUDITOR, Role.COUNTERPARTY])
def call(controller: Running, request: pytest.FixtureRequest) -> dict[str, object]:
    """How somebody calls whose token is for one of the two."""
    role: Role = request.param
    token = made(controller.state, role, "gold")
    return {"metadata": (("authorization", f"Bearer {token}"),), "timeout": 30.0}


def made(state: Path, role: Role, *contracts: str) -> str:
    text, _ = create_person_token(
        state=state, database_url=None, name="ada", role=role, ttl_us=DAY_US, contracts=contracts
    )
    return text


def denied(caught: pytest.ExceptionInfo[grpc.RpcError]) -> str:
    code, sentence = refused(caught)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    return sentence


def test_what_is_of_the_contract_is_open(controller: Running, call: dict[str, object]) -> None:
    with controller.people() as channel:
        sla = sla_pb2_grpc.SlaServiceStub(channel)
        status = sla.GetStatus(sla_pb2.GetStatusRequest(contract="gold"), **call)  # type: ignore[arg-type]
        assert b"iron" not in status.records_json
        assert not status.warnings
        periods = sla.ListPeriods(sla_pb2.ListPeriodsRequest(contract="gold"), **call)  # type: ignore[arg-type]
        assert list(periods.contracts) == ["gold"]
        report = sla.GetReport(sla_pb2.GetReportRequest(contract="gold", period="2026"), **call)  # type: ignore[arg-type]
        assert b"gold Ltd" in report.document
        assert b"iron" not in report.document
        claims = claim_pb2_grpc.ClaimServiceStub(channel)
        claims.ListClaims(claim_pb2.ListClaimsRequest(contract="gold"), **call)  # type: ignore[arg-type]
        evidence = evidence_pb2_grpc.EvidenceServiceStub(channel)
        assert "\nlog " in evidence.GetAnnex(evidence_pb2.GetAnnexRequest(), **call).text  # type: ignore[arg-type]
        me = access_pb2_grpc.AccessServiceStub(channel).WhoAmI(access_pb2.WhoAmIRequest(), **call)  # type: ignore[arg-type]
        assert list(me.contracts) == ["gold"]


def test_what_is_of_another_contract_or_of_all_is_refused(
    controller: Running, call: dict[str, object]
) -> None:
    with controller.people() as channel:
        sla = sla_pb2_grpc.SlaServiceStub(channel)
        for name, found in (("iron", "found iron"), ("", "found none")):
            with pytest.raises(grpc.RpcError) as caught:
                sla.GetStatus(sla_pb2.GetStatusRequest(contract=name), **call)  # type: ignore[arg-type]
            said = denied(caught)
            assert "for some contracts only (gold)" in said
            assert found in said
        evidence = evidence_pb2_grpc.EvidenceServiceStub(channel)
        for request in (
            evidence_pb2.ExportBundleRequest(contract="iron", period="2026"),
            evidence_pb2.ExportBundleRequest(outage="OUT-1"),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                list(evidence.ExportBundle(request, **call))  # type: ignore[arg-type]
            denied(caught)
        with pytest.raises(grpc.RpcError) as caught:
            outage_pb2_grpc.OutageServiceStub(channel).ListOutages(
                outage_pb2.ListOutagesRequest(),
                **call,  # type: ignore[arg-type]
            )
        denied(caught)


@pytest.mark.parametrize(
    ("role", "contracts", "sentence"),
    [
        (Role.COUNTERPARTY, (), "the contracts that the token is for"),
        (Role.OPERATOR, ("gold",), "no contract for the role operator"),
        (Role.AUDITOR, ("brass",), "gold, iron"),
    ],
)
def test_tokens_that_would_open_nothing_or_too_much_are_not_made(
    controller: Running, role: Role, contracts: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        made(controller.state, role, *contracts)
