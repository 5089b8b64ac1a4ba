"""Damage is found, and named with its place; losses that agents reported are no damage."""

import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from controller.ports.evidence import Segment
from controller.storage.damage import damages
from controller.storage.database import SqlStorage, open_storage

SHOP = "stream 'shop' epoch e1 of agent fra-1"


def segment(first_seq: int, count: int, lost: int = 0, agent: str = "fra-1") -> Segment:
    lines = b"".join(b"%d\n" % seq for seq in range(first_seq, first_seq + count))
    return Segment(agent, "e1", "shop", first_seq, count, lines, 77, lost)


@pytest.fixture
def filled(storage: SqlStorage) -> SqlStorage:
    """Two streams: with a loss between, one that was found after all, and one at the end."""
    with storage.transaction() as tx:
        tx.append([segment(1, 3), segment(4, 3), segment(10, 2, lost=3)], [], [], [], [])
        tx.append([segment(8, 1), segment(17, 0, lost=5)], [], [], [], [])
        tx.append([segment(1, 2, agent="nyc-1")], [], [], [], [])
    return storage


def execute(storage: SqlStorage, statement: str, **values: Any) -> None:
    with storage.transaction() as tx:
        tx.connection.execute(text(statement), values)


def test_losses_that_were_reported_are_no_damage(filled: SqlStorage) -> None:
    assert list(damages(filled)) == []


def test_a_segment_that_is_gone_is_named(filled: SqlStorage) -> None:
    execute(filled, "DELETE FROM segment WHERE first_seq = 4")
    found = list(damages(filled))
    assert found == [
        f"Of {SHOP}: 9 lines were kept, 6 are there; nothing stands at 4 to 7, 12 to 16."
    ]


def test_the_last_segment_is_missed_too(filled: SqlStorage) -> None:
    execute(filled, "DELETE FROM segment WHERE first_seq = 10")
    assert list(damages(filled)) == [
        f"Of {SHOP}: 9 lines were kept, 7 are there; nothing stands at 7 to 7, 9 to 16."
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"flipped", "they cannot be unpacked ("),
        (zlib.compress(b"4\n5\n"), "expected 3 lines, found 2."),
        (zlib.compress(b"4\n5\n\n6"), "expected 3 lines, found 3."),
    ],
)
def test_lines_that_are_not_what_they_were_are_named(
    filled: SqlStorage, body: bytes, problem: str
) -> None:
    execute(filled, "UPDATE segment SET body = :body WHERE first_seq = 4", body=body)
    (found,) = damages(filled)
    assert found.startswith(f"Lines 4 to 6 of {SHOP}: {problem}")


def test_lines_that_stand_twice_are_named(filled: SqlStorage) -> None:
    with filled.transaction() as tx:
        tx.append([segment(5, 1)], [], [], [], [])
    assert list(damages(filled)) == [f"Lines 5 to 6 of {SHOP}: they stand in two segments."]


def test_lines_after_the_end_of_a_stream_are_named(filled: SqlStorage) -> None:
    execute(filled, "UPDATE stream SET seq = 10 WHERE agent = 'fra-1'")
    assert list(damages(filled)) == [f"Lines 11 to 11 of {SHOP}: the stream ends before them."]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "vedette.db"
    storage = open_storage(f"sqlite:///{path}")
    with storage.transaction() as tx:
        tx.append([segment(n * 4096 + 1, 4096) for n in range(100)], [], [], [], [])
    storage.close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


def test_a_page_that_was_overwritten_is_found(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8192] = bytes(8192)
    path.write_bytes(data)
    storage = open_storage(f"sqlite:///{path}")
    found = list(damages(storage))
    storage.close()
    assert found
    assert any("database file" in one or "not usable" in one for one in found)
