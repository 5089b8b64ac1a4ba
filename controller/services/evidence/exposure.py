"""How far the log is fixed by others: authorities that stamped it, and witnesses that another party runs."""

from dataclasses import dataclass

from controller.ports.storage import Transaction
from controller.services.evidence.witnesses import organisation_of, parties_of


@dataclass(frozen=True, slots=True)
class Exposure:
    """How far the log is fixed from outside: up to `size` leaves since `at_us`, of `leaves` that there are.

    What was entered later could still be rewritten by whoever holds the log's key, but for what agents remember.
    """

    leaves: int
    size: int = 0
    at_us: int | None = None


def exposure_of(tx: Transaction) -> Exposure:
    """How far the log is fixed from outside.

    A witness that the controller's operator runs fixes nothing; nor does a message that nobody may have kept.
    """
    parties = parties_of(tx)
    others = {
        key.name
        for key in tx.witness_keys()
        if parties.get(key.agent, "") not in ("", organisation_of(key))
    }
    fixed = [(one.size, one.at_us) for one in tx.timestamps()]
    fixed += [(one.size, one.at_us) for one in tx.newest_cosignatures() if one.witness in others]
    leaves = tx.log_size()
    if not fixed:
        return Exposure(leaves)
    size = max(size for size, _ in fixed)
    return Exposure(leaves, size, min(at_us for one, at_us in fixed if one == size))
