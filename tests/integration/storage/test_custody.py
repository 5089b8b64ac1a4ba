"""Conformance of CustodyStore: standings, alarms, the ledger that is only appended to, sealed copies."""

from dataclasses import replace

import pytest

from controller.errors import ControllerError
from controller.ports.custody import (
    CONTROLLER,
    Act,
    AgentStanding,
    Alarm,
    AlarmKind,
    SealedCopy,
    Secret,
    Standing,
)
from controller.ports.people import PersonToken
from controller.ports.storage import Storage
from controller.storage import database

ACT = Act(5, "ada", "admin", "agent.revoke", "fra-1", "stolen", "ipv4:192.0.2.1:5")
ALARM = Alarm("fra-1", AlarmKind.CLONE_SERIAL, 10, 10, 1, "an old serial", "ipv4:192.0.2.9:1")


def test_an_agent_of_which_nothing_was_noted_is_approved(storage: Storage) -> None:
    revoked = AgentStanding("fra-1", Standing.REVOKED, 7, "ada", "stolen", 2, 3)
    with storage.transaction() as tx:
        assert tx.standing("fra-1") == AgentStanding("fra-1", Standing.APPROVED)
        tx.put_standing(AgentStanding("fra-1", Standing.PENDING, 6))
        tx.put_standing(revoked)
    with storage.transaction() as tx:
        assert tx.standing("fra-1") == revoked
        assert tx.standings() == {"fra-1": revoked}


def test_an_alarm_that_repeats_is_counted_and_opened_again(storage: Storage) -> None:
    with storage.transaction() as tx:
        tx.raise_alarm(ALARM)
        assert tx.clear_alarms("fra-1", 20) == 1
        assert tx.clear_alarms("fra-1", 21) == 0
        assert tx.alarms() == [replace(ALARM, cleared_us=20)]
        tx.raise_alarm(replace(ALARM, first_us=30, last_us=30, detail="again", peer="p"))
        tx.raise_alarm(replace(ALARM, agent="nyc-1", last_us=40))
    with storage.transaction() as tx:
        assert tx.alarms() == [
            replace(ALARM, agent="nyc-1", last_us=40),
            replace(ALARM, last_us=30, count=2, detail="again", peer="p"),
        ]


def test_acts_are_numbered_and_come_newest_first(storage: Storage) -> None:
    with storage.transaction() as tx:
        for at in (5, 6, 7):
            tx.record(replace(ACT, at_us=at))
        acts = tx.acts(None, 2)
        assert [(act.at_us, act.number) for act in acts] == [(7, 3), (6, 2)]
        assert tx.acts(2, 10) == [replace(ACT, number=1)]


@pytest.mark.parametrize("statement", ["UPDATE act SET who = 'eve'", "DELETE FROM act"])
def test_the_ledger_is_only_appended_to(kept_url: str, statement: str) -> None:
    storage = database.open_storage(kept_url)
    with storage.transaction() as tx:
        tx.record(ACT)
    with pytest.raises(ControllerError, match="only appended to"), storage.transaction() as tx:
        tx._connection.exec_driver_sql(statement)
    with storage.transaction() as tx:
        assert tx.acts(None, 10) == [replace(ACT, number=1)]
    storage.close()


def test_what_was_done_in_a_transaction_that_failed_is_not_recorded(storage: Storage) -> None:
    def fail_after_recording() -> None:
        with storage.transaction() as tx:
            tx.record(ACT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_recording()
    with storage.transaction() as tx:
        assert tx.acts(None, 10) == []


def test_a_secret_has_one_copy_for_each_recipient(storage: Storage) -> None:
    secret = Secret("shop-token", 1, 5, "ada", agents_only=False)
    with storage.transaction() as tx:
        tx.put_secret(secret)
        for recipient in ("nyc-1", CONTROLLER, "fra-1"):
            tx.put_copy(SealedCopy("shop-token", recipient, 1, b"\x00sealed\xff"))
        tx.put_copy(SealedCopy("other", "fra-1", 1, b"o"))
        tx.put_copy(SealedCopy("shop-token", "fra-1", 2, b"new"))
        assert [copy.recipient for copy in tx.copies("shop-token")] == [
            CONTROLLER, "fra-1", "nyc-1",
        ]  # fmt: skip
        assert tx.copies_for("fra-1") == [
            SealedCopy("other", "fra-1", 1, b"o"),
            SealedCopy("shop-token", "fra-1", 2, b"new"),
        ]
        tx.delete_copies(recipient="fra-1")
        assert tx.copies_for("fra-1") == []
        tx.delete_copies(name="shop-token")
        assert tx.copies("shop-token") == []
        with pytest.raises(ValueError, match="either"):
            tx.delete_copies()


def test_a_deleted_secret_keeps_its_number(storage: Storage) -> None:
    deleted = Secret("b", 3, 5, "ada", agents_only=True, deleted_us=9)
    with storage.transaction() as tx:
        tx.put_secret(replace(deleted, deleted_us=None))
        tx.put_secret(Secret("a", 1, 5, "ada", agents_only=False))
        assert [secret.name for secret in tx.secrets()] == ["a", "b"]
        tx.put_secret(deleted)
        assert [secret.name for secret in tx.secrets()] == ["a"]
        assert tx.secret("b") == deleted
        assert tx.secret("c") is None


def test_a_persons_token_is_revoked_once(storage: Storage) -> None:
    token = PersonToken("p1", b"\x02" * 32, "ada", "admin", 100, 1)
    with storage.transaction() as tx:
        tx.put_person_token(token)
        tx.put_person_token(replace(token, id="p2", created_us=2))
        assert tx.revoke_person_token("p1", 9)
        assert not tx.revoke_person_token("p1", 10)
        assert not tx.revoke_person_token("p3", 10)
        assert tx.person_tokens() == [
            replace(token, id="p2", created_us=2), replace(token, revoked_us=9),
        ]  # fmt: skip
