"""Asking a controller for the attainment of its contracts."""

from collections.abc import Sequence

from controller.cli.channel import connected
from vedette.v1 import sla_pb2, sla_pb2_grpc


def fetched_status(period: str, contract: str, as_of_us: int | None) -> tuple[bytes, Sequence[str]]:
    """The document of the records, the bytes that `vedette sla compute --json` gives, and warnings."""
    request = sla_pb2.GetStatusRequest(period=period, contract=contract, as_of_us=as_of_us)
    with connected() as connection:
        answer: sla_pb2.GetStatusResponse = sla_pb2_grpc.SlaServiceStub(
            connection.channel
        ).GetStatus(request, **connection.call)
    return answer.records_json, list(answer.warnings)
