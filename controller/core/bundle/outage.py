"""Whether an outage is what the log and the lines say of it: begin, end and downtime."""

import json
from typing import NamedTuple

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import TIMELINE, Bundle
from controller.core.bundle.leaf_notes import LeafNote, leaf_notes
from controller.core.bundle.statements import Broken, Statement, failed, not_checked, passed
from controller.core.instants import instant_text, length_text
from controller.core.replay import Replay


class Extent(NamedTuple):
    """When an outage began and ended (None: it had not), and how long it was down, in microseconds."""

    from_us: int
    to_us: int | None
    downtime_us: int

    def __str__(self) -> str:
        end = "still open" if self.to_us is None else f"to {instant_text(self.to_us)}"
        return (
            f"from {instant_text(self.from_us)} {end}, {length_text(self.downtime_us)} of downtime"
        )


def extent_in(document: Replay, claim: ClaimNote) -> Extent | None:
    """The outage of the claim, by when it began, as a document has it; None: it does not."""
    check = document.checks.get(claim.check)
    for one in check.outages if check is not None else ():
        if one.started_at == claim.from_us:
            return Extent(one.started_at, one.ended_at, one.downtime)
    return None


def outage_statement(bundle: Bundle, claim: ClaimNote, document: Replay) -> Statement:
    """The outage of the timeline is the one that the claim and the log name."""
    said = extent_in(document, claim)
    if said is None:
        return failed(
            f"{TIMELINE} has no outage of {claim.check} from {instant_text(claim.from_us)}."
        )
    if (said.to_us or claim.as_of_us) != claim.to_us:
        return failed(f"{claim.label} is another time in {TIMELINE} than the claim says.")
    leaf = _leaf(bundle, claim)
    if leaf is None:
        return not_checked(
            f"{claim.label} ({said}) by what the log has: revision {claim.revision} of it is no leaf in config/."
        )
    logged = _logged(leaf)
    # While it lasts, downtime goes on: the leaf has what it was when it was entered.
    if logged != said and not (logged.to_us is None and logged[:2] == said[:2]):
        return failed(f"{TIMELINE} has {claim.label} {said}; by {leaf.name} it was {logged}.")
    return passed(
        f"{claim.label} ({said}) is what revision {claim.revision} of it says, leaf {leaf.index} of the log, entered"
        f" {instant_text(leaf.at_us)}."
    )


def _leaf(bundle: Bundle, claim: ClaimNote) -> LeafNote | None:
    """The leaf of the outage as the claim has it."""
    for one in leaf_notes(bundle, "outage"):
        if one.subject == claim.label and one.data.get("revision") == claim.revision:
            return one
    return None


def _logged(leaf: LeafNote) -> Extent:
    try:
        body = json.loads(leaf.data["body"])
        found = Extent(body["started_us"], body["ended_us"], body["downtime_us"])
        if not all(isinstance(one, int) for one in (found[0], found[2], found[1] or 0)):
            raise ValueError("expected integer microseconds")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Broken(f"{leaf.name}: expected begin, end and downtime of an outage") from error
    return found
