"""Every column of every table of evidence, changed by a bit behind the log's back: the check of the database names it."""

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select, text, update

from controller.errors import ControllerError
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.local import _told
from controller.ports.agents import AgentRecord
from controller.ports.claims import ClaimEvent, ClaimFile
from controller.ports.counters import Counter
from controller.ports.custody import Act, AgentStanding, Standing
from controller.ports.events import EventKind, EventLine, OutageEvent
from controller.ports.evidence import Segment
from controller.ports.exclusions import EntryKind, ExclusionEntry
from controller.ports.fleet import CheckRevision, FleetRevision
from controller.ports.holds import HoldEvent, HoldKind
from controller.ports.issued import IssuedReport
from controller.ports.leaves import LeafKind
from controller.ports.outcomes import StoredOutage
from controller.ports.pruned import Pruned, Pruning
from controller.ports.remarks import Remark, RemarkKind
from controller.ports.seals import ForkedSeal, StoredSeal, StreamId
from controller.ports.witnesses import StoredCosignature, WitnessKey
from controller.services.contracts.claim_pack import MANIFEST
from controller.services.evidence.fact_check import fact_faults
from controller.services.evidence.log_check import faults
from controller.services.evidence.logbook import Logbook
from controller.services.evidence.row_check import NAMES
from controller.services.outages.outage_body import BodyVote, OutageBody, encode_body
from controller.storage.claim_tables import ClaimEventRow, ClaimFileRow
from controller.storage.custody_tables import ActRow, StandingRow
from controller.storage.damage import damages
from controller.storage.database import SqlStorage, open_storage
from controller.storage.event_tables import OutageEventRow, RemarkRow
from controller.storage.exclusion_tables import ExclusionEntryRow
from controller.storage.issued_tables import IssuedReportRow
from controller.storage.log_tables import CheckpointRow, LeafRow, NodeRow
from controller.storage.retention_tables import CounterRow, HoldEventRow, PrunedRow
from controller.storage.seal_tables import ForkedSealRow, SealRow
from controller.storage.tables import (
    AgentRow,
    CheckRevisionRow,
    FleetRevisionRow,
    OutageRow,
    Row,
    SegmentRow,
    StreamRow,
    table,
)
from controller.storage.witness_tables import CosignatureRow, WitnessKeyRow
from vedette.shared.definitions import digest_of
from vedette.shared.note import cosignature, signed_note
from vedette.shared.seal import ClockState, Payload, Seal, Slots, Span, StreamName

NOW_US = 1_780_000_000_000_000
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
STREAM = StreamId("fra-1", "9f31c2d0", "shop")
LINES = b'{"check":"home","slot":1}\n{"check":"home","slot":2}\n'
# What is of no evidence: when something came to this machine, how a machine stands right now, numbers that order rows,
# and how far lines that were lost at the end of a stream were counted.
LEFT_OUT = {
    ("agent", name)
    for name in (
        "hostname", "enrolled_us", "sealing_key", "active_serial", "pending_serial", "certificate_ends_us",
        "seen_us", "version", "clock_offset_us", "clock_error_us", "spool_lines", "assignment_revision",
    )
} | {
    ("act", "number"), *((name, "sequence") for name in (
        "exclusion_entry", "remark", "outage_event", "claim_event", "issued_report", "hold_event", "counter",
    )),
    ("witness_key", "number"), ("witness_key", "since_us"), ("log_cosignature", "received_us"),
    ("segment", "received_us"), ("segment", "receipts"), ("segment", "lost"), ("stream", "lost"), ("stream", "seq"),
    ("forked_seal", "received_us"), ("forked_seal", "variant"), ("log_checkpoint", "signed_us"),
}  # fmt: skip
TABLES = (
    LeafRow, NodeRow, CheckpointRow, SealRow, ForkedSealRow, SegmentRow, StreamRow, AgentRow, StandingRow,
    FleetRevisionRow, CheckRevisionRow, ExclusionEntryRow, RemarkRow, OutageEventRow, OutageRow, ClaimEventRow,
    ClaimFileRow, IssuedReportRow, ActRow, HoldEventRow, CounterRow, PrunedRow, WitnessKeyRow, CosignatureRow,
)  # fmt: skip


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: NOW_US)


