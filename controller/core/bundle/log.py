"""Verifying what a bundle shows of the log: heads that were signed, each beginning with the one before, and leaves in them."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final

from controller.core.bundle.layout import Bundle
from controller.core.bundle.statements import Broken
from vedette.shared.checkpoint import (
    BadCheckpoint,
    Checkpoint,
    parsed_checkpoint,
    parsed_consistency,
    parsed_inclusion,
)
from vedette.shared.merkle import BadProof, check_consistency, check_inclusion, leaf_hash
from vedette.shared.note import BadNote, Verifier, opened_note

_HEAD: Final = re.compile(r"checkpoints/([0-9]+)")


def heads(bundle: Bundle, log: Verifier) -> Sequence[Checkpoint]:
    """The heads of the log in a bundle, the smallest first: signed, and each beginning with the one before."""
    found: list[Checkpoint] = []
    for name in bundle.names():
        match = _HEAD.fullmatch(name)
        if match is None:
            continue
        head = opened_head(bundle.read(name), log, name)
        if str(head.size) != match[1]:
            raise Broken(f"{name}: expected a head of {match[1]} leaves, found {head.size}")
        found.append(head)
    found.sort(key=lambda one: one.size)
    pairs = list(itertools.pairwise(found))
    for before, after in pairs:
        _require_growth(bundle, before, after)
    proofs = {_proof_name(before, after) for before, after in pairs}
    for name in bundle.names():
        if name.startswith("consistency/") and name not in proofs:
            raise Broken(f"{name} is about heads of the log that are missing")
    return found


def _proof_name(before: Checkpoint, after: Checkpoint) -> str:
    return f"consistency/{before.size}-{after.size}.proof"


def opened_head(note: bytes, log: Verifier, name: str) -> Checkpoint:
    """The head of the log in a note. Broken unless the log signed it."""
    try:
        return parsed_checkpoint(opened_note(note, [log]), log.name)
    except (BadNote, BadCheckpoint) as error:
        raise Broken(f"{name}: {error}") from error


def _require_growth(bundle: Bundle, before: Checkpoint, after: Checkpoint) -> None:
    name = _proof_name(before, after)
    try:
        sizes_and_path = parsed_consistency(bundle.read(name))
        if sizes_and_path[:2] != (before.size, after.size):
            raise BadProof(f"expected one from {before.size} to {after.size}")
        check_consistency(before.head, after.head, sizes_and_path[2])
    except KeyError as error:
        raise Broken(f"{name} is missing") from error
    except BadProof as error:
        raise Broken(f"{name}: {error}") from error


def leaf_index(
    bundle: Bundle, leaf: bytes, proof_name: str, known: Mapping[int, Checkpoint]
) -> int:
    """Where in the log a leaf stands, by its proof, under a head that the bundle has. Broken if it does not."""
    try:
        proof = parsed_inclusion(bundle.read(proof_name))
        size = int(proof.checkpoint.split(b"\n", 2)[1])
        head = known[size]
        if bundle.read(f"checkpoints/{size}") != proof.checkpoint:
            raise BadProof(f"expected the head of {size} leaves as it stands in checkpoints/{size}")
        check_inclusion(proof.index, head.size, head.root, leaf_hash(leaf), proof.path)
    except KeyError as error:
        raise Broken(f"{proof_name} is missing, or its head of the log is") from error
    except (BadProof, ValueError, IndexError) as error:
        raise Broken(f"{proof_name}: {error}") from error
    return proof.index
