"""DisputeService: holds and counter-evidence."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from controller.core.intervals import FOREVER_US
from controller.ports.counters import Counter
from controller.ports.storage import Storage, Worker
from controller.rpc.counter_messages import counter_message
from controller.rpc.gate import caller
from controller.rpc.status import Context
from controller.services.contracts.terms import Terms
from controller.services.evidence.counters import Counters
from controller.services.evidence.disputed import Asked
from controller.services.evidence.holds import Hold, Holds
from vedette.v1 import dispute_pb2 as pb
from vedette.v1 import dispute_pb2_grpc

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DisputeServicer(dispute_pb2_grpc.DisputeServiceServicer):
    """Holds evidence, and takes what is said against it."""

    worker: Worker
    holds: Holds
    counters: Counters

    async def PlaceHold(  # noqa: N802 - gRPC's name
        self, request: pb.PlaceHoldRequest, context: Context
    ) -> pb.PlaceHoldResponse:
        """Placed now, by the caller."""
        actor = caller().actor
        asked = Asked(
            request.contract,
            request.period,
            request.outage,
            request.check,
            request.from_us if request.HasField("from_us") else None,
            request.to_us if request.HasField("to_us") else None,
        )
        hold = await self.worker.run(lambda: self.holds.place(asked, request.reason, actor))
        log.info("hold.placed", extra={"hold": hold.placed.handle, "by": actor.name})
        return pb.PlaceHoldResponse(hold=_hold(hold))

    async def LiftHold(  # noqa: N802 - gRPC's name
        self, request: pb.LiftHoldRequest, context: Context
    ) -> pb.LiftHoldResponse:
        """Lifted now, by the caller."""
        actor = caller().actor
        hold = await self.worker.run(lambda: self.holds.lift(request.handle, request.reason, actor))
        log.info("hold.lifted", extra={"hold": hold.placed.handle, "by": actor.name})
        return pb.LiftHoldResponse(hold=_hold(hold))

    async def ListHolds(  # noqa: N802 - gRPC's name
        self, request: pb.ListHoldsRequest, context: Context
    ) -> pb.ListHoldsResponse:
        """Those in force, or all."""
        found = await self.worker.run(lambda: self.holds.list(is_all=request.all))
        return pb.ListHoldsResponse(holds=map(_hold, found))

    async def AddCounter(  # noqa: N802 - gRPC's name
        self, request: pb.AddCounterRequest, context: Context
    ) -> pb.AddCounterResponse:
        """Said now, by the caller."""
        actor = caller().actor
        asked = Asked(request.contract, request.period, request.outage)
        said = Counter(
            "", 0, "", "", "", request.text, request.file_name, request.size, request.sha256,
            request.content,
        )  # fmt: skip
        kept = await self.worker.run(lambda: self.counters.add(asked, said, actor))
        log.info("counter.added", extra={"subject": kept.subject, "by": actor.name})
        return pb.AddCounterResponse(counter=counter_message(kept))

    async def ListCounters(  # noqa: N802 - gRPC's name
        self, request: pb.ListCountersRequest, context: Context
    ) -> pb.ListCountersResponse:
        """What was said against an outage or a period."""
        asked = Asked(request.contract, request.period, request.outage)
        found = await self.worker.run(lambda: self.counters.of(asked))
        return pb.ListCountersResponse(counters=map(counter_message, found))


def disputes(
    worker: Worker, storage: Storage, terms: Terms, now_us: Callable[[], int]
) -> DisputeServicer:
    """The service over a storage."""
    return DisputeServicer(worker, Holds(storage, terms, now_us), Counters(storage, terms, now_us))


def _hold(one: Hold) -> pb.Hold:
    placed, lifted = one.placed, one.lifted
    return pb.Hold(
        handle=placed.handle,
        subject=placed.subject,
        checks=placed.checks,
        from_us=placed.from_us,
        to_us=placed.to_us if placed.to_us < FOREVER_US else None,
        reason=placed.reason,
        placed_us=placed.at_us,
        placed_by=placed.who,
        role=placed.role,
        claim=f"CLM-{placed.claim}" if placed.claim else "",
        lifted_us=None if lifted is None else lifted.at_us,
        lifted_by="" if lifted is None else lifted.who,
        lifted_reason="" if lifted is None else lifted.reason,
        came_late=one.came_late,
    )
