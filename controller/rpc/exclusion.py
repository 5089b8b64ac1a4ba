"""ExclusionService: exclusions by command."""

import logging
from dataclasses import dataclass

from controller.core.instants import instant as instant_of
from controller.core.intervals import FOREVER_US
from controller.ports.storage import Worker
from controller.rpc.gate import caller
from controller.rpc.status import Context
from controller.services.contracts.calendar_import import (
    CalendarAsked,
    CalendarEvent,
    CalendarImport,
    Done,
)
from controller.services.contracts.exclusion_ledger import ExclusionView, Occurrence
from controller.services.contracts.exclusions import Asked, Exclusions
from vedette.v1 import exclusion_pb2 as pb
from vedette.v1 import exclusion_pb2_grpc

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExclusionServicer(exclusion_pb2_grpc.ExclusionServiceServicer):
    """Declares, approves, withdraws, imports, lists and shows."""

    worker: Worker
    exclusions: Exclusions
    calendars: CalendarImport

    async def DeclareExclusion(  # noqa: N802 - gRPC's name
        self, request: pb.DeclareExclusionRequest, context: Context
    ) -> pb.DeclareExclusionResponse:
        """Declared now, by the caller."""
        actor = caller().actor
        asked = Asked(
            request.type, request.from_us, request.to_us, request.reason, request.evidence, request.id,
            tuple(request.scope.checks), tuple(request.scope.services), request.scope.all,
        )  # fmt: skip
        view = await self.worker.run(lambda: self.exclusions.declare(asked, actor))
        _logged("exclusion.declared", view, actor.name)
        return pb.DeclareExclusionResponse(exclusion=_exclusion(view))

    async def ApproveExclusion(  # noqa: N802 - gRPC's name
        self, request: pb.ApproveExclusionRequest, context: Context
    ) -> pb.ApproveExclusionResponse:
        """Approved by the caller."""
        actor = caller().actor
        view = await self.worker.run(
            lambda: self.exclusions.approve(request.id, request.note, actor)
        )
        _logged("exclusion.approved", view, actor.name)
        return pb.ApproveExclusionResponse(exclusion=_exclusion(view))

    async def WithdrawExclusion(  # noqa: N802 - gRPC's name
        self, request: pb.WithdrawExclusionRequest, context: Context
    ) -> pb.WithdrawExclusionResponse:
        """Withdrawn now, by the caller."""
        actor = caller().actor
        view = await self.worker.run(
            lambda: self.exclusions.withdraw(request.id, request.reason, actor)
        )
        _logged("exclusion.withdrawn", view, actor.name)
        return pb.WithdrawExclusionResponse(exclusion=_exclusion(view))

    async def ListExclusions(  # noqa: N802 - gRPC's name
        self, request: pb.ListExclusionsRequest, context: Context
    ) -> pb.ListExclusionsResponse:
        """All of them, by when they begin."""
        as_of_us = request.as_of_us if request.HasField("as_of_us") else None
        from_us = request.from_us if request.HasField("from_us") else -FOREVER_US
        to_us = request.to_us if request.HasField("to_us") else FOREVER_US
        views = await self.worker.run(
            lambda: self.exclusions.list(as_of_us, from_us=from_us, to_us=to_us)
        )
        return pb.ListExclusionsResponse(exclusions=[_exclusion(one) for one in views])

    async def GetExclusion(  # noqa: N802 - gRPC's name
        self, request: pb.GetExclusionRequest, context: Context
    ) -> pb.GetExclusionResponse:
        """One of them."""
        as_of_us = request.as_of_us if request.HasField("as_of_us") else None
        view = await self.worker.run(lambda: self.exclusions.show(request.id, as_of_us))
        return pb.GetExclusionResponse(exclusion=_exclusion(view))

    async def ImportExclusions(  # noqa: N802 - gRPC's name
        self, request: pb.ImportExclusionsRequest, context: Context
    ) -> pb.ImportExclusionsResponse:
        """The ledger in line with a calendar, or what would bring it there."""
        actor, asked = caller().actor, _calendar(request)
        done = await self.worker.run(
            lambda: self.calendars.run(asked, actor, is_dry=request.dry_run)
        )
        log.info("exclusion.imported", extra={"occurrences": len(done), "by": actor.name})
        return pb.ImportExclusionsResponse(done=[_done(one) for one in done])


def _logged(event: str, view: ExclusionView, by: str) -> None:
    log.info(event, extra={"exclusion": view.declaration.exclusion.id, "by": by})


def _calendar(request: pb.ImportExclusionsRequest) -> CalendarAsked:
    scope = request.scope
    template = Asked(
        request.type, 0, 0, request.reason, request.evidence, "",
        tuple(scope.checks), tuple(scope.services), scope.all,
    )  # fmt: skip
    events = [
        CalendarEvent(
            Occurrence(one.uid, one.recurrence), one.from_us, one.to_us, one.summary, one.cancelled
        )
        for one in request.events
    ]
    return CalendarAsked(
        template, events, frozenset(request.uids), request.from_us, request.until_us
    )


def _done(one: Done) -> pb.ImportedExclusion:
    return pb.ImportedExclusion(
        step=one.step,
        id=one.id,
        from_us=one.from_us,
        to_us=one.to_us,
        summary=one.summary,
        why=one.why,
        replaces=one.replaces,
    )


def _exclusion(view: ExclusionView) -> pb.Exclusion:
    own = view.declaration
    exclusion = own.exclusion
    declared_us = instant_of(exclusion.declared_at)
    scope = pb.ExclusionScope(all=True)
    if not isinstance(exclusion.scope, str):
        scope = pb.ExclusionScope(checks=exclusion.scope.checks, services=exclusion.scope.services)
    return pb.Exclusion(
        id=exclusion.id,
        type=exclusion.type,
        from_us=exclusion.interval.from_us,
        to_us=exclusion.interval.to_us,
        scope=scope,
        declared_us=declared_us,
        logged_us=declared_us if own.logged_us is None else own.logged_us,
        by=exclusion.by,
        reason=exclusion.reason,
        evidence=exclusion.evidence,
        source=own.source,
        approved_by=own.approved_by,
        unproven=own.unproven,
        withdrawn_us=own.withdrawn_us,
        entries=[
            pb.ExclusionEntry(
                kind=one.kind, at_us=one.at_us, who=one.who, role=one.role, peer=one.peer, text=one.text
            )
            for one in view.entries
        ],
        effects=[
            pb.ExclusionEffect(contract=one.contract, status=one.status, why=one.why)
            for one in view.effects
        ],
    )  # fmt: skip
