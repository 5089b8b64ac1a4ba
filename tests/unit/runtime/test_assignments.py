from pathlib import Path

import pytest

from agent.errors import Fatal
from agent.ports import AssignedCheck, Assignment
from agent.runtime.assignments import StoredAssignment

ASSIGNMENT = Assignment("r1", (AssignedCheck('{"id":"häuschen"}'.encode(), "d1"),))


def test_what_is_stored_comes_back_byte_for_byte(tmp_path: Path) -> None:
    stored = StoredAssignment(tmp_path / "assignment.json")
    assert stored.load() is None
    stored.save(Assignment("r0"))
    stored.save(ASSIGNMENT)
    assert stored.load() == ASSIGNMENT
    assert [path.name for path in tmp_path.iterdir()] == ["assignment.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b'{"version":2,"revision":"","checks":[]}']
)
def test_what_cannot_be_used_is_as_if_it_were_not_there(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "assignment.json"
    path.write_bytes(content)
    assert StoredAssignment(path).load() is None


def test_a_disk_that_does_not_take_it_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match=r"could not be stored in .*: No such file or directory"):
        StoredAssignment(tmp_path / "none" / "assignment.json").save(ASSIGNMENT)


def test_a_definition_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    broken = Assignment("r1", (AssignedCheck(b"\xff", "d"),))
    with pytest.raises(Fatal, match="Assignment r1 is not text"):
        StoredAssignment(tmp_path / "assignment.json").save(broken)
