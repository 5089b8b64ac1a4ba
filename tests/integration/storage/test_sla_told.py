"""What is told of contracts is told once, on both databases, also where a transaction comes to nothing."""

from dataclasses import replace
from fractions import Fraction

import pytest

from controller.core.fleet import read_fleet
from controller.core.notices import DeliveryState
from controller.core.sla.notices.notices import SlaNotice
from controller.core.wording import Level
from controller.errors import BadInput
from controller.ports.custody import Actor
from controller.ports.deliveries import DeliveryQuery
from controller.services.notify.deliveries import Outbox
from controller.services.notify.notify_sla import post
from controller.storage.database import SqlStorage, open_storage
from tests.fakes.telling import FakeSecrets

FLEET = read_fleet(
    b"""\
version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks: [{id: home, service: shop, http: {url: "http://shop.example/"}}]
contracts:
  - id: acme
    effective_from: 0
    scope: {checks: [home]}
    objectives: [{id: availability, target: "99"}]
    grades: [{below: "95", action: warn}]
notify: [{id: ops, url: "json://o.example", on: [grade.warn]}]
""",
    "fleet.yaml",
)
NOTICE = SlaNotice(
    "acme", "grade.warn", "availability/grade/warn/95/2026-06/1", "t", ["l"], Level.WARNING
)
BACK = replace(NOTICE, event="grade.warn.retracted", ordinal=2, follows=1, takes_back=True)


def told(storage: SqlStorage) -> list[str]:
    with storage.transaction() as tx:
        events = len(tx.sla_events("acme"))
        found = [f"{one.event} {one.state}" for one in tx.deliveries(DeliveryQuery())]
    return [f"{events} in the ledger", *reversed(found)]


class Died(Exception):
    """The controller ended."""


def test_s52_a_notice_that_was_not_committed_is_told_by_the_next_controller_once(
    kept_url: str,
) -> None:
    for ends_early in (True, True, False, False):
        storage = open_storage(kept_url)
        try:
            with storage.transaction() as tx:
                post(tx, FLEET, NOTICE, 5)
                if ends_early:
                    raise Died
        except Died:
            assert told(storage) == ["0 in the ledger"]
        storage.close()
    storage = open_storage(kept_url)
    assert told(storage) == ["1 in the ledger", "grade.warn pending"]
    storage.close()


def test_what_was_taken_back_is_not_sent_again_and_who_was_not_reached_is_not_told_of_it(
    storage: SqlStorage,
) -> None:
    outbox = Outbox(
        storage, lambda tx: FLEET.channels, FakeSecrets(), lambda: 9, lambda: Fraction(1)
    )
    with storage.transaction() as tx:
        post(tx, FLEET, NOTICE, 5)
        (one,) = tx.deliveries(DeliveryQuery())
        tx.put_delivery(replace(one, state=DeliveryState.DEAD, attempts=24))
    with storage.transaction() as tx:
        post(tx, FLEET, BACK, 6)
    assert told(storage) == ["2 in the ledger", "grade.warn dead"]
    with pytest.raises(BadInput, match="was retracted since"):
        outbox.retry(one.number, Actor("ann"))


@pytest.mark.parametrize("was_sent", [True, False])
def test_s52_what_is_taken_back_reaches_who_was_told_and_calls_off_what_was_not_sent(
    storage: SqlStorage, *, was_sent: bool
) -> None:
    with storage.transaction() as tx:
        post(tx, FLEET, NOTICE, 5)
        (one,) = tx.deliveries(DeliveryQuery())
        if was_sent:
            tx.put_delivery(replace(one, state=DeliveryState.DELIVERED, attempts=1))
    for _ in range(2):
        with storage.transaction() as tx:
            post(tx, FLEET, BACK, 6)
    assert told(storage) == (
        ["2 in the ledger", "grade.warn delivered", "grade.warn.retracted pending"]
        if was_sent
        else ["2 in the ledger", "grade.warn suppressed"]
    )