@pytest.fixture
def kept(url: str, notary: LogNotary, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStorage]:
    """A database with a fact of every kind, signed over, whose triggers somebody has dropped."""
    # With nodes at every second level, few leaves have some.
    for module in ("logbook", "node_check"):
        monkeypatch.setattr(f"controller.services.evidence.{module}.NODE_STEP", 2)
        monkeypatch.setattr(f"controller.services.evidence.{module}._FAN", 4)
    storage = open_storage(url, notary=notary)
    fill(storage)
    head = Logbook(storage, notary, lambda: NOW_US).checkpoint()
    assert head is not None
    text_of_head = head.note[: head.note.index(b"\n\n") + 1]
    with storage.transaction() as tx:
        line = cosignature(text_of_head, "example.net/witness/fra-1", WITNESS, 5)
        tx.put_cosignature(
            StoredCosignature(head.size, "example.net/witness/fra-1", line, 5_000_000, NOW_US)
        )
    drop_triggers(storage)
    yield storage
    storage.close()


def seal(number: int, prev: bytes | None, lines: bytes, *, missed: int = 0) -> bytes:
    count = lines.count(b"\n")
    payload = Payload(count and 1, count, count, hashlib.sha256(lines).hexdigest(), len(lines))
    body = Seal(
        StreamName("example.net", STREAM.agent, STREAM.stream, STREAM.epoch),
        number,
        None if prev is None else hashlib.sha256(prev).hexdigest(),
        payload,
        Slots(count, missed),
        "0" * 64,
        Span(NOW_US, NOW_US + number, 1, 2),
        ClockState(),
    )
    return signed_note(body.text(), body.name.key_name, KEY)


def outage(ended_us: int | None) -> bytes:
    votes = [BodyVote("fra", "DOWN", 5)]
    return encode_body(
        OutageBody("o-1", "home", "r", 100, 200, ended_us, 110, 100, 100, 100, 0, ["fra"], [("tcp", 1)], 0, votes)
    )  # fmt: skip


