"""The ledger of claims, on every database."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from controller.errors import ControllerError
from controller.ports.claims import ClaimEvent, ClaimFile
from controller.storage.database import SqlStorage

MADE = ClaimEvent(1, 1, "create", 10, "ada", "admin", "local", facts=b"{}")


def test_claims_are_read_as_they_were_written(storage: SqlStorage) -> None:
    other = replace(MADE, number=2)
    done = replace(
        MADE, revision=2, action="settle", amount="5.00", reason="r", late="l", facts=b""
    )
    with storage.transaction() as tx:
        assert (tx.last_claim(), tx.claim_events()) == (0, [])
        assert tx.put_claim_event(MADE) < tx.put_claim_event(other) < tx.put_claim_event(done)
    with storage.transaction() as tx:
        assert tx.last_claim() == 2
        assert [replace(one, sequence=0) for one in tx.claim_events(1)] == [MADE, done]
        assert [one.number for one in tx.claim_events()] == [1, 2, 1]


def test_the_files_of_a_pack_keep_their_order(storage: SqlStorage) -> None:
    files = [ClaimFile(1, place, name, "0" * 64, 3, b"abc") for place, name in enumerate("ba")]
    with storage.transaction() as tx:
        tx.put_claim_files(files)
    with storage.transaction() as tx:
        assert tx.claim_files(1) == files
        assert tx.claim_files(2) == []


def test_one_act_has_one_place(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        tx.put_claim_event(MADE)
    with pytest.raises(ControllerError), storage.transaction() as tx:
        tx.put_claim_event(replace(MADE, action="withdraw"))


@pytest.mark.parametrize("change", ["UPDATE {} SET number = 9", "DELETE FROM {}"])
@pytest.mark.parametrize("name", ["claim_event", "claim_file"])
def test_the_ledger_refuses_changes(storage: SqlStorage, change: str, name: str) -> None:
    with storage.transaction() as tx:
        tx.put_claim_event(MADE)
        tx.put_claim_files([ClaimFile(1, 0, "a", "0" * 64, 3, b"abc")])
    said = r"only appended to|stays as it was"
    with pytest.raises(ControllerError, match=said), storage.transaction() as tx:
        tx.connection.execute(text(change.format(name)))
