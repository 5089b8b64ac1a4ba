"""Asking a controller for the attainment of its contracts."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from controller.cli.channel import connected
from vedette.v1 import sla_pb2, sla_pb2_grpc


class Status(NamedTuple):
    """The document of the records, the bytes that `vedette sla compute --json` gives; warnings; and rights."""

    document: bytes
    warnings: Sequence[str]
    rights: Sequence[dict[str, Any]]


def fetched_status(period: str, contract: str, as_of_us: int | None) -> Status:
    """What a controller says of its contracts."""
    request = sla_pb2.GetStatusRequest(period=period, contract=contract, as_of_us=as_of_us)
    with connected() as connection:
        answer: sla_pb2.GetStatusResponse = sla_pb2_grpc.SlaServiceStub(
            connection.channel
        ).GetStatus(request, **connection.call)
    rights = json.loads(answer.rights_json) if answer.rights_json else []
    return Status(answer.records_json, list(answer.warnings), rights)