def fill(storage: SqlStorage) -> None:
    first, lines = seal(1, None, LINES), (EventLine(*STREAM, 1, 100, "down"),)
    second = seal(2, first, b"", missed=3)
    manifest = f"{hashlib.sha256(b'letter').hexdigest()}  letter.txt\n".encode()
    named = hashlib.sha256(manifest).hexdigest()
    with storage.transaction() as tx:
        key = KEY.public_key().public_bytes_raw()
        tx.put_agent(AgentRecord("fra-1", "fra", "host", NOW_US, key, b"s" * 32, "01", None, 9))
        tx.put_standing(AgentStanding("fra-1", Standing.APPROVED, NOW_US, "anna"))
        definition = b'{"id":"home"}'
        revision = CheckRevision("home", digest_of(definition), definition, NOW_US)
        tx.put_fleet(FleetRevision(1, b"version: 1\n", "f.yaml", NOW_US, "anna"), [revision])
        tx.append([Segment(*STREAM, 1, 2, LINES, NOW_US, 0)], [], [], [], [])
        tx.put_seal(StoredSeal(STREAM, 1, first, 1, 2, 2, 2, 2, 2, 0, 0, NOW_US + 1, NOW_US))
        tx.put_seal(StoredSeal(STREAM, 2, second, 0, 0, 2, 0, 3, 0, 3, 0, NOW_US + 2, NOW_US))
        tx.put_forked_seal(ForkedSeal(STREAM, 2, seal(2, first, b"", missed=1), NOW_US))
        number = tx.put_outage(StoredOutage(0, "home", 100, 200, NOW_US, NOW_US, outage(200)))
        opened = OutageEvent(number, 1, EventKind.OPENED, NOW_US, "home", outage(None), lines=lines)
        closed = OutageEvent(number, 2, EventKind.CLOSED, NOW_US, "home", outage(200),
                             detected_us=NOW_US, closed_known_us=NOW_US)  # fmt: skip
        tx.put_event(opened)
        tx.put_event(closed)
        tx.put_remark(Remark(number, RemarkKind.ACK, NOW_US, "anna", "operator", "peer", "on it"))
        entry = ExclusionEntry("m-1", EntryKind.DECLARED, NOW_US, "anna", "operator", "peer", "d")
        tx.put_exclusion_entry(entry)
        facts = b'{"contract":"gold","manifest":"%s"}' % named.encode()
        tx.put_claim_event(ClaimEvent(1, 1, "create", NOW_US, "anna", "admin", "peer", facts=facts))
        files = ((b"letter", "letter.txt"), (manifest, MANIFEST))
        tx.put_claim_files(
            [
                ClaimFile(1, n, name, hashlib.sha256(body).hexdigest(), len(body), zlib.compress(body))
                for n, (body, name) in enumerate(files)
            ]
        )  # fmt: skip
        report = IssuedReport(
            "gold", "2026-06", 1, 5, NOW_US, hashlib.sha256(b"{}").hexdigest(), b"{}"
        )
        tx.put_issued(report)
        tx.put_hold_event(
            HoldEvent(
                1, HoldKind.PLACED, NOW_US, "anna", "admin", "peer", "OUT-1", ("home",), 1, 2, "why"
            )
        )
        tx.put_counter(
            Counter("OUT-1", NOW_US, "bo", "auditor", "peer", "no", "f.json", 2, "00", b"{}")
        )
        run = Pruned(StreamId("nyc-1", "9f31c2d0", "shop"), 1, 2, 1, 9, 9, 100)
        tx.put_pruning(Pruning(1, NOW_US, NOW_US, 1, "13 months", [run]))
        witness = WITNESS.public_key().public_bytes_raw()
        tx.put_witness_key(WitnessKey("example.net/witness/fra-1", "fra-1", witness, NOW_US))
        for n in range(8):
            tx.record(Act(NOW_US, "anna", "admin", "fleet.apply", f"file {n}", "detail", "peer"))


