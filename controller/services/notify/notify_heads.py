"""Heads of the log become deliveries: to the channels that asked for them, now and then, and when a report was sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from controller.core.channels import Channel, EventName
from controller.core.head_messages import SUBJECT, head_key, head_message, head_size
from controller.core.notices import DeliveryState, Withheld
from controller.ports.deliveries import DeliveryQuery
from controller.ports.leaves import LeafKind, StoredCheckpoint
from controller.ports.storage import Storage, Transaction
from controller.services.notify.notify_insight import Insight
from controller.services.notify.notify_outages import put
from controller.services.notify.notify_progress import Progress, ToldHead


@dataclass(frozen=True, slots=True)
class ArrivedHead:
    """A head that a channel was told of, and when the message had arrived."""

    channel: str
    size: int
    at_us: int


def tell_of_heads(tx: Transaction, insight: Insight, progress: Progress, now_us: int) -> None:
    """Write to whom the newest head is to be told; `progress` is changed in place."""
    asking = [one for one in insight.channels.values() if EventName.HEAD.value in one.on]
    newest = tx.newest_checkpoint() if asking else None
    if newest is None:
        return
    for channel in asking:
        last = progress.heads.get(channel.id)
        if last is not None and not _is_due(tx, channel, last, newest, now_us):
            continue
        key = head_key(channel.id, newest.size)
        if not tx.has_delivery(key):
            _call_off(tx, channel.id, now_us)
            message = head_message(newest.note, key=key, at_us=now_us, signed_us=newest.signed_us)
            put(tx, channel.id, message, now_us)
        progress.heads[channel.id] = ToldHead(newest.size, newest.size, now_us)


def _call_off(tx: Transaction, channel: str, now_us: int) -> None:
    """Heads that wait behind one that does not arrive are not sent any more: a later one stands for them."""
    query = DeliveryQuery(states=[DeliveryState.PENDING], channel=channel, subject=SUBJECT)
    for one in tx.deliveries(query):
        if not one.attempts:
            reason = "A later head of the log stands for it."
            tx.put_delivery(
                replace(
                    one,
                    state=DeliveryState.SUPPRESSED,
                    why=Withheld.OVER,
                    reason=reason,
                    due_us=now_us,
                    changed_us=now_us,
                )
            )


def _is_due(
    tx: Transaction, channel: Channel, last: ToldHead, newest: StoredCheckpoint, now_us: int
) -> bool:
    """The log grew, and the last time is long enough ago or a report was sealed since."""
    if newest.size <= last.size:
        return False
    if not 0 <= now_us - last.at_us < channel.every_us:
        return True
    looked, last.looked = last.looked, newest.size
    return looked < newest.size and tx.has_leaf(LeafKind.REPORT, looked, newest.size)


def arrived_heads(storage: Storage) -> Sequence[ArrivedHead]:
    """Of each channel the newest head that arrived there, by channel."""
    with storage.transaction() as tx:
        channels = sorted({one for one, _ in tx.delivery_counts()})
        found = [_newest(tx, one) for one in channels]
    return [one for one in found if one is not None]


def _newest(tx: Transaction, channel: str) -> ArrivedHead | None:
    states = [DeliveryState.DELIVERED]
    query = DeliveryQuery(states=states, channel=channel, subject=SUBJECT, limit=1)
    for one in tx.deliveries(query):
        size = head_size(one.key)
        if size is not None:
            return ArrivedHead(channel, size, one.changed_us)
    return None


def told_sizes(tx: Transaction) -> set[int]:
    """The sizes of all heads that arrived at a channel."""
    arrived = (one for one in tx.deliveries_about(SUBJECT) if one.state is DeliveryState.DELIVERED)
    return {size for one in arrived if (size := head_size(one.key)) is not None}
