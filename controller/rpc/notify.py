"""NotifyService: what was told to whom."""

import logging
from dataclasses import dataclass
from typing import Final

from controller.core.notices import DeliveryState
from controller.notify.signature import message_id
from controller.ports.deliveries import Delivery, DeliveryQuery
from controller.ports.storage import Worker
from controller.rpc.gate import caller
from controller.rpc.status import Context
from controller.services.notify.deliveries import Outbox
from controller.services.notify.notify_sending import Sender
from vedette.v1 import notify_pb2 as pb
from vedette.v1 import notify_pb2_grpc

_STATES: Final = {
    DeliveryState.HELD: pb.DELIVERY_STATE_HELD,
    DeliveryState.PENDING: pb.DELIVERY_STATE_PENDING,
    DeliveryState.SENDING: pb.DELIVERY_STATE_SENDING,
    DeliveryState.DELIVERED: pb.DELIVERY_STATE_DELIVERED,
    DeliveryState.SUPPRESSED: pb.DELIVERY_STATE_SUPPRESSED,
    DeliveryState.DEAD: pb.DELIVERY_STATE_DEAD,
    DeliveryState.DROPPED: pb.DELIVERY_STATE_DROPPED,
}
_STATE_OF: Final = {wire: state for state, wire in _STATES.items()}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NotifyServicer(notify_pb2_grpc.NotifyServiceServicer):
    """Lists, shows, repeats, drops, tries out."""

    worker: Worker
    outbox: Outbox
    sender: Sender

    async def ListDeliveries(  # noqa: N802 - gRPC's name
        self, request: pb.ListDeliveriesRequest, context: Context
    ) -> pb.ListDeliveriesResponse:
        """Deliveries, the newest first."""
        query = DeliveryQuery(
            states=[_STATE_OF[state] for state in request.states if state in _STATE_OF],
            channel=request.channel or None,
            subject=request.subject or None,
            before=request.before if request.HasField("before") else None,
            limit=request.limit,
        )
        found = await self.worker.run(lambda: self.outbox.list(query))
        return pb.ListDeliveriesResponse(deliveries=[_delivery(one) for one in found])

    async def GetDelivery(  # noqa: N802 - gRPC's name
        self, request: pb.GetDeliveryRequest, context: Context
    ) -> pb.GetDeliveryResponse:
        """One delivery with its message."""
        one, message = await self.worker.run(lambda: self.outbox.show(request.number))
        return pb.GetDeliveryResponse(
            delivery=_delivery(one),
            title=message.title,
            text=message.text,
            webhook_id=message_id(message.key, message.at_us),
        )

    async def RetryDelivery(  # noqa: N802 - gRPC's name
        self, request: pb.RetryDeliveryRequest, context: Context
    ) -> pb.RetryDeliveryResponse:
        """Send again what was given up."""
        actor = caller().actor
        later = await self.worker.run(lambda: self.outbox.retry(request.number, actor))
        log.info("notify.retried", extra={"delivery": request.number, "by": actor.name})
        return pb.RetryDeliveryResponse(later=[_delivery(one) for one in later])

    async def DropDelivery(  # noqa: N802 - gRPC's name
        self, request: pb.DropDeliveryRequest, context: Context
    ) -> pb.DropDeliveryResponse:
        """Note that what was given up was seen to."""
        actor = caller().actor
        await self.worker.run(lambda: self.outbox.drop(request.number, actor))
        log.info("notify.dropped", extra={"delivery": request.number, "by": actor.name})
        return pb.DropDeliveryResponse()

    async def TestChannel(  # noqa: N802 - gRPC's name
        self, request: pb.TestChannelRequest, context: Context
    ) -> pb.TestChannelResponse:
        """Send a message at once."""
        actor = caller().actor
        parcel = await self.worker.run(lambda: self.outbox.trial(request.channel, actor))
        outcome = await self.sender.try_out(parcel)
        fields = {"channel": request.channel, "by": actor.name, "delivered": outcome.is_delivered}
        log.info("notify.tested", extra=fields)
        return pb.TestChannelResponse(delivered=outcome.is_delivered, error=outcome.error)


def _delivery(one: Delivery) -> pb.Delivery:
    return pb.Delivery(
        number=one.number,
        key=one.key,
        channel=one.channel,
        subject=one.subject,
        event=one.event,
        state=_STATES[one.state],
        why=one.why.value if one.why else "",
        reason=one.reason,
        attempts=one.attempts,
        created_us=one.created_us,
        changed_us=one.changed_us,
        due_us=one.due_us if one.state is DeliveryState.PENDING else None,
        error=one.error,
    )
