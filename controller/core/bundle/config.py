"""Verifying config/: leaves of the log that were in force, the definitions that they name, and earlier claims.

The definition of a check (`config/<leaf>.json`, its canonical bytes) belongs to the leaf of its revision, which has
its SHA-256. A claim that stands in place of an earlier one names its SHA-256, and the earlier one stands here.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from controller.core.bundle.claim_note import KIND, BadClaim, ClaimNote, parsed_claim
from controller.core.bundle.layout import (
    ATTAINMENT,
    CLAIM,
    FLEET,
    TIMELINE,
    Bundle,
    config_definition,
    config_note,
    config_proof,
)
from controller.core.bundle.leaf_notes import leaf_notes
from controller.core.bundle.log import leaf_index
from controller.core.bundle.manifest import sha256_hex
from controller.core.bundle.statements import Broken, Statement, passed
from controller.core.instants import instant_text
from vedette.shared.checkpoint import Checkpoint
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.note import BadNote, Verifier, opened_note

_FILE: Final = re.compile(r"config/([0-9]+)\.[a-z-]+")
_BUNDLE_CLAIM: Final = re.compile(rf"{KIND}\n(?:contract|outage) ")


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A claim that stood before: its place in the log, its SHA-256, and what it says."""

    index: int
    sha256: str
    claim: ClaimNote


def config_statements(
    bundle: Bundle,
    claim: ClaimNote,
    place: int,
    known: Mapping[int, Checkpoint],
    log: Verifier,
) -> Iterator[Statement]:
    """What holds of config/, the claim being leaf `place`. Broken where something does not."""
    numbers = {int(match[1]) for name in bundle.names() if (match := _FILE.fullmatch(name))}
    earlier: list[_Earlier] = []
    kinds: Counter[str] = Counter()
    for number in sorted(numbers):
        note, text = _opened(bundle, number, known, log)
        kinds[text.partition("/")[0].removeprefix("vedette.")] += 1
        if _BUNDLE_CLAIM.match(text):
            earlier.append(_Earlier(number, sha256_hex(note), _claim(number, text)))
    _require_definitions(bundle, numbers)
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    yield passed(f"{len(numbers)} leaves in config/ are in the log, each as numbered: {said}.")
    yield from _superseded(claim, place, earlier)


def _opened(
    bundle: Bundle, number: int, known: Mapping[int, Checkpoint], log: Verifier
) -> tuple[bytes, str]:
    """A note and its text: signed by the log, and in it where its name says."""
    name, proof = config_note(number), config_proof(number)
    try:
        note = bundle.read(name)
        text = opened_note(note, [log], bytes_max=BUNDLE_NOTE_BYTES_MAX)
    except KeyError as error:
        raise Broken(f"{name} is missing") from error
    except BadNote as error:
        raise Broken(f"{name}: {error}") from error
    if (found := leaf_index(bundle, note, proof, known)) != number:
        raise Broken(f"{name} is leaf {found} of the log")
    return note, text


def _require_definitions(bundle: Bundle, numbers: set[int]) -> None:
    """Every revision of a check has its definition beside it, and nothing else has one."""
    digests = {one.index: one.data.get("digest") for one in leaf_notes(bundle, "check")}
    for number in sorted(numbers):
        name, digest = config_definition(number), digests.get(number)
        if not digest and bundle.has(name):
            raise Broken(f"{name} belongs to no revision of a check")
        if digest and not bundle.has(name):
            raise Broken(f"{name} is missing: what {config_note(number)} put in force")
        if digest and sha256_hex(bundle.read(name)) != digest:
            raise Broken(f"{name} is not the definition that {config_note(number)} names")


def _claim(number: int, text: str) -> ClaimNote:
    try:
        return parsed_claim(text)
    except BadClaim as error:
        raise Broken(f"{config_note(number)}: {error}") from error


def _superseded(claim: ClaimNote, place: int, earlier: list[_Earlier]) -> Iterator[Statement]:
    """The claim stands in place of the last one before it about the same, which is here; and what it says otherwise."""
    before = [one for one in earlier if one.index < place and _about(one.claim) == _about(claim)]
    if not before and claim.supersedes is None:
        return
    last = before[-1] if before else None
    if last is None or last.sha256 != claim.supersedes:
        expected = claim.supersedes or "none"
        found = "no such note" if last is None else f"{config_note(last.index)} ({last.sha256})"
        raise Broken(f"{CLAIM} supersedes the claim with SHA-256 {expected}: in config/ is {found}")
    said = "; ".join(_differences(last.claim, claim))
    older = f" ({len(before) - 1} older here, too)" if len(before) > 1 else ""
    yield passed(f"Supersedes the claim of leaf {last.index}{older}: {said}.")


def _about(claim: ClaimNote) -> tuple[str, str, str]:
    return claim.contract, claim.check, claim.label


def _differences(before: ClaimNote, after: ClaimNote) -> Iterator[str]:
    """What a claim says otherwise than the one before it, in words."""
    for name, one, other in (
        ("as-of", instant_text(before.as_of_us), instant_text(after.as_of_us)),
        ("revision", before.revision, after.revision),
        ("begin", instant_text(before.from_us), instant_text(after.from_us)),
        ("end", instant_text(before.to_us), instant_text(after.to_us)),
        ("program", f"{before.program} {before.tzdata}", f"{after.program} {after.tzdata}"),
        ("streams", len(before.streams), len(after.streams)),
    ):
        if one != other:
            yield f"{name} {other} in place of {one}"
    for name, old, new in (
        (FLEET, before.fleet_sha256, after.fleet_sha256),
        (TIMELINE, before.timeline_sha256, after.timeline_sha256),
        (ATTAINMENT, before.attainment_sha256, after.attainment_sha256),
    ):
        if old is not None:
            yield f"the same {name}" if old == new else f"another {name} ({old[:16]}... before)"
