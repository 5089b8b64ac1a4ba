"""SlaService: attainment of contracts, from the stored evidence, and the reports on it."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from controller.ports.storage import Worker
from controller.rpc.gate import caller
from controller.rpc.report_messages import issued_message, period_message
from controller.rpc.status import Context
from controller.services.contracts.periods import GivenReport, Periods
from vedette.v1 import sla_pb2, sla_pb2_grpc

log = logging.getLogger(__name__)


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


class Rights(Protocol):
    """Who computes what follows from several periods."""

    def of(self, period: str, contract: str | None, as_of_us: int | None) -> list[dict[str, Any]]:
        """What each contract gives by periods up to that one."""
        ...


@dataclass(frozen=True, slots=True)
class SlaServicer(sla_pb2_grpc.SlaServiceServicer):
    """Gives the records of contracts, and the reports on them; seals those."""

    worker: Worker
    reports: Reports
    promises: Promises
    periods: Periods
    rights: Rights

    async def GetStatus(  # noqa: N802 - gRPC's name
        self, request: sla_pb2.GetStatusRequest, context: Context
    ) -> sla_pb2.GetStatusResponse:
        """The records of every contract for a period."""
        as_of_us = request.as_of_us if request.HasField("as_of_us") else None
        asked = (request.period, request.contract or None, as_of_us)
        document = await self.worker.run(lambda: self.reports.status(*asked))
        rights = await self.worker.run(lambda: self.rights.of(*asked))
        # They are about other contracts, too.
        warnings = (
            [] if caller().is_scoped else await self.worker.run(self.promises.broken_promises)
        )
        return sla_pb2.GetStatusResponse(
            records_json=document, warnings=warnings, rights_json=msgspec.json.encode(rights)
        )

    async def GetReport(  # noqa: N802 - gRPC's name
        self, request: sla_pb2.GetReportRequest, context: Context
    ) -> sla_pb2.GetReportResponse:
        """The report on a contract and a period."""
        found = await self.worker.run(lambda: self._report(request))
        digest = hashlib.sha256(found.document).hexdigest()
        revision = found.issued.revision if found.issued else 0
        return sla_pb2.GetReportResponse(
            document=found.document, sha256=digest, revision=revision, outdated=found.is_reopened
        )

    def _report(self, request: sla_pb2.GetReportRequest) -> GivenReport:
        return self.periods.report(
            request.contract,
            request.period,
            as_of_us=request.as_of_us if request.HasField("as_of_us") else None,
            revision=request.revision or None,
            is_fresh=request.fresh,
        )

    async def ListPeriods(  # noqa: N802 - gRPC's name
        self, request: sla_pb2.ListPeriodsRequest, context: Context
    ) -> sla_pb2.ListPeriodsResponse:
        """How far the periods of contracts are."""
        found = await self.worker.run(lambda: self.periods.all(request.contract or None))
        person = caller()
        names = (
            person.contracts if person.is_scoped else await self.worker.run(self.periods.contracts)
        )
        return sla_pb2.ListPeriodsResponse(
            periods=[period_message(one) for one in found], contracts=names
        )

    async def SealReport(  # noqa: N802 - gRPC's name
        self, request: sla_pb2.SealReportRequest, context: Context
    ) -> sla_pb2.SealReportResponse:
        """Issue a report, in the caller's name."""
        actor = caller().actor
        made = await self.worker.run(
            lambda: self.periods.seal(
                request.contract,
                request.period,
                actor,
                is_early=request.early,
                reason=request.reason,
            )
        )
        fields = {"contract": made.contract, "period": made.label, "revision": made.revision}
        log.info("report.sealed", extra={**fields, "by": actor.name})
        return sla_pb2.SealReportResponse(report=issued_message(made))
