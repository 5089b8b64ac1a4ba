"""Deliveries on both databases: one of each key, the order of a subject, who is due."""

from dataclasses import replace

import pytest

from controller.core.notices import DeliveryState, Withheld
from controller.errors import Unstorable
from controller.ports.deliveries import Delivery, DeliveryQuery
from controller.storage.database import SqlStorage, open_storage

PENDING, SENDING = DeliveryState.PENDING, DeliveryState.SENDING
HELD, DONE = DeliveryState.HELD, DeliveryState.DELIVERED


def delivery(
    key: str, *, channel: str = "ops", subject: str = "OUT-1", due_us: int = 10
) -> Delivery:
    return Delivery(
        key=key,
        channel=channel,
        subject=subject,
        event="outage.opened",
        state=PENDING,
        created_us=5,
        due_us=due_us,
        message=b'{"title": "\xc3\xbcber"}',
        changed_us=5,
    )


def test_a_delivery_comes_back_as_it_was_put(storage: SqlStorage) -> None:
    made = replace(
        delivery("ops/outage/1"), state=HELD, why=Withheld.PARENT, reason="OUT-9", attempts=3,
        error="it answered 500", due_us=2**50,
    )  # fmt: skip
    with storage.transaction() as tx:
        number = tx.put_delivery(made)
        assert tx.delivery(number) == replace(made, number=number)
        assert tx.delivery(number + 1) is None
        changed = replace(made, number=number, state=DONE, why=None)
        assert tx.put_delivery(changed) == number
        assert tx.delivery(number) == changed


