"""What a verifier says: statements, each of which holds, does not hold, lacks something, or was not looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Holds(StrEnum):
    """Whether a statement holds."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    INCOMPLETE = "INCOMPLETE"
    NOT_CHECKED = "NOT CHECKED"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, in words."""

    holds: Holds
    text: str

    def __str__(self) -> str:
        return f"{self.holds.value:<11}  {self.text}"


class Broken(Exception):
    """Something does not hold. The text says what was expected, what was found, and in which file."""


def passed(text: str) -> Statement:
    """It holds."""
    return Statement(Holds.PASS, text)


def failed(text: str) -> Statement:
    """It does not."""
    return Statement(Holds.FAIL, text)


def incomplete(text: str) -> Statement:
    """Something that belongs to it is not there, and the bundle says so: what hangs on it nobody can check."""
    return Statement(Holds.INCOMPLETE, text)


def not_checked(text: str) -> Statement:
    """Nobody looked, or nobody can."""
    return Statement(Holds.NOT_CHECKED, text)


def exit_code(statements: Iterable[Statement]) -> int:
    """0 if everything that was looked at holds and all that can be was; 1 if something does not; 2 if something is missing."""
    found = {one.holds for one in statements}
    if Holds.FAIL in found:
        return 1
    return 0 if Holds.PASS in found and Holds.INCOMPLETE not in found else 2
