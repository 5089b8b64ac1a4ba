"""What was entered in the log when: each exclusion and each fleet file, before or after the outages that it concerns.

The order is that of the log, which nobody can change; the times are those that the log signed. Where an authority of
the annex vouches for a later head, an entry existed by then whatever the log says.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import Bundle
from controller.core.bundle.leaf_notes import LeafNote, leaf_notes
from controller.core.bundle.statements import Statement, passed
from controller.core.bundle.streams import tips
from controller.core.bundle.timestamps import Stamped
from controller.core.instants import instant, instant_text
from vedette.shared.checkpoint import parsed_inclusion

_NAMED_MAX: Final = 3

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Outage:
    """An outage: its first leaf, and its time; None: what its leaves say cannot be read."""

    handle: str
    index: int
    span: Span | None

    def __str__(self) -> str:
        return f"{self.handle} (leaf {self.index})"


def entry_statements(
    bundle: Bundle, claim: ClaimNote, stamped: Sequence[Stamped]
) -> Iterator[Statement]:
    """When each exclusion and each fleet file was entered. Proofs are checked already."""
    outages = _outages(bundle)
    last_seal = max(parsed_inclusion(bundle.read(proof)).index for _, proof in tips(claim.streams))
    by_id: dict[str, list[LeafNote]] = {}
    for leaf in leaf_notes(bundle, "exclusion"):
        by_id.setdefault(leaf.subject, []).append(leaf)
    for name, own in by_id.items():
        span = _covered(own[0])
        touched = [one for one in outages if _meet(one.span, span)]
        said = [f"Exclusion {_shown(name)} is {_entered(own[0], stamped)}"]
        if span is not None:
            said.append(_beside(own[0].at_us, span, "the time that it covers"))
        said += _order(own[0].index, touched, last_seal)
        said += [f"{_shown(str(one.data.get('kind')))} as leaf {one.index}" for one in own[1:]]
        yield passed(f"{', '.join(said)}.")
    about = "the outage" if claim.is_of_outage else "the period"
    for leaf in leaf_notes(bundle, "fleet", "terms"):
        said = [f"{_what(leaf)} is {_entered(leaf, stamped)}"]
        said.append(_beside(leaf.at_us, (claim.from_us, claim.to_us), about))
        yield passed(f"{', '.join([*said, *_order(leaf.index, outages, last_seal)])}.")


def _what(leaf: LeafNote) -> str:
    if leaf.kind == "fleet":
        return f"Fleet file {_shown(leaf.subject)} (rules and terms)"
    return f"What fleet file {leaf.data.get('fleet')} says of {_shown(leaf.subject)}"


def _outages(bundle: Bundle) -> list[_Outage]:
    """Every outage by its first leaf, with the time that its last leaf says."""
    by_handle: dict[str, list[LeafNote]] = {}
    for leaf in leaf_notes(bundle, "outage"):
        by_handle.setdefault(leaf.subject, []).append(leaf)
    return [_Outage(_shown(n), own[0].index, _lasted(own[-1])) for n, own in by_handle.items()]


def _lasted(leaf: LeafNote) -> Span | None:
    try:
        body = json.loads(leaf.data["body"])
        ended = body["ended_us"]
        return instant(body["started_us"]), 2**63 if ended is None else instant(ended)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _covered(leaf: LeafNote) -> Span | None:
    """The time that an exclusion covers; None where the leaf does not say: it was declared in a file."""
    try:
        body = leaf.declared
        return instant(body["from"]), instant(body["to"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _meet(one: Span | None, two: Span | None) -> bool:
    """They overlap, or it is not known whether they do."""
    return one is None or two is None or (one[0] < two[1] and two[0] < one[1])


def _entered(leaf: LeafNote, stamped: Sequence[Stamped]) -> str:
    said = f"leaf {leaf.index}, entered {instant_text(leaf.at_us)}"
    after = [(one.at_us, one.authority) for one in stamped if one.size > leaf.index]
    if not after:
        return said
    at_us, authority = min(after)
    return f"{said} (not after {instant_text(at_us)}, by {authority})"


def _beside(at_us: int, span: Span, what: str) -> str:
    if at_us < span[0]:
        return f"before {what} began"
    return f"during {what}" if at_us < span[1] else f"after {what} was over"


def _order(index: int, outages: Sequence[_Outage], last_seal: int) -> list[str]:
    """Where in the log something stands: against outages, and the last seal of the bundle."""
    said = []
    for word, some in (
        ("after", [one for one in outages if one.index < index]),
        ("before", [one for one in outages if one.index > index]),
    ):
        if len(some) > _NAMED_MAX:
            said.append(f"{word} {len(some)} outages")
        elif some:
            noun = "outage" if len(some) == 1 else "outages"
            said.append(f"{word} {noun} {' and '.join(map(str, some))}")
    if index > last_seal:
        said.append(f"after the last seal (leaf {last_seal})")
    return said


def _shown(text: str) -> str:
    """A name as it is, unless a terminal would obey it."""
    return text if text.isprintable() else repr(text)
