"""Conformance of EventStore and RemarkStore: appended to, read in order, and never changed."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from controller.errors import ControllerError
from controller.ports.events import Cause, EventKind, EventLine, OutageEvent
from controller.ports.outcomes import StoredOutage
from controller.ports.remarks import Remark, RemarkKind
from controller.ports.storage import Storage
from controller.storage import database, schema
from controller.storage.database import SqlStorage, open_storage

LINE = EventLine("fra-1", "e1", "shop", 7, 90, "down")
OPENED = OutageEvent(
    number=1,
    revision=1,
    kind=EventKind.OPENED,
    recorded_us=100,
    check="shop-home",
    body=b"{}",
    detected_us=100,
    cause=Cause.LINES,
    lines=(LINE,),
    line_count=3,
)
CLOSED = replace(
    OPENED,
    revision=2,
    kind=EventKind.CLOSED,
    recorded_us=200,
    body=b"{1}",
    closed_known_us=200,
    carried_from="before",
)
OTHER = replace(OPENED, number=2, recorded_us=150, check="shop-dns", lines=(), cause=Cause.TIME)
REMARK = Remark(1, RemarkKind.ACK, 120, "ada", "operator", "192.0.2.1", "on it")


def test_events_come_back_as_they_were_put(storage: Storage) -> None:
    with storage.transaction() as tx:
        assert tx.last_event() == 0
        sequences = [tx.put_event(one) for one in (OPENED, OTHER, CLOSED)]
    with storage.transaction() as tx:
        kept = [
            replace(one, sequence=at)
            for one, at in zip((OPENED, OTHER, CLOSED), sequences, strict=True)
        ]
        assert sequences == sorted(set(sequences))
        assert tx.events_of(1) == [kept[0], kept[2]]
        assert tx.events_of(3) == []
        assert tx.event_kinds(1) == [EventKind.OPENED, EventKind.CLOSED]
        assert tx.events_after(0, 10) == kept
        assert tx.last_event() == sequences[-1]
        assert tx.events_after(sequences[0], 1) == [kept[1]]


@pytest.mark.parametrize(
    ("recorded_us", "check", "expected"),
    [
        pytest.param(99, None, [], id="before anything was known"),
        pytest.param(100, None, [OPENED], id="at that instant it was"),
        pytest.param(199, None, [OPENED, OTHER], id="the last of each"),
        pytest.param(200, None, [CLOSED, OTHER], id="the end was known"),
        pytest.param(200, "shop-home", [CLOSED], id="of one check"),
        pytest.param(200, "nothing", [], id="of none"),
    ],
)
def test_s21_what_was_known_then(
    storage: Storage, recorded_us: int, check: str | None, expected: list[OutageEvent]
) -> None:
    with storage.transaction() as tx:
        for one in (OPENED, OTHER, CLOSED):
            tx.put_event(one)
        found = tx.events_as_of(recorded_us, check)
        assert [replace(one, sequence=0) for one in found] == expected


def test_one_outage_has_one_event_of_each_revision(storage: Storage) -> None:
    with storage.transaction() as tx:
        tx.put_event(OPENED)
    with pytest.raises(ControllerError, match="does not take this"), storage.transaction() as tx:
        tx.put_event(OPENED)


def test_remarks_stay_with_their_number(storage: Storage) -> None:
    second = replace(REMARK, kind=RemarkKind.PAUSE, at_us=130, text="a cable \u2713", from_us=110)
    with storage.transaction() as tx:
        first_at = tx.put_remark(REMARK)
        other_at = tx.put_remark(replace(REMARK, number=2))
        second_at = tx.put_remark(second)
    with storage.transaction() as tx:
        assert tx.remarks_of([1]) == [
            replace(REMARK, sequence=first_at), replace(second, sequence=second_at)
        ]  # fmt: skip
        assert [one.sequence for one in tx.remarks_of([1, 2])] == [first_at, other_at, second_at]
        assert tx.remarks_of([]) == []


@pytest.mark.parametrize("name", ["outage_event", "remark"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET number = 9", "DELETE FROM {}"])
def test_what_was_appended_is_never_changed(storage: SqlStorage, name: str, statement: str) -> None:
    with storage.transaction() as tx:
        tx.put_event(OPENED)
        tx.put_remark(REMARK)
    with pytest.raises(ControllerError, match="only appended to"), storage.transaction() as tx:
        tx.connection.execute(text(statement.format(name)))
    with storage.transaction() as tx:
        assert len(tx.events_of(1)) == len(tx.remarks_of([1])) == 1


def test_an_older_database_begins_its_ledger_with_the_outages_that_it_has(kept_url: str) -> None:
    storage = open_storage(kept_url)
    body = b'{"downtime_us_min":%d}'
    first = StoredOutage(0, "shop-home", 50, 90, 60, 95, body % 5)
    second = StoredOutage(0, "shop-dns", 40, None, 55, None, body % 0)
    with storage.transaction() as tx:
        tx.put_outage(first)
        tx.put_outage(second)
    storage.close()
    engine = database.engine_for(kept_url)
    schema.downgrade(engine, "0005")
    schema.upgrade(engine)
    engine.dispose()
    upgraded = open_storage(kept_url)
    with upgraded.transaction() as tx:
        told = tx.events_after(0, 10)
        assert [(one.number, one.revision, one.kind.value, one.recorded_us) for one in told] == [
            (2, 1, "opened", 55),
            (1, 1, "opened", 60),
            (1, 2, "confirmed", 60),
            (1, 3, "closed", 95),
        ]
        assert {(one.cause, one.body) for one in told} == {
            (Cause.UPGRADE, body % 5), (Cause.UPGRADE, body % 0)
        }  # fmt: skip
    upgraded.close()
