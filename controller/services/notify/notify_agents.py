"""Notices about agents become deliveries: one when it falls silent, one to the same channels when that ends."""

from controller.core.channels import EventName
from controller.core.wording import agent_message
from controller.ports.postings import Notice
from controller.ports.storage import Transaction
from controller.services.notify.notify_insight import Insight
from controller.services.notify.notify_outages import put
from controller.services.notify.notify_progress import Progress

_NOTICES_MAX = 10_000


def tell_of_agents(tx: Transaction, insight: Insight, progress: Progress, now_us: int) -> None:
    """Write what is news of agents since the last time; `progress` is changed in place."""
    lasting = {one.number: one for one in tx.notices(include_ended=False, limit=_NOTICES_MAX)}
    known = set(progress.silent)
    if known == lasting.keys():
        return
    for number in sorted(lasting.keys() - known):
        _tell_silent(tx, insight, lasting[number], now_us)
    ended = known - lasting.keys()
    if ended:
        for one in tx.notices(include_ended=True, limit=_NOTICES_MAX):
            if one.number in ended:
                _tell_heard(tx, one, now_us)
    progress.silent = sorted(lasting)


def _tell_silent(tx: Transaction, insight: Insight, notice: Notice, now_us: int) -> None:
    for channel in insight.channels.values():
        key = f"{channel.id}/agent/{notice.number}/silent"
        if EventName.SILENT.value in channel.on and not tx.has_delivery(key):
            message = agent_message(
                EventName.SILENT, notice.agent, notice.region, key=key, at_us=now_us,
                from_us=notice.from_us, detail=notice.detail,
            )  # fmt: skip
            put(tx, channel.id, message, now_us)


def _tell_heard(tx: Transaction, notice: Notice, now_us: int) -> None:
    """Whoever was told of the silence is told of its end."""
    record = tx.agent(notice.agent)
    is_heard = record is not None and record.seen_us is not None and record.seen_us > notice.from_us
    detail = (
        f"Agent {notice.agent} reports again."
        if is_heard
        else f"Agent {notice.agent} is not expected to report any more: it was drained, paused or revoked."
    )
    for one in tx.deliveries_about(f"agent/{notice.agent}"):
        if one.key == f"{one.channel}/agent/{notice.number}/silent":
            key = f"{one.channel}/agent/{notice.number}/heard"
            if not tx.has_delivery(key):
                message = agent_message(
                    EventName.HEARD, notice.agent, notice.region, key=key, at_us=now_us,
                    from_us=notice.from_us, detail=detail,
                )  # fmt: skip
                put(tx, one.channel, message, now_us)
