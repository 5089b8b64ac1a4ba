"""The ledger of exclusions on every database: kept as written, told as of an instant, never changed."""

from dataclasses import replace

import pytest

from controller.errors import ControllerError
from controller.ports.exclusions import EntryKind, ExclusionEntry
from controller.storage.database import SqlStorage

DECLARED = ExclusionEntry(
    "ex-1", EntryKind.DECLARED, 100, "ada", "operator", "ipv4:192.0.2.1:1", "d" * 64, "", b'{"id":"ex-1"}',
    "patch@example", "20260610T000000Z",
)  # fmt: skip
APPROVED = replace(DECLARED, kind=EntryKind.APPROVED, at_us=200, who="bo", text="ja, gut", body=b"")


def test_entries_come_back_in_order_and_as_of_an_instant(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        numbers = [tx.put_exclusion_entry(one) for one in (DECLARED, APPROVED)]
    with storage.transaction() as tx:
        found = [
            replace(one, sequence=n) for one, n in zip((DECLARED, APPROVED), numbers, strict=True)
        ]
        assert tx.exclusion_entries() == found
        assert tx.exclusion_entries(200) == found
        assert tx.exclusion_entries(199) == found[:1]
        assert tx.exclusion_entries(99) == []
        assert [tx.last_exclusion_entry(at_us) for at_us in (99, 100, 10**9)] == [None, *found]


@pytest.mark.parametrize(
    "statement", ["UPDATE exclusion_entry SET who = 'eve'", "DELETE FROM exclusion_entry"]
)
def test_the_database_refuses_to_change_what_was_said(storage: SqlStorage, statement: str) -> None:
    with storage.transaction() as tx:
        tx.put_exclusion_entry(DECLARED)
    with pytest.raises(ControllerError, match="only appended to"), storage.transaction() as tx:
        tx.connection.exec_driver_sql(statement)
    with storage.transaction() as tx:
        assert [one.who for one in tx.exclusion_entries()] == ["ada"]
