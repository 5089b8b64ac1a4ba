"""Whoever has no token: what they send is not read, or only if it is little and comes soon."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from controller.identity.roles import Role
from tests.integration.rpc.running import FLEET, SECONDS_MAX, Running, refused
from vedette.v1 import enrol_pb2, enrol_pb2_grpc, fleet_pb2

APPLY = "/vedette.v1.FleetService/Apply"
CHALLENGE = "/vedette.v1.EnrolService/Challenge"


@contextmanager
def silence() -> Iterator[Callable[[], Iterator[bytes]]]:
    """Requests that do not come before the end of the block."""
    over = threading.Event()

    def requests() -> Iterator[bytes]:
        over.wait(SECONDS_MAX)
        yield from ()

    try:
        yield requests
    finally:
        over.set()


def raw(channel: grpc.Channel, method: str) -> Any:
    """`method` with its request as bytes, one after the other."""
    return channel.stream_unary(method)


def test_a_token_is_looked_at_before_anything_is_read(controller: Running) -> None:
    with (
        controller.people() as channel,
        silence() as requests,
        pytest.raises(grpc.RpcError) as caught,
    ):
        raw(channel, APPLY)(requests(), timeout=SECONDS_MAX)
    assert refused(caught)[0] is grpc.StatusCode.UNAUTHENTICATED


def test_so_is_its_role(controller: Running) -> None:
    with (
        controller.people() as channel,
        silence() as requests,
        pytest.raises(grpc.RpcError) as caught,
    ):
        raw(channel, APPLY)(requests(), **controller.call(Role.AUDITOR))
    assert refused(caught)[0] is grpc.StatusCode.PERMISSION_DENIED


def test_with_a_token_a_request_has_to_come(controller: Running) -> None:
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        raw(channel, APPLY)(iter(()), **controller.call())
    assert refused(caught) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Expected a request, found none.",
    )
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        raw(channel, APPLY)(iter([b"\xff no message"]), **controller.call())
    assert refused(caught) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "Expected a message of this method, found bytes that are none.",
    )
    with controller.people() as channel:
        request = fleet_pb2.ApplyRequest(fleet=FLEET, file_name="fleet.yaml").SerializeToString()
        answer = raw(channel, APPLY)(iter([request]), **controller.call())
        assert fleet_pb2.ApplyResponse.FromString(answer).revision == 1


def test_a_stranger_says_little(controller: Running) -> None:
    with controller.people() as channel, pytest.raises(grpc.RpcError) as caught:
        enrol_pb2_grpc.EnrolServiceStub(channel).Enrol(
            enrol_pb2.EnrolRequest(token_id="x", csr=b"\0" * 2**20), timeout=SECONDS_MAX
        )
    code, details = refused(caught)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("Expected a request of at most 65536 bytes, found 1048")


def test_a_stranger_says_it_soon_and_keeps_nobody_out(
    controller: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.rpc.gate._STRANGERS_SECONDS_MAX", 0.05)
    with controller.people() as channel, silence() as requests:
        slow = [raw(channel, CHALLENGE).future(requests(), timeout=SECONDS_MAX) for _ in range(20)]
        site = controller.enrol(controller.join_token())
        assert site.region == "fra"
        for one in slow:
            assert one.exception(SECONDS_MAX).code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "it did not come whole" in one.details()
