"""Asking a controller for the fleet file that is in force."""

from controller.cli.channel import connected
from controller.errors import BadInput
from vedette.v1 import fleet_pb2, fleet_pb2_grpc


def fetched_fleet() -> tuple[bytes, str]:
    """The file, and what messages call it. BadInput if none is in force."""
    with connected() as connection:
        answer = fleet_pb2_grpc.FleetServiceStub(connection.channel).Export(
            fleet_pb2.ExportRequest(), **connection.call
        )
    if not answer.revision:
        raise BadInput("No fleet file is in force: apply one with `vedette apply -f fleet.yaml`.")
    return answer.fleet, f"revision {answer.revision}"