def drop_triggers(storage: SqlStorage) -> None:
    """As whoever owns the database can."""
    with storage.transaction() as tx:
        run = tx.connection.execute
        if tx.connection.dialect.name == "sqlite":
            for name in (
                run(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            ):
                run(text(f"DROP TRIGGER {name}"))
            run(text("PRAGMA foreign_keys=OFF"))
        else:
            rows = run(
                text(
                    "SELECT DISTINCT tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal"
                )
            )
            for name, of in rows.all():
                run(text(f"DROP TRIGGER {name} ON {of}"))


def found(storage: SqlStorage, notary: LogNotary) -> list[str]:
    """What the check of the database says."""
    storage._names.forget()
    return [
        *_told(damages(storage)),
        *_told(faults(storage.transaction, notary.verifier)),
        *_told(fact_faults(storage.transaction)),
    ]


def changed(value: object) -> object:
    match value:
        case bool() | None:
            return value
        case bytes() if value:
            middle = len(value) // 2
            return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
        case str() if value:
            return value[:-1] + ("x" if value[-1] != "x" else "y")
        case int():
            return value + 1
    return value


@pytest.mark.parametrize("url", ["memory", "postgres"], indirect=True)
def test_a_bit_that_was_changed_in_any_column_of_evidence_is_found(
    kept: SqlStorage, notary: LogNotary
) -> None:
    assert found(kept, notary) == []
    missed: list[str] = []
    tried = 0
    with kept.transaction() as tx:
        is_postgres = tx.connection.dialect.name == "postgresql"
    for one in TABLES:
        rows = table(one)
        with kept.transaction() as tx:
            last = tx.connection.execute(select(rows)).mappings().all()[-1]
        for column in rows.columns:
            value = changed(last[column.name])
            if is_postgres and not isinstance(value, bytes):
                continue  # the same in both, and slower there
            if value == last[column.name] or (rows.name, column.name) in LEFT_OUT:
                continue
            its = [rows.c[key.name] == last[key.name] for key in rows.primary_key]
            now = [
                rows.c[key.name] == (value if key is column else last[key.name])
                for key in rows.primary_key
            ]
            try:
                with kept.transaction() as tx:
                    tx.connection.execute(update(rows).where(*its).values({column.name: value}))
            except ControllerError:
                continue  # the database has a rule against it
            tried += 1
            if not found(kept, notary):
                missed.append(f"{rows.name}.{column.name}")
            with kept.transaction() as tx:
                back = {column.name: last[column.name]}
                tx.connection.execute(update(rows).where(*now).values(back))
    assert missed == [], missed
    # Everything was put back: what was found each time was that one change, and no other before it.
    assert found(kept, notary) == []
    assert tried > (10 if is_postgres else 100)


@pytest.mark.parametrize("url", ["memory", "postgres"], indirect=True)
def test_a_row_that_was_taken_away_is_missed(kept: SqlStorage, notary: LogNotary) -> None:
    for one in TABLES:
        if one in (ForkedSealRow, CheckpointRow, StreamRow, ClaimFileRow, CosignatureRow):
            continue
        rows = table(one)
        with kept.transaction() as tx:
            last = dict(tx.connection.execute(select(rows)).mappings().all()[-1])
            its = [rows.c[key.name] == last[key.name] for key in rows.primary_key]
            tx.connection.execute(delete(rows).where(*its))
        assert found(kept, notary), rows.name
        with kept.transaction() as tx:
            tx.connection.execute(insert(rows).values(last))
    # Every row was put back: what was found each time was the one that was away.
    assert not found(kept, notary)


@pytest.mark.parametrize("url", ["memory"], indirect=True)
def test_a_value_of_another_kind_is_found_and_breaks_nothing(
    kept: SqlStorage, notary: LogNotary
) -> None:
    for one in (LeafRow, SealRow, FleetRevisionRow, ExclusionEntryRow, OutageRow, IssuedReportRow):
        rows = table(one)
        with kept.transaction() as tx:
            last = tx.connection.execute(select(rows)).mappings().all()[-1]
        its = [rows.c[key.name] == last[key.name] for key in rows.primary_key]
        for column in set(rows.columns) - set(rows.primary_key):
            if isinstance(last[column.name], bool | str | None):
                continue
            # SQLite takes text where numbers and bytes belong.
            with kept.transaction() as tx:
                words = update(rows).where(*its).values({column.name: text("'zz'")})
                tx.connection.execute(words)
            assert found(kept, notary), column
            with kept.transaction() as tx:
                back = {column.name: last[column.name]}
                tx.connection.execute(update(rows).where(*its).values(back))
    assert not found(kept, notary)


@pytest.mark.parametrize(
    "one",
    [ExclusionEntryRow, RemarkRow, OutageEventRow, ClaimEventRow, IssuedReportRow, ActRow, SealRow, AgentRow,
     FleetRevisionRow, CheckRevisionRow, OutageRow],
)  # fmt: skip
def test_a_row_that_was_slipped_in_is_named(
    one: type[Row], tmp_path: Path, notary: LogNotary
) -> None:
    storage = open_storage("sqlite://", notary=notary)
    fill(storage)
    rows = table(one)
    with storage.transaction() as tx:
        new = dict(tx.connection.execute(select(rows)).mappings().all()[-1])
        for key in {*(key.name for key in rows.primary_key), "revision"} & {*new} - {"stream_id"}:
            new[key] = changed(new[key])
        tx.connection.execute(insert(rows).values(new))
    assert found(storage, notary)
    storage.close()


def test_every_kind_of_leaf_is_compared_with_what_it_tells_of() -> None:
    in_other_ways = {LeafKind.SEAL, LeafKind.KEY, LeafKind.PRUNE}
    # Terms stand in the log alone; the file that they are of has a row and a leaf.
    in_no_row = {LeafKind.TERMS}
    assert {*NAMES} == {*LeafKind} - in_other_ways - in_no_row
    storage = open_storage("sqlite://")
    with storage.transaction() as tx:
        for kind in NAMES:
            assert len(tx.key_of(kind, "subject", {})) > 1
    storage.close()
