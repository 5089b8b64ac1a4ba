"""Asking a controller for the attainment of its contracts."""

from typing import Any

import msgspec

from controller.cli.channel import connected
from controller.errors import Unreachable
from vedette.v1 import sla_pb2, sla_pb2_grpc


def fetched_status(period: str, contract: str, as_of_us: int | None) -> dict[str, Any]:
    """The document of the records, as `vedette sla compute --json` gives it."""
    request = sla_pb2.GetStatusRequest(period=period, contract=contract, as_of_us=as_of_us)
    with connected() as connection:
        answer = sla_pb2_grpc.SlaServiceStub(connection.channel).GetStatus(
            request, **connection.call
        )
    try:
        return msgspec.json.decode(answer.records_json, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Unreachable("The controller's answer cannot be read: upgrade this command.") from (
            error
        )
