"""Telling people of contracts: once each, in the transaction that notes that it was told."""

from dataclasses import replace
from typing import Final

import msgspec

from controller.core.fleet import Fleet
from controller.core.notices import DeliveryState, Withheld
from controller.core.sla.notices.notices import SlaNotice, message_key, notice_message
from controller.ports.deliveries import Delivery
from controller.ports.sla_events import SlaEvent
from controller.ports.storage import Transaction
from controller.services.notify.notify_outages import put

_UNTOLD: Final = (DeliveryState.SUPPRESSED, DeliveryState.HELD)
_FAILED: Final = (DeliveryState.DEAD, DeliveryState.DROPPED)


def post(tx: Transaction, fleet: Fleet, notice: SlaNotice, now_us: int) -> bool:
    """Tell the channels of the file in force that it is for. False if it was told before: nothing is done.

    It is in the ledger whether or not any channel is told.
    """
    facts = msgspec.json.encode(notice.facts)
    event = SlaEvent(notice.subject, notice.ordinal, notice.event, notice.contract, now_us, facts)
    if not tx.put_sla_event(event):
        return False
    told = _chosen(fleet, notice) if notice.follows is None else _told_before(tx, notice, now_us)
    for channel in told:
        if channel in fleet.channels:
            put(tx, channel, notice_message(notice, channel, now_us), now_us)
    return True


def _chosen(fleet: Fleet, notice: SlaNotice) -> list[str]:
    """The channels that it is for, in the order of the file."""
    contract = fleet.contracts.get(notice.contract)
    checks = contract.scope.members if contract else []
    services = [fleet.checks[check].service for check in checks]
    return [
        channel.id
        for channel in fleet.channels.values()
        if channel.id in notice.channels
        or channel.hears(notice.event, notice.contract, services, checks)
    ]


def _told_before(tx: Transaction, notice: SlaNotice, now_us: int) -> list[str]:
    """The channels that were told of what it follows; what is taken back before it was sent is called off."""
    assert notice.follows is not None
    found: list[str] = []
    for one in tx.deliveries_about(notice.subject):
        if one.key != message_key(one.channel, notice.subject, notice.follows):
            continue
        is_unsent = one.state is DeliveryState.PENDING and not one.attempts
        if notice.takes_back and is_unsent:
            _call_off(tx, one, now_us)
        elif one.state not in _UNTOLD and not (notice.takes_back and one.state in _FAILED):
            found.append(one.channel)
    return found


def _call_off(tx: Transaction, one: Delivery, now_us: int) -> None:
    tx.put_delivery(
        replace(
            one,
            state=DeliveryState.SUPPRESSED,
            why=Withheld.OVER,
            reason="It was taken back before it was sent.",
            due_us=now_us,
            changed_us=now_us,
        )
    )
