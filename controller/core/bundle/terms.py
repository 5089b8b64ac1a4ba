"""Whether the contract in the fleet file of a bundle, and the exclusions in it, are those that the log has.

Softer terms, or an exclusion that nobody declared, would be in no leaf; what was entered late shows by its place.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import FLEET, Bundle
from controller.core.bundle.leaf_notes import LeafNote, leaf_notes
from controller.core.bundle.statements import Broken, Statement, incomplete, passed
from controller.core.fleet import Fleet
from controller.core.instants import instant, instant_text
from controller.core.sla.terms.exclusions import Exclusion


def terms_statements(bundle: Bundle, claim: ClaimNote, fleet: Fleet) -> Iterator[Statement]:
    """What holds of the terms in the fleet file of a bundle. Broken where the log has others."""
    known = [
        one
        for one in leaf_notes(bundle, "terms")
        if one.subject == claim.contract and _applied_us(one) <= claim.as_of_us
    ]
    if not known:
        yield incomplete(
            f"The terms of {claim.contract} in {FLEET} are the controller's word: no leaf of the log that was entered"
            " before the claim says what they were."
        )
        return
    last = known[-1]
    if _plain(fleet.document.data.get("contracts")) != _terms(last, "contracts"):
        raise Broken(f"{FLEET} says of contract {claim.contract} what {last.name} does not")
    yield passed(
        f"The terms of {claim.contract} are those of {last.name}, entered {instant_text(last.at_us)}."
    )
    by_command = {
        leaf.subject
        for leaf in leaf_notes(bundle, "exclusion")
        if leaf.data.get("kind") == "declared"
    }
    in_files = [one for name, one in fleet.exclusions.items() if name not in by_command]
    for one in in_files:
        _require_declared(one, known)
    if in_files:
        names = ", ".join(one.id for one in in_files[:8]) + (", ..." if len(in_files) > 8 else "")
        yield passed(f"Exclusions that a fleet file declared are those of {last.name}: {names}.")


def _require_declared(exclusion: Exclusion, known: Sequence[LeafNote]) -> None:
    """Broken unless the last terms have it so, and it does not claim to be older than the first that do.

    What the first leaf of all has may have been declared before there was one.
    """
    having = [one for one in known if _has(one, exclusion)]
    if known[-1] not in having:
        raise Broken(f"{FLEET} has exclusion {exclusion.id}, which {known[-1].name} has not so")
    first = having[0]
    if first is not known[0] and instant(exclusion.declared_at) < _applied_us(first):
        raise Broken(
            f"{FLEET}: exclusion {exclusion.id} says that it was declared"
            f" {instant_text(instant(exclusion.declared_at))}; {first.name} has it first, from"
            f" {instant_text(_applied_us(first))} on"
        )


def _has(leaf: LeafNote, exclusion: Exclusion) -> bool:
    for one in _terms(leaf, "exclusions"):
        try:
            said = one["type"], instant(one["from"]), instant(one["to"])
        except (KeyError, TypeError, ValueError) as error:
            raise Broken(f"{leaf.name}: expected exclusions with type and time") from error
        if one.get("id") == exclusion.id and said == (exclusion.type.value, *exclusion.interval):
            return True
    return False


def _terms(leaf: LeafNote, what: str) -> list[Any]:
    terms = leaf.data.get("terms")
    found = terms.get(what) if isinstance(terms, Mapping) else None
    if not isinstance(found, list):
        raise Broken(f"{leaf.name}: expected terms, with a list of {what}")
    return found


def _applied_us(leaf: LeafNote) -> int:
    applied_us = leaf.data.get("applied_us")
    if not isinstance(applied_us, int):
        raise Broken(f"{leaf.name}: expected when the file was applied")
    return applied_us


def _plain(said: object) -> object:
    """As it comes back from a leaf."""
    return json.loads(json.dumps(said))
