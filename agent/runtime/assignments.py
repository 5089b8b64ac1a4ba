"""The last assignment on disk, so that a restart without the controller goes on with it.

Its secrets stay sealed: only this agent's sealing key opens them.
"""

from pathlib import Path
from typing import Final

import msgspec

from agent.errors import Fatal
from agent.files import replace
from agent.ports import AssignedCheck, Assignment, SealedSecret

_VERSION: Final = 1


class _Check(msgspec.Struct):
    digest: str
    definition: str


class _Secret(msgspec.Struct):
    name: str
    version: int
    sealed: bytes


class _File(msgspec.Struct):
    version: int
    revision: str
    checks: list[_Check]
    secrets: list[_Secret] = []
    anchors: list[str] = []
    anchor_interval_us: int = 0
    place: int = 0


class StoredAssignment:
    """The file that holds the last assignment."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Assignment | None:
        """The stored assignment; None if there is none or it is damaged: the controller sends it again."""
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        except OSError as error:
            raise Fatal(f"{self._path} cannot be read: {error.strerror or error}.") from error
        if found.version != _VERSION:
            return None
        checks = tuple(AssignedCheck(c.definition.encode(), c.digest) for c in found.checks)
        secrets = tuple(SealedSecret(s.name, s.version, s.sealed) for s in found.secrets)
        anchors = tuple(text.encode() for text in found.anchors)
        return Assignment(
            found.revision, checks, secrets, anchors, found.anchor_interval_us, found.place
        )

    def save(self, assignment: Assignment) -> None:
        """Put `assignment` in place, durably. Fatal if the disk does not take it."""
        try:
            checks = [_Check(c.digest, c.definition.decode()) for c in assignment.checks]
            secrets = [_Secret(s.name, s.version, s.sealed) for s in assignment.secrets]
            anchors = [text.decode() for text in assignment.anchors]
            file = _File(
                _VERSION, assignment.revision, checks, secrets, anchors,
                assignment.anchor_interval_us, assignment.place,
            )  # fmt: skip
            content = msgspec.json.encode(file)
            replace(self._path, content)
        except OSError as error:
            raise Fatal(
                f"The assignment could not be stored in {self._path}: {error.strerror or error}."
            ) from error
        except UnicodeDecodeError as error:
            raise Fatal(f"Assignment {assignment.revision} is not text: {error.reason}.") from error
