"""Whether the exclusions that the figures rest on are those of the log: their time, and when they were declared (S-27)."""

from collections.abc import Iterator, Sequence

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import FLEET, Bundle
from controller.core.bundle.leaf_notes import LeafNote, leaf_notes
from controller.core.bundle.statements import Broken, Statement, not_checked, passed
from controller.core.fleet import Fleet
from controller.core.instants import instant, instant_text
from controller.core.sla.terms.exclusions import Exclusion, person


def declared_statements(bundle: Bundle, claim: ClaimNote, fleet: Fleet) -> Iterator[Statement]:
    """What holds of the exclusions in the fleet file of a bundle. Broken for one that the log contradicts."""
    if not fleet.exclusions:
        return
    has_terms = any(True for _ in leaf_notes(bundle, "terms"))
    entries: dict[str, list[LeafNote]] = {}
    for leaf in leaf_notes(bundle, "exclusion"):
        entries.setdefault(leaf.subject, []).append(leaf)
    unlogged: list[str] = []
    known = 0
    for name, exclusion in fleet.exclusions.items():
        own = entries.get(name, [])
        first = next((one for one in own if one.data.get("kind") == "declared"), None)
        if first is not None:
            _require_same(exclusion, first)
        _require_standing(name, own, claim)
        is_entered = first is not None or has_terms
        if not is_entered or not _are_approved(exclusion, own):
            unlogged.append(name)
        elif first is not None:
            known += 1
    if known:
        said = (
            "1 exclusion of {0} is as it was"
            if known == 1
            else "{1} exclusions of {0} are as they were"
        )
        yield passed(f"{said.format(FLEET, known)} declared in the log.")
    if unlogged:
        yield not_checked(
            f"Whether {_listed(unlogged)} of {FLEET} was declared and approved when it says: not all of that has a leaf"
            " in the log that is here. What a fleet file says is there by the hash of the file: ask to be shown the file."
        )


def _require_same(exclusion: Exclusion, leaf: LeafNote) -> None:
    """Broken unless type, time and declaration are those of the leaf. Which checks it is about may be told in part."""
    try:
        body = leaf.declared
        logged = body["type"], instant(body["from"]), instant(body["to"])
        declared_us = max(instant(body["declared_at"]), instant(leaf.data["at_us"]))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Broken(f"{leaf.name}: expected an exclusion as it was declared") from error
    if logged != (exclusion.type.value, *exclusion.interval):
        raise Broken(
            f"{FLEET}: exclusion {exclusion.id} is of another type or time than {leaf.name} declares"
        )
    if instant(exclusion.declared_at) != declared_us:
        raise Broken(
            f"{FLEET}: exclusion {exclusion.id} says that it was declared {instant_text(instant(exclusion.declared_at))};"
            f" by {leaf.name} it was {instant_text(declared_us)}"
        )


def _require_standing(name: str, own: Sequence[LeafNote], claim: ClaimNote) -> None:
    """Broken where an exclusion was withdrawn that had been declared by command."""
    is_declared = any(one.data.get("kind") == "declared" for one in own)
    for one in own if is_declared else ():
        at_us = one.data.get("at_us")
        is_known = isinstance(at_us, int) and at_us <= claim.as_of_us
        if is_known and one.data.get("kind") == "withdrawn":
            raise Broken(f"{FLEET}: exclusion {name} was withdrawn by {one.name}")


def _are_approved(exclusion: Exclusion, own: Sequence[LeafNote]) -> bool:
    """Everybody who is said to have approved it did so in the log."""
    said = {person(str(one.data.get("who"))) for one in own if one.data.get("kind") == "approved"}
    return set(map(person, exclusion.approved_by)) <= said


def _listed(names: Sequence[str]) -> str:
    noun = "exclusion" if len(names) == 1 else "exclusions"
    some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"{noun} {some}"
