"""What a bundle is about: a contract and a period, or one outage; and everything that follows from that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from controller.core.bundle import layout
from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.manifest import sha256_hex
from controller.core.policy import policy_of
from controller.ports.leaves import LeafKind
from vedette.shared.definitions import Check

# Clocks of agents may be off by minutes, and a line is sealed after it was made.
_MARGIN_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Subject:
    """What a bundle is about.

    `name` is what its claims have as subject in the log. `act` names it in the ledger, `title` in sentences. `claim`
    is what is claimed, streams left out; `files` are the figures. The lines of the services of `checks` belong to it,
    as far as [from_us, to_us) rests on them. `rules` say which leaves of the log do.
    """

    name: str
    act: tuple[str, str]
    title: str
    claim: ClaimNote
    files: Mapping[str, bytes]
    checks: Sequence[Check]
    from_us: int
    to_us: int
    rules: Sequence[tuple[LeafKind, str]]

    @property
    def sealed_us(self) -> tuple[int, int]:
        """The time whose seals belong to it."""
        around_us = _MARGIN_US + around(self.checks)
        return self.from_us - around_us, self.to_us + around_us


def around(checks: Sequence[Check]) -> int:
    """How far the rules look beyond a time, in microseconds."""
    return max(policy_of(check).around_us for check in checks)


def claimed(
    contract: str,
    revision: int,
    when: tuple[str, int, int],
    as_of_us: int,
    files: Mapping[str, bytes],
    *,
    check: str = "",
) -> ClaimNote:
    """What is claimed, streams left out. `when` is the period, or the handle and the time of the outage of `check`."""
    attainment = files.get(layout.ATTAINMENT)
    return ClaimNote(
        contract=contract,
        revision=revision,
        label=when[0],
        from_us=when[1],
        to_us=when[2],
        as_of_us=as_of_us,
        program=version("vedette"),
        tzdata=version("tzdata"),
        fleet_sha256=sha256_hex(files[layout.FLEET]),
        timeline_sha256=sha256_hex(files[layout.TIMELINE]),
        attainment_sha256=None if attainment is None else sha256_hex(attainment),
        supersedes=None,
        streams=(),
        check=check,
    )
