"""Fleet files as they were applied, and the revisions of checks in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class FleetRevision:
    """A fleet file as it was applied, byte for byte."""

    number: int
    text: bytes
    file_name: str
    applied_us: int
    applied_by: str


@dataclass(frozen=True, slots=True)
class CheckRevision:
    """A check definition in force from `effective_us` until the next one of the same check.

    `definition` is empty where the check is retired.
    """

    check: str
    digest: str
    definition: bytes
    effective_us: int


@dataclass(frozen=True, slots=True)
class TermsRevision:
    """What a fleet file says of a contract, as plain data (`fleet_excerpt.terms_excerpt`)."""

    contract: str
    fleet: int
    applied_us: int
    terms: Mapping[str, Any]


class FleetStore(Protocol):
    """Fleet files and the check revisions that they made."""

    def fleet(self, number: int | None = None) -> FleetRevision | None:
        """The file in force, or the one of that number."""
        ...

    def fleets(self, after: int = 0) -> Sequence[FleetRevision]:
        """Every file that was applied with a greater number, in order."""
        ...

    def put_fleet(self, fleet: FleetRevision, checks: Sequence[CheckRevision]) -> None:
        """Put a file and the revisions that it changes in force."""
        ...

    def put_terms(self, terms: TermsRevision) -> None:
        """Enter in the log what a file that was just put in force says of a contract. It stands in no table."""
        ...

    def check_revisions(self) -> Sequence[CheckRevision]:
        """Every revision of every check, by check and effective time."""
        ...
