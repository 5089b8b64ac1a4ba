"""A claim as a document for programs. Its instants are integer microseconds."""

from typing import Any

import msgspec

from controller.core.sla.claims.claims import Claim, ClaimAct


def claim_document(claim: Claim) -> dict[str, Any]:
    """The claim: what it is about, how far it is, and what was done to it, the oldest first."""
    return {
        "claim": claim.handle,
        "state": claim.state,
        **msgspec.to_builtins(claim.facts),
        "supersedes": _handle(claim.facts.supersedes),
        "superseded_by": _handle(claim.superseded_by),
        "accepted": claim.accepted,
        "settled": claim.settled,
        "history": [_act(one) for one in claim.acts],
    }


def _act(act: ClaimAct) -> dict[str, Any]:
    return {
        "action": act.action,
        "at": act.at_us,
        "who": act.who,
        "role": act.role,
        "from": act.peer,
        "reason": act.reason,
        "amount": act.amount,
        "late": act.late,
        "by_claim": _handle(act.by_claim),
    }


def _handle(number: int) -> str | None:
    return f"CLM-{number}" if number else None
