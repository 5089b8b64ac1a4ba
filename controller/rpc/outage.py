"""OutageService: outages, what decided them, and what people say of them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from controller.errors import BadInput
from controller.ports.outcomes import OutageScope
from controller.ports.storage import Worker
from controller.rpc.explanation_messages import explanation_message
from controller.rpc.gate import caller
from controller.rpc.outage_messages import event_message, outage_message, remark_message
from controller.rpc.status import Context
from controller.services.outages.outage_views import OutageView
from controller.services.outages.outages import Outages
from controller.services.outages.remarks import Remarks
from vedette.v1 import outage_pb2, outage_pb2_grpc

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutageServicer(outage_pb2_grpc.OutageServiceServicer):
    """Lists, shows, explains; takes remarks."""

    worker: Worker
    outages: Outages
    remarks: Remarks

    async def ListOutages(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.ListOutagesRequest, context: Context
    ) -> outage_pb2.ListOutagesResponse:
        """Outages, newest first."""
        scope = _scope(request.scope)
        found = await self.worker.run(lambda: self._listed(request, scope))
        regional = 0
        if scope is OutageScope.GLOBAL:
            regional = await self.worker.run(
                lambda: self.outages.count(
                    check=request.check or None,
                    open_only=request.open_only,
                    scope=OutageScope.REGIONAL,
                )
            )
        return outage_pb2.ListOutagesResponse(
            outages=[outage_message(view) for view in found], regional=regional
        )

    def _listed(
        self, request: outage_pb2.ListOutagesRequest, scope: OutageScope
    ) -> Sequence[OutageView]:
        return self.outages.list(
            check=request.check or None,
            from_us=request.from_us if request.HasField("from_us") else None,
            to_us=request.to_us if request.HasField("to_us") else None,
            open_only=request.open_only,
            limit=request.limit,
            as_of_us=request.as_of_us if request.HasField("as_of_us") else None,
            scope=scope,
        )

    async def ShowOutage(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.ShowOutageRequest, context: Context
    ) -> outage_pb2.ShowOutageResponse:
        """One outage, now or as it was known at an instant."""
        as_of_us = request.as_of_us if request.HasField("as_of_us") else None
        found = await self.worker.run(lambda: self.outages.show(request.handle, as_of_us))
        return outage_pb2.ShowOutageResponse(outage=outage_message(found))

    async def GetOutage(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.GetOutageRequest, context: Context
    ) -> outage_pb2.GetOutageResponse:
        """One outage with its votes and samples."""
        found = await self.worker.run(lambda: self.outages.explain(request.handle))
        return explanation_message(found)

    async def GetOutageHistory(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.GetOutageHistoryRequest, context: Context
    ) -> outage_pb2.GetOutageHistoryResponse:
        """Everything that was learnt of an outage."""
        view, entries = await self.worker.run(lambda: self.outages.history(request.handle))
        return outage_pb2.GetOutageHistoryResponse(
            outage=outage_message(view), events=[event_message(one) for one in entries]
        )

    async def AckOutage(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.AckOutageRequest, context: Context
    ) -> outage_pb2.AckOutageResponse:
        """The caller is on it."""
        actor = caller().actor
        made = await self.worker.run(lambda: self.remarks.ack(request.handle, request.note, actor))
        log.info("outage.acked", extra={"outage": made.number, "by": actor.name})
        return outage_pb2.AckOutageResponse(remark=remark_message(made))

    async def AnnotateOutage(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.AnnotateOutageRequest, context: Context
    ) -> outage_pb2.AnnotateOutageResponse:
        """What the caller found."""
        actor = caller().actor
        made = await self.worker.run(
            lambda: self.remarks.annotate(request.handle, request.text, actor)
        )
        log.info("outage.annotated", extra={"outage": made.number, "by": actor.name})
        return outage_pb2.AnnotateOutageResponse(remark=remark_message(made))

    async def PauseOutage(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.PauseOutageRequest, context: Context
    ) -> outage_pb2.PauseOutageResponse:
        """Its clocks stand still."""
        actor = caller().actor
        from_us = request.from_us if request.HasField("from_us") else None
        made = await self.worker.run(
            lambda: self.remarks.pause(request.handle, request.reason, from_us, actor)
        )
        log.info("outage.paused", extra={"outage": made.number, "by": actor.name})
        return outage_pb2.PauseOutageResponse(remark=remark_message(made))

    async def ResumeOutage(  # noqa: N802 - gRPC's name
        self, request: outage_pb2.ResumeOutageRequest, context: Context
    ) -> outage_pb2.ResumeOutageResponse:
        """They run again."""
        actor = caller().actor
        from_us = request.from_us if request.HasField("from_us") else None
        made = await self.worker.run(
            lambda: self.remarks.resume(request.handle, request.reason, from_us, actor)
        )
        log.info("outage.resumed", extra={"outage": made.number, "by": actor.name})
        return outage_pb2.ResumeOutageResponse(remark=remark_message(made))


def _scope(text: str) -> OutageScope:
    try:
        return OutageScope(text or OutageScope.GLOBAL)
    except ValueError as error:
        raise BadInput(f"Expected the scope global, regional or all, found {text!r}.") from error
