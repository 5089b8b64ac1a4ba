"""The people's listener over real TLS: who gets in, and what is said to the others."""

import datetime as dt
from typing import Any

import grpc
import pytest

from controller.identity.authority import new_root
from controller.identity.roles import Role
from tests.integration.rpc.running import FLEET, Running, refused
from vedette.v1 import (
    access_pb2,
    access_pb2_grpc,
    evidence_pb2,
    evidence_pb2_grpc,
    fleet_pb2,
    fleet_pb2_grpc,
)


def test_a_token_says_who_calls(controller: Running) -> None:
    with controller.people() as channel:
        answer = access_pb2_grpc.AccessServiceStub(channel).WhoAmI(
            access_pb2.WhoAmIRequest(), **controller.call()
        )
    assert (answer.name, answer.role) == ("admin", "admin")


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        pytest.param((), "needs a token", id="no token"),
        pytest.param((("authorization", "Basic x"),), "needs a token", id="another scheme"),
        pytest.param((("authorization", "Bearer x"),), "form vdt_<id>", id="no token of ours"),
        pytest.param(
            (("authorization", f"Bearer vdt_{'0' * 16}_{'a' * 43}"),),
            "not known",
            id="a made-up one",
        ),
    ],
)
def test_without_a_good_token_nobody_gets_in(
    controller: Running, metadata: tuple[tuple[str, str], ...], sentence: str
) -> None:
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        access_pb2_grpc.AccessServiceStub(channel).WhoAmI(
            access_pb2.WhoAmIRequest(), metadata=metadata, timeout=20
        )
    code, details = refused(caught)
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert sentence in details


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.COUNTERPARTY])
def test_only_an_admin_applies(controller: Running, role: Role) -> None:
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        fleet_pb2_grpc.FleetServiceStub(channel).Apply(
            fleet_pb2.ApplyRequest(fleet=FLEET), **controller.call(role)
        )
    assert refused(caught) == (
        grpc.StatusCode.PERMISSION_DENIED,
        f"Apply needs the role admin; the token of {role} has the role {role}.",
    )


@pytest.mark.parametrize(
    ("role", "code", "sentence"),
    [
        pytest.param(None, grpc.StatusCode.UNAUTHENTICATED, "needs a token", id="nobody"),
        pytest.param(
            Role.COUNTERPARTY,
            grpc.StatusCode.PERMISSION_DENIED,
            "for some contracts only (none)",
            id="no reader",
        ),
        pytest.param(Role.AUDITOR, grpc.StatusCode.NOT_FOUND, "'gold'", id="a reader, of nothing"),
    ],
)
def test_a_method_with_many_answers_is_guarded_like_any_other(
    controller: Running, role: Role | None, code: grpc.StatusCode, sentence: str
) -> None:
    controller.apply()
    stub_of = evidence_pb2_grpc.EvidenceServiceStub
    request = evidence_pb2.ExportBundleRequest(contract="gold", period="2026-06")
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        list(stub_of(channel).ExportBundle(request, **controller.call(role)))
    found, details = refused(caught)
    assert found is code
    assert sentence in details


@pytest.mark.parametrize(
    ("asked", "code", "sentence"),
    [
        ({}, grpc.StatusCode.INVALID_ARGUMENT, "a contract and a period, or an outage"),
        (
            {"contract": "gold", "period": "2026-06", "outage": "OUT-7"},
            grpc.StatusCode.INVALID_ARGUMENT,
            "and not both",
        ),
        ({"outage": "seven"}, grpc.StatusCode.INVALID_ARGUMENT, "such as OUT-12"),
        ({"outage": "OUT-7"}, grpc.StatusCode.NOT_FOUND, "found OUT-7"),
    ],
)
def test_a_bundle_is_about_one_thing_that_there_is(
    controller: Running, asked: dict[str, Any], code: grpc.StatusCode, sentence: str
) -> None:
    controller.apply()
    request = evidence_pb2.ExportBundleRequest(**asked)
    stub_of = evidence_pb2_grpc.EvidenceServiceStub
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        list(stub_of(channel).ExportBundle(request, **controller.call(Role.AUDITOR)))
    found, details = refused(caught)
    assert found is code
    assert sentence in details


def test_the_controller_is_not_trusted_under_another_ca(controller: Running) -> None:
    stranger = new_root("stranger", dt.datetime.now(dt.UTC)).certificate_pem
    with controller.people(stranger) as channel, pytest.raises(grpc.RpcError) as caught:
        access_pb2_grpc.AccessServiceStub(channel).WhoAmI(
            access_pb2.WhoAmIRequest(), **controller.call()
        )
    code, details = refused(caught)
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "CERTIFICATE_VERIFY_FAILED" in details


def test_a_session_cannot_be_opened_at_the_peoples_door(controller: Running) -> None:
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        channel.stream_stream("/vedette.v1.SessionService/Connect")(iter(()), timeout=20).__next__()
    assert refused(caught)[0] is grpc.StatusCode.UNIMPLEMENTED


def test_applying_twice_changes_nothing(controller: Running) -> None:
    answer = controller.apply()
    assert not answer.changes
    assert not answer.problems
    assert answer.revision == controller.apply().revision


def test_what_was_applied_is_exported_byte_for_byte(controller: Running) -> None:
    with controller.people() as channel:
        answer = fleet_pb2_grpc.FleetServiceStub(channel).Export(
            fleet_pb2.ExportRequest(), **controller.call(Role.AUDITOR)
        )
    assert answer.fleet == FLEET


def test_all_problems_of_a_file_come_at_once(controller: Running) -> None:
    bad = FLEET.replace(b"60s", b"60 s").replace(b"nyc]", b"moon]")
    with controller.people() as channel:
        answer = fleet_pb2_grpc.FleetServiceStub(channel).Plan(
            fleet_pb2.PlanRequest(fleet=bad, file_name="my\nfleet.yaml"), **controller.call()
        )
    assert not answer.changes
    assert {(p.file, p.line) for p in answer.problems} >= {("myfleet.yaml", 5), ("myfleet.yaml", 6)}


def test_a_file_that_is_too_large_is_refused(controller: Running) -> None:
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        fleet_pb2_grpc.FleetServiceStub(channel).Plan(
            fleet_pb2.PlanRequest(fleet=b" " * (18 * 1024 * 1024)), **controller.call()
        )
    assert refused(caught)[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_unknown_check_cannot_be_probed(controller: Running) -> None:
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        fleet_pb2_grpc.FleetServiceStub(channel).ProbeNow(
            fleet_pb2.ProbeNowRequest(check="nope"), **controller.call()
        )
    assert refused(caught) == (
        grpc.StatusCode.NOT_FOUND,
        "There is no check 'nope' in the fleet file in force.",
    )
