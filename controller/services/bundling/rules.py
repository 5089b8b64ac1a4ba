"""The leaves of the log that say what was in force: files, checks, exclusions, outages, reports, keys of agents."""

from collections.abc import Iterable, Iterator, Sequence

from controller.core.bundle.claim_note import Sealed
from controller.ports.leaves import LeafKind
from controller.ports.storage import Transaction
from controller.services.contracts.claim_basis import Figures


def rule_leaves(
    tx: Transaction, found: Figures, streams: Sequence[Sealed], size: int
) -> Sequence[int]:
    """The places below `size` of every leaf that moved these figures, in order."""
    places = {
        leaf.index
        for kind, subject in _subjects(tx, found, streams)
        for leaf in tx.leaves_about(kind, subject)
    }
    return sorted(place for place in places if place < size)


def _subjects(
    tx: Transaction, found: Figures, streams: Iterable[Sealed]
) -> Iterator[tuple[LeafKind, str]]:
    contract, period = found.agreed.contract, found.period
    applied = [one for one in tx.fleets() if one.applied_us <= found.horizon_us]
    before = [one for one in applied if one.applied_us <= found.seen.from_us]
    for fleet in [*before[-1:], *applied[len(before) :]]:
        yield LeafKind.FLEET, str(fleet.number)
    for check in contract.scope.members:
        yield LeafKind.CHECK, check
        for outage in tx.outages(check, found.seen.from_us, found.seen.to_us):
            yield LeafKind.OUTAGE, outage.handle
            yield LeafKind.REMARK, outage.handle
    for one in found.agreed.declared:
        yield LeafKind.EXCLUSION, one.exclusion.id
    yield LeafKind.REPORT, f"{contract.first.id} {period.label}"
    for agent in sorted({one.stream.agent for one in streams}):
        yield LeafKind.KEY, agent
