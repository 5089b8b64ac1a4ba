"""The exclusions that were known at an instant: those of the fleet file, and those of the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from controller.core.fleet import Fleet
from controller.core.sla.terms.exclusions import Declaration, Exclusion, Source
from controller.ports.exclusions import EntryKind, ExclusionEntry
from vedette.shared.documents import Problem


@dataclass(frozen=True, slots=True)
class Declared:
    """An exclusion with all that people did to it by command, the oldest first."""

    declaration: Declaration
    entries: tuple[ExclusionEntry, ...]


def declared(
    fleet: Fleet, logged: Mapping[str, int], entries: Sequence[ExclusionEntry]
) -> list[Declared]:
    """Every exclusion: those of the file in its order, then those of the ledger as they were declared.

    An approval counts for the type, time and scope that were approved, and for no other.
    """
    by_id: dict[str, list[ExclusionEntry]] = {}
    for entry in entries:
        by_id.setdefault(entry.exclusion, []).append(entry)
    found = [
        folded(one, Source.FILE, logged.get(one.id), by_id.get(one.id, []))
        for one in fleet.exclusions.values()
    ]
    for own in by_id.values():
        first = own[0]
        if first.kind is EntryKind.DECLARED:
            source = Source.CALENDAR if first.uid else Source.COMMAND
            found.append(folded(exclusion_in(first.body), source, first.at_us, own))
    return found


def folded(
    exclusion: Exclusion,
    source: Source,
    logged_us: int | None,
    entries: Sequence[ExclusionEntry],
) -> Declared:
    """One exclusion with the entries that name it."""
    digest = exclusion.digest() if entries else ""
    approvals = [
        one.who for one in entries if one.kind is EntryKind.APPROVED and one.digest == digest
    ]
    withdrawn = [one.at_us for one in entries if one.kind is EntryKind.WITHDRAWN]
    made = Declaration(
        exclusion,
        source,
        logged_us,
        tuple(approvals),
        withdrawn[0] if withdrawn and source is not Source.FILE else None,
    )
    return Declared(made, tuple(entries))


def clashes(fleet: Fleet, entries: Sequence[ExclusionEntry]) -> list[Problem]:
    """The exclusions of a file whose ids people gave to others by command: an id is given once."""
    taken = {one.exclusion for one in entries if one.kind is EntryKind.DECLARED}
    expected = "an id of its own: one was declared by command under this one"
    found = fleet.document.data.get("exclusions", ()) if taken else ()
    return [
        fleet.document.problem(("exclusions", place, "id"), expected, repr(item["id"]))
        for place, item in enumerate(found)
        if item["id"] in taken
    ]


@lru_cache(maxsize=32_768)
def exclusion_in(body: bytes) -> Exclusion:
    """The exclusion that was declared with that body."""
    return msgspec.json.decode(body, type=Exclusion)
