"""Conformance of SlaEventStore: one of each subject and ordinal, in order, and never changed."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from controller.errors import ControllerError
from controller.ports.sla_events import SlaEvent
from controller.storage.database import SqlStorage

FIRST = SlaEvent("contract/acme/a", 1, "grade.warn", "acme", 2**50, b'{"a": 1}')
SECOND = replace(FIRST, ordinal=2, event="grade.warn.retracted")
OTHER = replace(FIRST, subject="contract/acme/b")
ELSEWHERE = replace(FIRST, subject="contract/beta/a", contract="beta")


def test_events_come_back_in_the_order_in_which_they_were_put(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        assert all(tx.put_sla_event(one) for one in (FIRST, OTHER, ELSEWHERE, SECOND))
    with storage.transaction() as tx:
        found = tx.sla_events("acme")
        assert [replace(one, sequence=0) for one in found] == [FIRST, OTHER, SECOND]
        assert [one.sequence for one in found] == sorted({one.sequence for one in found})
        newest = [replace(one, sequence=0) for one in tx.newest_sla_events("acme")]
        assert newest == [OTHER, SECOND]
        assert tx.newest_sla_events("gamma") == []
        assert tx.sla_contracts() == ["acme", "beta"]


def test_s52_there_is_one_of_each_subject_and_ordinal(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        assert tx.put_sla_event(FIRST)
        assert not tx.put_sla_event(replace(FIRST, facts=b"{}"))
    with storage.transaction() as tx:
        assert not tx.put_sla_event(FIRST)
        assert [one.facts for one in tx.sla_events("acme")] == [FIRST.facts]


@pytest.mark.parametrize("statement", ["UPDATE sla_event SET ordinal = 9", "DELETE FROM sla_event"])
def test_what_was_told_is_never_changed(storage: SqlStorage, statement: str) -> None:
    with storage.transaction() as tx:
        tx.put_sla_event(FIRST)
    with pytest.raises(ControllerError, match="only appended to"), storage.transaction() as tx:
        tx.connection.execute(text(statement))
    with storage.transaction() as tx:
        assert len(tx.sla_events("acme")) == 1
