"""What an agent saw of the log is on disk before it says so, and what contradicts it is kept as proof."""

from pathlib import Path

import pytest

from agent.errors import Fatal
from agent.link.log_witness import VIEW_FILE, LogWitness, refusals_in, seen_in
from tests.unit.agent.test_log_view import leaves, offered
from vedette.shared.limits import REFUSED_HEADS_MAX

ORGANISATION = "example.net"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


def put_in_the_way(folder: Path) -> None:
    """A file where the folder belongs."""
    folder.write_text("no folder")


async def test_a_head_is_remembered_over_a_restart(folder: Path) -> None:
    assert LogWitness(folder, ORGANISATION).size == 0
    assert await LogWitness(folder, ORGANISATION).see(offered(leaves(3), 0)) == ""
    again = LogWitness(folder, ORGANISATION)
    assert again.size == 3
    assert await again.see(offered(leaves(8), 3)) == ""
    seen = seen_in(folder)
    assert seen is not None
    assert seen.size == 8
    assert not refusals_in(folder)


async def test_a_fork_is_refused_and_both_heads_are_kept(folder: Path) -> None:
    witness = LogWitness(folder, ORGANISATION)
    await witness.see(offered(leaves(3), 0))
    other = offered(leaves(8, "second"), 3)
    assert "begin with what it was" in await witness.see(other)
    assert (witness.size, witness.refused[:8]) == (3, "expected")
    assert [one.read_bytes() for one in refusals_in(folder)] == [other.note]
    # Once is enough, and the honest log is taken again.
    await witness.see(other)
    assert len(refusals_in(folder)) == 1
    assert await witness.see(offered(leaves(8), 3)) == ""
    assert (witness.size, witness.refused) == (8, "")


async def test_a_controller_that_signs_many_forks_fills_no_disk(folder: Path) -> None:
    witness = LogWitness(folder, ORGANISATION)
    await witness.see(offered(leaves(3), 0))
    for n in range(REFUSED_HEADS_MAX + 3):
        assert await witness.see(offered(leaves(8, f"history {n}"), 3))
    assert len(refusals_in(folder)) == REFUSED_HEADS_MAX


async def test_what_cannot_be_remembered_is_not_taken(folder: Path) -> None:
    witness = LogWitness(folder, ORGANISATION)
    put_in_the_way(folder)
    assert await witness.see(offered(leaves(3), 0)) == ""
    assert witness.size == 0


async def test_a_damaged_memory_is_not_taken_for_none(folder: Path) -> None:
    await LogWitness(folder, ORGANISATION).see(offered(leaves(3), 0))
    (folder / VIEW_FILE).write_text("{")
    with pytest.raises(Fatal, match=r"restore it, or remove the file"):
        LogWitness(folder, ORGANISATION)
