"""The leaves of the log that say what was in force: files, checks, exclusions, outages, reports, keys of agents."""

import json
from collections.abc import Iterator, Mapping, Sequence

from controller.core.bundle import layout
from controller.core.bundle.claim_note import Sealed
from controller.ports.leaves import Leaf, LeafKind
from controller.ports.seals import StreamId
from controller.ports.storage import Transaction
from controller.services.bundling.heads import ShownHeads
from controller.services.bundling.subject import Subject


def rule_leaves(
    tx: Transaction, subject: Subject, streams: Sequence[Sealed], shown: ShownHeads
) -> Sequence[int]:
    """The places of every leaf that moved what is claimed, or has the key of a witness, in order."""
    agents = sorted({one.stream.agent for one in streams})
    keys = [(LeafKind.KEY, name) for name in (*agents, *shown.witnesses)]
    pruned = [(LeafKind.PRUNE, about) for about in sorted(_prunings(tx, streams))]
    places = {
        leaf.index
        for kind, about in [*subject.rules, *keys, *pruned]
        for leaf in tx.leaves_about(kind, about)
    }
    return sorted(place for place in places if place < shown.last.size)


def _prunings(tx: Transaction, streams: Sequence[Sealed]) -> set[str]:
    """The acts that dropped lines under these seals."""
    return {
        f"PRUNE-{number}"
        for one in streams
        for number, run in tx.pruned(StreamId(*one.stream))
        if run.first_seal <= one.last and one.first <= run.last_seal
    }


def definitions_of(tx: Transaction, subject: Subject) -> Mapping[str, bytes]:
    """Every definition that the checks of a subject ever had, by its SHA-256."""
    names = {check.id for check in subject.checks}
    return {one.digest: one.definition for one in tx.check_revisions() if one.check in names}


def rule_files(
    leaf: Leaf, note: bytes, definitions: Mapping[str, bytes]
) -> Iterator[tuple[str, bytes]]:
    """The note of a leaf, and the definition that it put in force if it is the revision of a check."""
    yield layout.config_note(leaf.index), note
    if leaf.kind is LeafKind.CHECK:
        said = note.partition(b"\ndata ")[2].partition(b"\n")[0]
        if definition := definitions.get(json.loads(said)["digest"]):
            yield layout.config_definition(leaf.index), definition


def fleets_in_force(tx: Transaction, from_us: int, to_us: int) -> Iterator[tuple[LeafKind, str]]:
    """The files that were in force in [from_us, to_us]."""
    applied = [one for one in tx.fleets() if one.applied_us <= to_us]
    before = [one for one in applied if one.applied_us <= from_us]
    for fleet in [*before[-1:], *applied[len(before) :]]:
        yield LeafKind.FLEET, str(fleet.number)
