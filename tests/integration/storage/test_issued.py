"""Conformance of IssuedStore: reports are appended once and never changed; what is to be looked at is kept."""

from dataclasses import replace

import pytest

from controller.errors import ControllerError
from controller.ports.evidence import Segment
from controller.ports.fleet import FleetRevision
from controller.ports.issued import IssuedReport, Reopened, Retold
from controller.ports.remarks import Remark, RemarkKind
from controller.ports.storage import Storage
from controller.storage.database import SqlStorage, open_storage

FIRST = IssuedReport(
    contract="acme",
    label="2026-06",
    revision=1,
    as_of_us=1 << 50,
    issued_us=(1 << 50) + 1,
    sha256="ab" * 32,
    body=b'{"version":1}' * 1000,
    issued_by="ada",
    role="admin",
    reason="die Prüferin wünscht es",
    is_early=True,
    unheard=(("fra-1", 7), ("sin-1", None)),
)
SECOND = replace(FIRST, revision=2, as_of_us=FIRST.as_of_us + 5, body=b"{}", unheard=())
OTHER = replace(FIRST, contract="beta", is_early=False)


def test_s22_revisions_come_back_as_they_were_issued(storage: Storage) -> None:
    with storage.transaction() as tx:
        assert tx.last_issued_us() == 0
        assert all(tx.put_issued(one) for one in (FIRST, OTHER, SECOND))
    with storage.transaction() as tx:
        assert tx.issued("acme", "2026-06") == [FIRST, SECOND]
        assert tx.issued("acme", "2026-07") == []
        heads = [replace(one, body=b"") for one in (FIRST, SECOND, OTHER)]
        assert tx.issued_heads() == heads
        assert tx.issued_heads("beta") == heads[2:]
        assert tx.last_issued_us() == SECOND.as_of_us


def test_s21_a_start_finds_the_newest_instant_of_all_that_was_recorded(storage: Storage) -> None:
    with storage.transaction() as tx:
        assert tx.last_recorded_us() == 0
        tx.put_fleet(FleetRevision(1, b"a: b", "fleet.yaml", 7, "ada"), [])
        assert tx.last_recorded_us() == 7
        tx.put_remark(Remark(1, RemarkKind.ACK, 9, "ada", "admin", "192.0.2.1", ""))
        assert tx.last_recorded_us() == 9
        for first, received_us in ((1, 20), (2, 30)):
            segment = Segment("fra-1", "e", "", first, 1, b"{}\n", received_us)
            tx.append([segment], [], [], [], [], [])
        assert tx.last_recorded_us() == 30
        tx.put_issued(FIRST)
        assert tx.last_recorded_us() == FIRST.as_of_us


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_a_revision_comes_after_the_last_one_or_not_at_all(storage: Storage, revision: int) -> None:
    with storage.transaction() as tx:
        assert tx.put_issued(FIRST)
        assert not tx.put_issued(replace(SECOND, revision=revision))
        assert tx.issued("acme", "2026-06") == [FIRST]


@pytest.mark.parametrize(
    "statement", ["UPDATE issued_report SET sha256 = ''", "DELETE FROM issued_report"]
)
def test_what_was_issued_is_not_changed(storage: SqlStorage, statement: str) -> None:
    with storage.transaction() as tx:
        tx.put_issued(FIRST)
    with pytest.raises(ControllerError, match="only appended to"), storage.transaction() as tx:
        tx.connection.exec_driver_sql(statement)
    with storage.transaction() as tx:
        assert tx.issued("acme", "2026-06") == [FIRST]


def test_what_is_to_be_looked_at_outlives_the_process(kept_url: str) -> None:
    storage = open_storage(kept_url)
    with storage.transaction() as tx:
        assert (tx.retold(), tx.reopened(), tx.report_progress()) == ([], [], b"")
        tx.note_retold(Retold("b", 10, 20))
        tx.note_retold(Retold("b", 15, 30))
        tx.note_retold(Retold("b", 5, 7))
        tx.note_retold(Retold("a", 1, 2))
        tx.put_reopened(Reopened("acme", "2026-06"))
        tx.put_reopened(Reopened("acme", "2026-06", 9))
        tx.put_reopened(Reopened("beta", "2026-06"))
        tx.put_report_progress(b"{1}")
        tx.put_report_progress(b"{2}")
    storage.close()
    storage = open_storage(kept_url)
    with storage.transaction() as tx:
        assert tx.retold() == [Retold("a", 1, 2), Retold("b", 5, 30)]
        assert tx.reopened() == [Reopened("acme", "2026-06", 9), Reopened("beta", "2026-06")]
        assert tx.reopened("beta") == [Reopened("beta", "2026-06")]
        assert tx.report_progress() == b"{2}"
        tx.forget_retold("b")
        tx.forget_reopened("acme", "2026-06")
        assert tx.retold() == [Retold("a", 1, 2)]
        assert tx.reopened() == [Reopened("beta", "2026-06")]
    storage.close()
