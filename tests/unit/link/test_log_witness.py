"""What an agent saw of the log is on disk before it says so, and what contradicts it is kept as proof."""

from pathlib import Path

import pytest

from agent.errors import Fatal
from agent.link.cosigning import KEY_FILE, USED_FILE, Cosigned, Cosigner, annex_line, witness_in
from agent.link.log_witness import VIEW_FILE, LogWitness, refusals_in, seen_in
from tests.fakes.clock import FakeClock
from tests.unit.agent.test_log_view import leaves, offered
from vedette.shared.limits import REFUSED_HEADS_MAX
from vedette.shared.note import cosigned_s, parsed_note

ORGANISATION = "example.net"
NAME = f"{ORGANISATION}/witness/acme-1"


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


def cosigner_in(folder: Path) -> Cosigner:
    """The witness whose state stands beside what it saw."""
    return Cosigner.opened(folder.parent, NAME, FakeClock())


def heads_signed(witness: LogWitness) -> Cosigned:
    assert witness.cosigned is not None
    return witness.cosigned


async def test_a_witness_signs_each_head_that_it_takes_after_remembering_it(folder: Path) -> None:
    cosigner = cosigner_in(folder)
    witness = LogWitness(folder, ORGANISATION, cosigner)
    for before, size in ((0, 3), (3, 8)):
        head = offered(leaves(size), before)
        assert await witness.see(head) == ""
        said = heads_signed(witness)
        seen = seen_in(folder)
        assert seen is not None
        assert said.size == seen.size == size
        assert said.public_key == cosigner.verifier.public_key
        at_s = cosigned_s(parsed_note(head.note + said.line), cosigner.verifier)
        assert at_s == FakeClock().wall_us() // 1_000_000


async def test_a_witness_never_signs_a_fork_nor_another_tree_of_a_size(folder: Path) -> None:
    witness = LogWitness(folder, ORGANISATION, cosigner_in(folder))
    await witness.see(offered(leaves(3), 0))
    for other in (
        offered(leaves(8, "second"), 3),
        offered(leaves(3, "second"), 3),
        offered(leaves(2), 3),
        offered(leaves(8), 2),
    ):
        assert await witness.see(other)
        assert witness.cosigned is None
    # Nor does it after a restart.
    again = LogWitness(folder, ORGANISATION, cosigner_in(folder))
    assert await again.see(offered(leaves(3, "second"), 3))
    assert again.cosigned is None
    assert await again.see(offered(leaves(8), 3)) == ""
    assert heads_signed(again).size == 8


async def test_what_cannot_be_remembered_is_not_signed(folder: Path) -> None:
    witness = LogWitness(folder, ORGANISATION, cosigner_in(folder))
    put_in_the_way(folder)
    assert await witness.see(offered(leaves(3), 0)) == ""
    assert witness.cosigned is None
    assert not (folder.parent / USED_FILE).exists()


async def test_an_agent_that_is_no_witness_signs_nothing(folder: Path) -> None:
    witness = LogWitness(folder, ORGANISATION)
    await witness.see(offered(leaves(3), 0))
    assert witness.cosigned is None
    assert witness_in(folder.parent, NAME) is None


async def test_a_witness_that_forgot_what_it_signed_does_not_go_on(folder: Path) -> None:
    # A key that signed nothing yet needs no memory.
    LogWitness(folder, ORGANISATION, cosigner_in(folder))
    witness = LogWitness(folder, ORGANISATION, cosigner_in(folder))
    await witness.see(offered(leaves(3), 0))
    (folder / VIEW_FILE).unlink()
    with pytest.raises(
        Fatal, match=r"could sign another history: restore it, or remove witness\.key"
    ):
        LogWitness(folder, ORGANISATION, cosigner_in(folder))
    for name in (KEY_FILE, USED_FILE):
        (folder.parent / name).unlink()
    LogWitness(folder, ORGANISATION, cosigner_in(folder))


def test_the_key_of_a_witness_is_made_once_and_is_nobody_elses_to_read(folder: Path) -> None:
    made = cosigner_in(folder).verifier
    path = folder.parent / KEY_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert cosigner_in(folder).verifier == made == witness_in(folder.parent, NAME)
    assert annex_line(made) == f"witness {NAME} {made.public_key.hex()}"
    for damaged in (b"", b"-----BEGIN PRIVATE KEY-----\n"):
        path.write_bytes(damaged)
        with pytest.raises(Fatal, match="it is damaged: restore it"):
            cosigner_in(folder)
