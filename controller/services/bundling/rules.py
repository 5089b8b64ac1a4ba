"""The leaves of the log that say what was in force: files, checks, exclusions, outages, reports, keys of agents."""

from collections.abc import Iterator, Sequence

from controller.core.bundle.claim_note import Sealed
from controller.ports.leaves import LeafKind
from controller.ports.storage import Transaction
from controller.services.bundling.subject import Subject


def rule_leaves(
    tx: Transaction, subject: Subject, streams: Sequence[Sealed], size: int
) -> Sequence[int]:
    """The places below `size` of every leaf that moved what is claimed, in order; earlier claims among them."""
    keys = [(LeafKind.KEY, agent) for agent in sorted({one.stream.agent for one in streams})]
    places = {
        leaf.index
        for kind, about in [*subject.rules, *keys]
        for leaf in tx.leaves_about(kind, about)
    }
    return sorted(place for place in places if place < size)


def fleets_in_force(tx: Transaction, from_us: int, to_us: int) -> Iterator[tuple[LeafKind, str]]:
    """The files that were in force in [from_us, to_us]."""
    applied = [one for one in tx.fleets() if one.applied_us <= to_us]
    before = [one for one in applied if one.applied_us <= from_us]
    for fleet in [*before[-1:], *applied[len(before) :]]:
        yield LeafKind.FLEET, str(fleet.number)
