"""The log in real databases: what is entered, signed and proved, and that any changed byte is found."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from controller.errors import BadInput, ControllerError, Fatal
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary, log_verifier
from controller.ports.agents import AgentRecord
from controller.ports.claims import ClaimEvent
from controller.ports.counters import Counter
from controller.ports.custody import LOCAL, Act
from controller.ports.events import EventKind, OutageEvent
from controller.ports.exclusions import EntryKind, ExclusionEntry
from controller.ports.fleet import CheckRevision, FleetRevision, TermsRevision
from controller.ports.holds import HoldEvent, HoldKind
from controller.ports.issued import IssuedReport
from controller.ports.leaves import LeafKind, StoredCheckpoint
from controller.ports.pruned import Pruned, Pruning
from controller.ports.remarks import Remark, RemarkKind
from controller.ports.seals import StreamId
from controller.ports.storage import Transaction
from controller.services.evidence.log_check import faults
from controller.services.evidence.logbook import Logbook
from controller.storage.database import SqlStorage, open_storage
from vedette.shared.checkpoint import parsed_checkpoint
from vedette.shared.merkle import check_consistency, check_inclusion, leaf_hash, root_of
from vedette.shared.note import opened_note

NOW_US = 1_780_000_000_000_000
AGENT = AgentRecord("fra-1", "fra", "host", 5, b"k" * 32, b"s" * 32, "01", None, 9)


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: NOW_US)


@pytest.fixture
def logged(url: str, notary: LogNotary) -> Iterator[SqlStorage]:
    opened = open_storage(url, notary=notary)
    yield opened
    opened.close()


@pytest.fixture
def book(logged: SqlStorage, notary: LogNotary) -> Logbook:
    return Logbook(logged, notary, lambda: NOW_US)


def enter(storage: SqlStorage, count: int, first: int = 0) -> None:
    """Leaves: acts in the ledger."""
    with storage.transaction() as tx:
        for n in range(first, first + count):
            tx.record(
                Act(n, "anna", LOCAL, "fleet.apply", f"file {n}", "line one\nline two", LOCAL)
            )


def enter_and_change_ones_mind(storage: SqlStorage) -> None:
    with storage.transaction() as tx:
        tx.record(Act(1, "anna", LOCAL, "fleet.apply", "file", "", LOCAL))
        raise BadInput("no")


def notes(storage: SqlStorage) -> list[bytes]:
    with storage.transaction() as tx:
        return [note for _, note in tx.leaf_notes(0, tx.log_size())]


def newest(book: Logbook) -> StoredCheckpoint:
    found = book.checkpoint()
    assert found is not None
    return found


def test_nothing_is_signed_over_nothing(book: Logbook) -> None:
    assert book.checkpoint() is None


def test_a_leaf_is_a_note_that_the_log_signed(logged: SqlStorage, notary: LogNotary) -> None:
    remark = Remark(3, RemarkKind.ACK, 5, "anna", "operator", "127.0.0.1", "on it\nnow")
    with logged.transaction() as tx:
        tx.put_remark(remark)
        assert tx.log_size() == 1
        (leaf,) = tx.leaves_about(LeafKind.REMARK, "OUT-3")
    (note,) = notes(logged)
    said = opened_note(note, [notary.verifier])
    assert said.startswith(f'vedette.remark/v1\ntime {NOW_US}\nsubject "OUT-3"\ndata {{')
    assert '"text":"on it\\nnow"' in said
    assert leaf.hash == leaf_hash(note)


def test_what_was_rolled_back_is_in_no_log(logged: SqlStorage, book: Logbook) -> None:
    with pytest.raises(BadInput):
        enter_and_change_ones_mind(logged)
    assert book.checkpoint() is None
    enter(logged, 1)
    assert newest(book).size == 1


ENTRIES: dict[LeafKind, tuple[str, Callable[[Transaction], object]]] = {
    LeafKind.KEY: ("fra-1", lambda tx: tx.put_agent(AGENT)),
    LeafKind.FLEET: ("1", lambda tx: tx.put_fleet(FleetRevision(1, b"\x00", "f", 5, "anna"), [])),
    LeafKind.CHECK: (
        "home",
        lambda tx: tx.put_fleet(
            FleetRevision(1, b"", "f", 5, "anna"), [CheckRevision("home", "d1", b"{}", 5)]
        ),
    ),
    LeafKind.TERMS: ("gold", lambda tx: tx.put_terms(TermsRevision("gold", 1, 5, {}))),
    LeafKind.EXCLUSION: (
        "m-1",
        lambda tx: tx.put_exclusion_entry(
            ExclusionEntry("m-1", EntryKind.DECLARED, 5, "anna", "operator", "", "d", body=b"{}")
        ),
    ),
    LeafKind.REMARK: (
        "OUT-3",
        lambda tx: tx.put_remark(Remark(3, RemarkKind.ANNOTATION, 5, "anna", "admin", "", "text")),
    ),
    LeafKind.OUTAGE: (
        "OUT-3",
        lambda tx: tx.put_event(OutageEvent(3, 1, EventKind.OPENED, 5, "home", b"{}")),
    ),
    LeafKind.CLAIM: (
        "CLM-1",
        lambda tx: tx.put_claim_event(ClaimEvent(1, 1, "created", 5, "anna", "admin", "")),
    ),
    LeafKind.REPORT: (
        "gold 2026-06",
        lambda tx: tx.put_issued(IssuedReport("gold", "2026-06", 1, 5, 5, "00", b"{}")),
    ),
    LeafKind.ACCESS: (
        "token.create",
        lambda tx: tx.record(Act(5, "anna", LOCAL, "token.create", "bo", "", LOCAL)),
    ),
    LeafKind.PRUNE: (
        "PRUNE-1",
        lambda tx: tx.put_pruning(
            Pruning(1, 5, 4, 1, "397d", [Pruned(StreamId("a", "e", "s"), 1, 2, 1, 9, 9, 70)])
        ),
    ),
    LeafKind.HOLD: (
        "HLD-1",
        lambda tx: tx.put_hold_event(
            HoldEvent(1, HoldKind.PLACED, 5, "anna", "admin", "", "x", ("home",), 1, 2, "why")
        ),
    ),
    LeafKind.COUNTER: (
        "OUT-3",
        lambda tx: tx.put_counter(Counter("OUT-3", 5, "bo", "counterparty", "", "it was up")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", [one for one in LeafKind if one is not LeafKind.SEAL])
def test_whatever_can_move_a_figure_is_a_leaf(logged: SqlStorage, kind: LeafKind) -> None:
    subject, write = ENTRIES[kind]
    with logged.transaction() as tx:
        write(tx)
        (leaf,) = tx.leaves_about(kind, subject)
        said = [note for one, note in tx.leaf_notes(0, tx.log_size()) if one == leaf]
    assert said[0].startswith(f"vedette.{kind.value}/v1\ntime {NOW_US}\n".encode())


@pytest.mark.parametrize("sizes", [(1, 2, 7), (255, 256, 257), (300, 900)], ids=str)
def test_checkpoints_and_proofs_are_those_of_the_whole_tree(
    logged: SqlStorage, book: Logbook, notary: LogNotary, sizes: tuple[int, ...]
) -> None:
    heads: list[StoredCheckpoint] = []
    for size in sizes:
        enter(logged, size - (heads[-1].size if heads else 0), heads[-1].size if heads else 0)
        heads.append(newest(book))
    leaves = notes(logged)
    for head in heads:
        assert head.root == root_of(leaves[: head.size])
        signed = parsed_checkpoint(opened_note(head.note, [notary.verifier]), notary.origin)
        assert signed.head == (head.size, head.root)
    last = heads[-1]
    for index in {0, last.size // 3, 255, 256, last.size - 1} & set(range(last.size)):
        proof = book.inclusion(index, last)
        check_inclusion(index, last.size, last.root, leaf_hash(leaves[index]), proof.path)
    for head in heads:
        path = book.consistency(head.size, last.size)
        check_consistency((head.size, head.root), (last.size, last.root), path)
    assert book.checkpoint() == last


def test_a_log_of_many_levels_has_the_root_of_its_leaves(
    logged: SqlStorage, book: Logbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With nodes at every second level, some hundred leaves are many levels of them.
    monkeypatch.setattr("controller.services.evidence.logbook.NODE_STEP", 2)
    monkeypatch.setattr("controller.services.evidence.logbook._FAN", 4)
    monkeypatch.setattr("controller.services.evidence.logbook._LEAVES_AT_ONCE", 37)
    enter(logged, 300)
    head = newest(book)
    assert (head.size, head.root) == (300, root_of(notes(logged)))


CHANGES = {
    "another hash": 'UPDATE log_leaf SET hash = (SELECT hash FROM log_leaf WHERE "index" = 1) WHERE "index" = {n}',
    "another note": 'UPDATE log_leaf SET note = (SELECT note FROM log_leaf WHERE "index" = 1) WHERE "index" = {n}',
    "no note": 'UPDATE log_leaf SET note = NULL WHERE "index" = {n}',
    "no leaf": 'DELETE FROM log_leaf WHERE "index" = {n}',
}  # fmt: skip


def change(storage: SqlStorage, statement: str) -> None:
    """Change what is stored behind the log's back, as whoever owns the database can."""
    with storage.transaction() as tx:
        connection = tx.connection
        if connection.dialect.name == "sqlite":
            for name in ("log_leaf", "log_node", "log_checkpoint"):
                for event in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER IF EXISTS {name}_no_{event}"))
        else:
            for name in ("log_leaf", "log_node", "log_checkpoint"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {name}_no_change ON {name}"))
        connection.execute(text(statement))


@pytest.mark.parametrize("statement", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("place", [5, 295], ids=["signed before", "not signed yet"])
def test_nothing_is_signed_over_changed_leaves(
    logged: SqlStorage, book: Logbook, notary: LogNotary, tmp_path: Path, statement: str, place: int
) -> None:
    enter(logged, 290)
    before = newest(book)
    enter(logged, 10, 290)
    change(logged, statement.format(n=place))
    log = log_verifier(StateDirectory(tmp_path), "example.net")
    assert log == notary.verifier
    assert list(faults(logged.transaction, log))
    with pytest.raises(Fatal, match="log"):
        book.checkpoint()
    assert book.newest() == before


def test_a_changed_node_or_checkpoint_is_found(
    logged: SqlStorage, book: Logbook, notary: LogNotary
) -> None:
    enter(logged, 300)
    newest(book)
    assert not list(faults(logged.transaction, notary.verifier))
    change(logged, 'UPDATE log_node SET hash = (SELECT hash FROM log_leaf WHERE "index" = 1)')
    enter(logged, 1, 300)
    with pytest.raises(Fatal, match="does not give the root"):
        book.checkpoint()
    change(logged, 'UPDATE log_checkpoint SET root = (SELECT hash FROM log_leaf WHERE "index" = 1)')
    assert len(list(faults(logged.transaction, notary.verifier))) == 3


@pytest.mark.parametrize("table", ["log_leaf", "log_node", "log_checkpoint"])
def test_the_database_itself_refuses_changes(logged: SqlStorage, book: Logbook, table: str) -> None:
    enter(logged, 300)
    newest(book)
    with pytest.raises(ControllerError), logged.transaction() as tx:
        tx.connection.execute(text(f"DELETE FROM {table}"))


def test_a_note_that_was_signed_elsewhere_becomes_a_leaf_and_the_log_stays_whole(
    logged: SqlStorage, book: Logbook, notary: LogNotary
) -> None:
    enter(logged, 3)
    first = newest(book)
    note = notary.signed("vedette.claim/v1\ncontract gold\nperiod 2026-06\n" + "stream\n" * 20_000)
    with logged.transaction() as tx:
        assert tx.enter_note(LeafKind.CLAIM, "bundle gold 2026-06", note, NOW_US) == 3
    last = newest(book)
    proof = book.inclusion(3, last)
    check_inclusion(3, last.size, last.root, leaf_hash(note), proof.path)
    with logged.transaction() as tx:
        ((leaf, stored),) = tx.leaf_notes(3, 4)
        assert (leaf.kind, leaf.subject, stored) == (LeafKind.CLAIM, "bundle gold 2026-06", note)
        covering = [tx.checkpoint_covering(size) for size in (1, first.size, first.size + 1, 9)]
    assert covering == [first, first, last, None]
    assert not list(faults(logged.transaction, notary.verifier))


def test_a_clock_that_was_set_back_keeps_nothing_unsigned(notary: LogNotary) -> None:
    storage, clock = open_storage("sqlite://", notary=notary), [NOW_US]
    book = Logbook(storage, notary, lambda: clock[0])
    enter(storage, 1)
    assert book.checkpoint_if_due() is not None
    enter(storage, 1, 1)
    assert book.checkpoint_if_due() is None, "it is not a minute old"
    clock[0] -= 86_400_000_000
    signed = book.checkpoint_if_due()
    assert signed is not None
    assert signed.size == 2
    storage.close()
