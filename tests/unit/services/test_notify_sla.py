"""Telling people of contracts: to whom, once, and what is taken back or goes on."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from controller.core.fleet import Fleet, read_fleet
from controller.core.notices import DeliveryState
from controller.core.sla.notices.notices import SlaNotice
from controller.core.wording import Level, Message
from controller.ports.deliveries import Delivery, DeliveryQuery
from controller.services.notify.notify_sla import post
from tests.fakes.storage import FakeStorage

FLEET = """\
version: 1
regions: [{id: fra}]
services: [{id: shop}, {id: mail}]
checks:
  - {id: home, service: shop, http: {url: "http://shop.example/"}}
  - {id: smtp, service: mail, http: {url: "http://mail.example/"}}
contracts:
  - id: acme
    effective_from: 0
    scope: {checks: [home]}
    objectives: [{id: availability, target: "99"}]
    grades: [{below: "95", action: warn}, {below: "90", action: legal, notify: lawyer}]
notify:
  - {id: all, url: "json://a.example", on: [grade.warn, grade.legal]}
  - {id: lawyer, url: "json://l.example", on: [claim.due]}
  - {id: shop, url: "json://s.example", on: [grade.warn], services: [shop]}
  - {id: mail, url: "json://m.example", on: [grade.warn], services: [mail]}
  - {id: home, url: "json://h.example", on: [grade.warn], checks: [home, smtp]}
  - {id: beta, url: "json://b.example", on: [grade.warn], contracts: [acme]}
"""
NOW = 1_750_000_000_000_000
NOTICE = SlaNotice(
    contract="acme",
    event="grade.warn",
    series="availability/grade/warn/95/2026-06/1",
    title="availability is below 95 %",
    lines=["Attained: 94 %"],
    level=Level.WARNING,
    facts={"contract": {"id": "acme"}},
)


def fleet() -> Fleet:
    return read_fleet(FLEET.encode(), "fleet.yaml")


def deliveries(storage: FakeStorage) -> Sequence[Delivery]:
    with storage.transaction() as tx:
        return tx.deliveries(DeliveryQuery(limit=100))[::-1]


def posted(storage: FakeStorage, notice: SlaNotice) -> bool:
    with storage.transaction() as tx:
        return post(tx, fleet(), notice, NOW)


def test_s52_a_grade_goes_to_whoever_chose_it_and_whose_filters_let_the_contract_pass() -> None:
    storage = FakeStorage()
    assert posted(storage, NOTICE)
    assert [one.channel for one in deliveries(storage)] == ["all", "shop", "home", "beta"]
    message = msgspec.json.decode(deliveries(storage)[0].message, type=Message)
    assert message.title == "[acme] availability is below 95 %"
    assert message.subject == "contract/acme/availability/grade/warn/95/2026-06/1"
    assert message.text == (
        "Attained: 94 %\n\nReference: contract/acme/availability/grade/warn/95/2026-06/1"
        " | all/contract/acme/availability/grade/warn/95/2026-06/1/1"
    )
    assert message.facts == {"contract": {"id": "acme"}}


def test_s52_a_grade_may_name_whom_it_tells() -> None:
    storage = FakeStorage()
    posted(storage, replace(NOTICE, event="grade.legal", channels=("lawyer",)))
    assert [one.channel for one in deliveries(storage)] == ["all", "lawyer"]


def test_s52_what_was_told_is_not_told_again() -> None:
    storage = FakeStorage()
    assert posted(storage, NOTICE)
    assert not posted(storage, replace(NOTICE, title="in other words"))
    assert len(deliveries(storage)) == 4
    with storage.transaction() as tx:
        (event,) = tx.sla_events("acme")
    assert (event.subject, event.ordinal, event.recorded_us) == (NOTICE.subject, 1, NOW)


def test_what_follows_goes_to_whoever_was_told_and_to_nobody_else() -> None:
    storage = FakeStorage()
    posted(storage, NOTICE)
    first, second, *_ = deliveries(storage)
    with storage.transaction() as tx:
        tx.put_delivery(replace(first, state=DeliveryState.DELIVERED, attempts=1))
        tx.put_delivery(replace(second, attempts=1))
    after = replace(NOTICE, ordinal=2, event="grade.warn.retracted", follows=1, takes_back=True)
    assert posted(storage, after)
    assert not posted(storage, after)
    states = [f"{one.channel} {one.event} {one.state}" for one in deliveries(storage)]
    assert states == [
        "all grade.warn delivered", "shop grade.warn pending",
        "home grade.warn suppressed", "beta grade.warn suppressed",
        "all grade.warn.retracted pending", "shop grade.warn.retracted pending",
    ]  # fmt: skip


def test_what_merely_ends_what_was_told_calls_nothing_off() -> None:
    storage = FakeStorage()
    posted(storage, NOTICE)
    posted(storage, replace(NOTICE, ordinal=2, event="grade.warn.ended", follows=1))
    assert [one.state for one in deliveries(storage)] == [DeliveryState.PENDING] * 8


def test_a_notice_of_a_contract_that_is_no_more_goes_where_no_filter_stands() -> None:
    storage = FakeStorage()
    posted(storage, replace(NOTICE, contract="gone"))
    assert [one.channel for one in deliveries(storage)] == ["all"]
    with storage.transaction() as tx:
        assert [one.contract for one in tx.newest_sla_events("gone")] == ["gone"]
