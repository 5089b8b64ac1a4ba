"""SlaService: attainment of contracts, from the stored evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from controller.ports import Worker
from controller.rpc.status import Context
from vedette.v1 import sla_pb2, sla_pb2_grpc


class Reports(Protocol):
    """Who computes the records."""

    def status(self, period: str, contract: str | None, as_of_us: int | None) -> bytes:
        """The document of the records of a period (empty: the one that runs now)."""
        ...


class Promises(Protocol):
    """Who compares promises with what underpins them."""

    def broken_promises(self) -> Sequence[str]:
        """Those that are above it, by the file in force."""
        ...


@dataclass(frozen=True, slots=True)
class SlaServicer(sla_pb2_grpc.SlaServiceServicer):
    """Gives the records of contracts."""

    worker: Worker
    reports: Reports
    promises: Promises

    async def GetStatus(  # noqa: N802 - gRPC's name
        self, request: sla_pb2.GetStatusRequest, context: Context
    ) -> sla_pb2.GetStatusResponse:
        """The records of every contract for a period."""
        document = await self.worker.run(
            lambda: self.reports.status(
                request.period,
                request.contract or None,
                request.as_of_us if request.HasField("as_of_us") else None,
            )
        )
        warnings = await self.worker.run(self.promises.broken_promises)
        return sla_pb2.GetStatusResponse(records_json=document, warnings=warnings)