def test_there_are_never_two_of_one_key(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        tx.put_delivery(delivery("ops/outage/1"))
        assert tx.has_delivery("ops/outage/1")
        assert not tx.has_delivery("ops/outage/2")
    with pytest.raises(Unstorable), storage.transaction() as tx:
        tx.put_delivery(delivery("ops/outage/1"))


def test_a_number_is_not_given_again(kept_url: str) -> None:
    storage = open_storage(kept_url)
    with storage.transaction() as tx:
        numbers = [tx.put_delivery(delivery(f"k{n}")) for n in range(3)]
    assert numbers == sorted(set(numbers))
    storage.close()


@pytest.mark.parametrize("before", [PENDING, SENDING, HELD])
def test_of_a_subject_only_the_oldest_that_is_not_done_is_due(
    storage: SqlStorage, before: DeliveryState
) -> None:
    with storage.transaction() as tx:
        first = tx.put_delivery(replace(delivery("1", due_us=99), state=before))
        second = tx.put_delivery(delivery("2"))
        other = tx.put_delivery(delivery("3", subject="OUT-2"))
        elsewhere = tx.put_delivery(delivery("4", channel="itsm"))
        assert [one.number for one in tx.due_deliveries("ops", 10, 9)] == [other]
        assert [one.number for one in tx.due_deliveries("itsm", 10, 9)] == [elsewhere]
        tx.put_delivery(replace(delivery("1"), number=first, state=DeliveryState.DEAD))
        assert [one.number for one in tx.due_deliveries("ops", 10, 9)] == [second, other]
        assert [one.number for one in tx.due_deliveries("ops", 10, 1)] == [second]


def test_channels_are_due_when_something_of_theirs_is(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        tx.put_delivery(delivery("1", channel="b", due_us=10))
        tx.put_delivery(delivery("2", channel="a", due_us=10))
        tx.put_delivery(delivery("3", channel="c", due_us=11))
        tx.put_delivery(replace(delivery("4", channel="d"), state=DONE))
        assert tx.due_channels(10) == ["a", "b"]
        assert tx.due_channels(9) == []


def test_deliveries_are_found_by_what_they_are(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        tx.put_delivery(delivery("1"))
        tx.put_delivery(delivery("2", channel="itsm"))
        tx.put_delivery(replace(delivery("3"), state=HELD))
        tx.put_delivery(replace(delivery("4", subject="OUT-2"), state=DONE))

        def keys(query: DeliveryQuery) -> list[str]:
            return [one.key for one in tx.deliveries(query)]

        assert keys(DeliveryQuery()) == ["4", "3", "2", "1"]
        assert keys(DeliveryQuery(limit=2)) == ["4", "3"]
        assert keys(DeliveryQuery(before=tx.deliveries(DeliveryQuery())[1].number)) == ["2", "1"]
        assert keys(DeliveryQuery(states=[PENDING, HELD])) == ["3", "2", "1"]
        assert keys(DeliveryQuery(channel="itsm")) == ["2"]
        assert keys(DeliveryQuery(subject="OUT-2")) == ["4"]
        assert [one.key for one in tx.deliveries_about("OUT-1")] == ["1", "2", "3"]
        assert [one.key for one in tx.deliveries_about("OUT-1", "ops")] == ["1", "3"]
        (held,) = tx.withheld_deliveries(0, 9)
        assert held.key == "3"
        assert tx.withheld_deliveries(held.number, 9) == []
        assert tx.withheld_deliveries(0, 0) == []
        assert tx.delivery_counts() == {
            ("ops", PENDING): 1, ("itsm", PENDING): 1, ("ops", HELD): 1, ("ops", DONE): 1,
        }  # fmt: skip


def test_s46_the_first_message_that_arrived_is_found(storage: SqlStorage) -> None:
    made = [
        replace(delivery("ops/outage/1"), state=DONE, changed_us=30),
        replace(delivery("mail/outage/1", channel="mail"), state=DONE, changed_us=20),
        replace(delivery("pager/outage/1", channel="pager"), state=DeliveryState.DEAD),
        replace(delivery("ops/outage/2", subject="OUT-2"), state=SENDING),
        replace(delivery("ops/outage/3", subject="OUT-3"), state=DONE, changed_us=40),
    ]
    with storage.transaction() as tx:
        for one in made:
            tx.put_delivery(one)
    with storage.transaction() as tx:
        assert tx.first_delivered_us(["OUT-1", "OUT-2"]) == {"OUT-1": 20}
        assert tx.first_delivered_us([]) == {}


def test_s39_when_a_message_was_held_back_is_kept_whatever_became_of_it(
    storage: SqlStorage,
) -> None:
    held = replace(delivery("ops/outage/1"), state=HELD, held_us=15)
    with storage.transaction() as tx:
        number = tx.put_delivery(held)
        tx.put_delivery(replace(delivery("mail/outage/1", channel="mail"), held_us=12))
        tx.put_delivery(delivery("ops/outage/2", subject="OUT-2"))
    with storage.transaction() as tx:
        tx.put_delivery(replace(held, number=number, state=DONE, changed_us=50))
        assert tx.first_held_us(["OUT-1", "OUT-2"]) == {"OUT-1": 12}
        assert tx.first_delivered_us(["OUT-1", "OUT-2"]) == {"OUT-1": 50}


def test_how_far_was_read_is_one_thing(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        assert tx.notify_progress() is None
        tx.put_notify_progress(b"one")
        tx.put_notify_progress(b"two")
        assert tx.notify_progress() == b"two"


@pytest.mark.parametrize(
    ("asked", "found"),
    [("contract/a_c", ["1", "2"]), ("contract/a_c/x", ["1"]), ("contract/a", []), ("OUT-1", ["4"])],
)
def test_what_lies_below_a_subject_is_about_it_too(
    storage: SqlStorage, asked: str, found: list[str]
) -> None:
    subjects = ("contract/a_c/x", "contract/a_c/xy", "contract/abc/x", "OUT-1", "OUT-12")
    with storage.transaction() as tx:
        for number, subject in enumerate(subjects, 1):
            tx.put_delivery(delivery(f"{number}", subject=subject))
        asked_for = tx.deliveries(DeliveryQuery(subject=asked))
    assert [one.key for one in reversed(asked_for)] == found
