"""What was pruned, holds and counter-evidence in real databases: read as they were written, and never changed."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from controller.errors import ControllerError
from controller.ports.counters import Counter
from controller.ports.evidence import Segment
from controller.ports.holds import HoldEvent, HoldKind, in_force
from controller.ports.pruned import Held, Pruned, Pruning
from controller.ports.seals import StreamId
from controller.storage.database import SqlStorage
from vedette.shared.identity import ResultId

SHOP = StreamId("fra-1", "e1", "shop")
HOLD = HoldEvent(
    1, HoldKind.PLACED, 5, "anna", "admin", "192.0.2.1", "acme 2026-06", ("home", "api"), 10, 20, "asked"
)  # fmt: skip


def test_lines_are_dropped_and_where_they_stood_is_known(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        for first, count in ((1, 2), (3, 2), (6, 1)):
            body = b"a line\n" * count
            tx.append([Segment(*SHOP, first, count, body, 10 * first)], [], [], [], [])
        assert [(one.first_seq, one.last_seq) for one in tx.held_segments(SHOP, 1, 4, 9)] == [
            (1, 2),
            (3, 4),
        ]
        assert tx.held_segments(StreamId("no", "such", "stream"), 1, 9, 9) == []
        (last,) = tx.held_segments(SHOP, 5, 9, 9)
        assert (last.received_us, last.bytes > 0) == (60, True)
        tx.drop_lines(SHOP, [Held(1, 2, 9, 10), Held(3, 4, 9, 30)])
        run = Pruned(SHOP, 1, 2, 1, 4, 4, 18)
        tx.put_pruning(Pruning(tx.last_pruning() + 1, 70, 50, 1, "397d", [run]))
    with storage.transaction() as tx:
        assert tx.pruned() == tx.pruned(SHOP) == [(1, run)]
        assert tx.pruned_between(SHOP, 4, 9) == [(1, run)]
        assert tx.pruned_between(SHOP, 5, 9) == []
        assert tx.last_pruning() == 1
        gone, *_, kept = tx.segments(*SHOP, 1, 9)
        assert (gone.is_pruned, gone.count, gone.lines, gone.received_us) == (True, 2, b"", 10)
        assert (kept.is_pruned, kept.lines) == (False, b"a line\n")
        assert tx.line(ResultId(*SHOP, 2)) is None
        assert tx.line(ResultId(*SHOP, 6)) == b"a line\n"
        assert tx.line_count(SHOP, 1, 4) == 4
        assert b"".join(tx.lines(SHOP, 1, 6)) == b"a line\n"
        assert [one.last_seq for one in tx.held_segments(SHOP, 1, 9, 9)] == [6]
        # Packing what is around them leaves them what they are.
        tx.pack_segments(SHOP, 4, 6)
        assert [(one.first_seq, one.is_pruned) for one in tx.segments(*SHOP, 1, 9)][:3] == [
            (1, True),
            (3, True),
            (4, True),
        ]


def test_holds_are_in_force_until_they_are_lifted(storage: SqlStorage) -> None:
    other = replace(HOLD, number=2, claim=3, checks=("home",))
    with storage.transaction() as tx:
        tx.put_hold_event(HOLD)
        tx.put_hold_event(other)
    with storage.transaction() as tx:
        events = tx.hold_events()
        assert [replace(one, sequence=0) for one in events] == [HOLD, other]
        tx.put_hold_event(replace(HOLD, kind=HoldKind.LIFTED, at_us=9))
        assert [one.handle for one in in_force(tx.hold_events())] == ["HLD-2"]


def test_counter_evidence_is_kept_by_what_it_is_about(storage: SqlStorage) -> None:
    said = Counter("OUT-3", 5, "bo", "counterparty", "", "up", "log.json", 3, "ab", b"\x00\xff{")
    with storage.transaction() as tx:
        tx.put_counter(said)
        tx.put_counter(replace(said, subject="acme 2026-06", content=b""))
    with storage.transaction() as tx:
        assert [replace(one, sequence=0) for one in tx.counters_of("OUT-3")] == [said]
        assert tx.counters_of("OUT-4") == []
        tx.put_counter(replace(said, subject="OUT-3 acme"))
        tx.put_counter(replace(said, subject="OUT-30"))
        assert [one.subject for one in tx.counters_of("OUT-3")] == ["OUT-3", "OUT-3 acme"]
        found = tx.counters_against(["OUT-3", "OUT-9"])
        assert [one.subject for one in found["OUT-3"]] == ["OUT-3", "OUT-3 acme"]
        assert "OUT-9" not in found


def test_none_of_it_can_be_changed(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        tx.put_hold_event(HOLD)
        tx.put_counter(Counter("OUT-3", 5, "bo", "counterparty", "", "up"))
        tx.put_pruning(Pruning(1, 7, 5, 1, "397d", [Pruned(SHOP, 1, 2, 1, 4, 4, 18)]))
    for table, column in (("pruned", "number"), ("hold_event", "number"), ("counter", "size")):
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 9"):
            refused = pytest.raises(ControllerError, match=r"only appended to|stays known")
            with refused, storage.transaction() as tx:
                tx.connection.execute(text(change))
