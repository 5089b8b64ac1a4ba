"""Forgeries that hold together by themselves: another history of the log, words of authorities, seals signed anew."""

import itertools
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.core.bundle.layout import CLAIM, CLAIM_PROOF, LOG_KEY, RESULTS
from controller.core.tree import consistency_path, inclusion_path
from tests.mutation.case import PROOF, Case
from tests.mutation.scene import Scene, query_for
from vedette.shared.checkpoint import (
    Checkpoint,
    InclusionProof,
    consistency_text,
    parsed_inclusion,
)
from vedette.shared.merkle import leaf_hash, root_of
from vedette.shared.note import signed_note

Changed = dict[str, bytes | None]
_HEADS: Final = "checkpoints/"
_STAMPS: Final = "timestamps/"


def forgeries(scene: Scene) -> Iterator[Case]:
    """All of them; each is signed for by the insider."""
    yield from _forks(scene)
    yield from _stamps(scene)
    yield from _seals(scene)
    yield _of_nothing(scene)


def forked(scene: Scene) -> Mapping[str, bytes]:
    """Heads and proofs of another history, in which everything that the bundle shows has its place, too.

    Only what the bundle does not show is other: nothing in it is at odds with anything else in it.
    """
    sizes = sorted(int(name.removeprefix(_HEADS)) for name in scene.files if _HEADS in name)
    leaves = [b"another leaf %d" % place for place in range(sizes[-1])]
    proofs = {
        name: parsed_inclusion(data) for name, data in scene.files.items() if name.endswith(PROOF)
    }
    for name, proof in proofs.items():
        leaves[proof.index] = scene.files[_leaf_of(scene, name)]

    def complete(level: int, index: int) -> bytes:
        part = leaves[index << level : (index + 1) << level]
        return root_of(part) if level else leaf_hash(part[0])

    found: dict[str, bytes] = {}
    for size in sizes:
        text = Checkpoint(scene.insider.origin, size, root_of(leaves[:size])).text()
        found[f"{_HEADS}{size}"] = scene.insider.note(text)
    for before, after in itertools.pairwise(sizes):
        path = consistency_path(before, after, complete)
        found[f"consistency/{before}-{after}.proof"] = consistency_text(
            before, after, path
        ).encode()
    for name, proof in proofs.items():
        path = inclusion_path(proof.index, sizes[-1], complete)
        head = found[f"{_HEADS}{sizes[-1]}"]
        found[name] = InclusionProof(proof.index, tuple(path), head).data()
    return found


def _leaf_of(scene: Scene, proof: str) -> str:
    """The file whose place a proof shows."""
    if proof == CLAIM_PROOF:
        return CLAIM
    if not proof.endswith("tip.tlog-proof"):
        return proof.removesuffix(PROOF) + ".note"
    folder = proof.rpartition("/")[0]
    return max(one for one in scene.files if one.startswith(folder) and one.endswith(".note"))


def _forks(scene: Scene) -> Iterator[Case]:
    fork = dict(forked(scene))
    parts = {
        "heads": [one for one in fork if one.startswith(_HEADS)],
        "growth": [one for one in fork if one.startswith("consistency/")],
        "places": [one for one in fork if one.endswith(PROOF)],
    }
    for count in (1, 2):
        for some in itertools.combinations(parts, count):
            changed: Changed = {name: fork[name] for part in some for name in parts[part]}
            if changed:
                yield _signed(
                    "forked log", next(iter(changed)), f"other {' and '.join(some)}", changed
                )
    for name, data in fork.items():
        yield _signed("forked log", name, "of another history", {name: data})
    if any(one.startswith(_STAMPS) for one in scene.files):
        yield Case(
            "forked log", parts["heads"][0], "all of it but what was stamped", fork, is_signed=True
        )


def _stamps(scene: Scene) -> Iterator[Case]:
    """Another authority, another query, another head: none is what was stamped."""
    responses = [one for one in scene.files if one.startswith(_STAMPS) and one.endswith(".tsr")]
    for name in responses if scene.stranger else ():
        assert scene.stranger is not None
        at = name.removesuffix(".tsr")
        query, root = scene.files[f"{at}.tsq"], scene.stranger.root_pem
        head = scene.files[_HEADS + at.removeprefix(_STAMPS).partition(".")[0]]
        theirs, again = scene.stranger.reply(query), query_for(head)
        other = query_for(scene.files[CLAIM])
        forged: dict[str, Changed] = {
            "a stranger's word": {name: theirs},
            "a stranger's word on another query": {name: scene.stranger.reply(again)},
            "another query about the same head": {f"{at}.tsq": again},
            "a query about something else": {f"{at}.tsq": other},
            "on another head": {name: None, f"{_STAMPS}1.tsa.tsr": scene.files[name]},
        }
        for what, changed in forged.items():
            yield Case("forged timestamps", name, what, changed, is_signed=True)
        void: dict[str, Changed] = {
            "a stranger with a root": {name: theirs, f"{at}.pem": root},
            "a root of somebody else": {f"{at}.pem": root},
        }
        for what, changed in void.items():
            yield Case("forged timestamps", name, what, changed, is_signed=True, is_void=True)


def _seals(scene: Scene) -> Iterator[Case]:
    """Who holds the keys of agents, too, makes a result up and signs everything after it again."""
    for agent, secret in scene.agents.items():
        for place, number in (("first", 0), ("last", -1)):
            changed = _made_up(scene, agent, secret, number)
            yield _signed("made up with an agent's key", CLAIM, f"{place} seal of {agent}", changed)


def _of_nothing(scene: Scene) -> Case:
    """The figures alone: a claim that names no stream, and no key of an agent beside it."""
    keys = [one for one in scene.files if one.startswith("keys/") and one != LOG_KEY]
    gone = [*keys, *(one for one in scene.files if one.startswith("streams/"))]
    lines = _text(scene.files[CLAIM]).splitlines(keepends=True)
    claim = b"".join(one for one in lines if not one.startswith(b"stream "))
    changed: Changed = {
        **dict.fromkeys(gone), RESULTS: b"", CLAIM: scene.insider.note(claim.decode()),
    }  # fmt: skip
    return Case("no evidence at all", CLAIM, "no stream", changed, is_signed=True)


def _made_up(scene: Scene, agent: str, secret: bytes, number: int) -> Changed:
    own = (one for one in scene.files if one.startswith(f"streams/{agent}/"))
    notes = sorted(one for one in own if one.endswith(".note"))
    begun = notes.index(notes[number])
    claim, results = _text(scene.files[CLAIM]), scene.files[RESULTS]
    changed: Changed = {}
    before: bytes | None = None
    key = Ed25519PrivateKey.from_private_bytes(secret)
    for name in notes[begun:]:
        text, lines = _text(scene.files[name]), name.replace(".note", ".jsonl")
        if before is None:
            old = scene.files[lines]
            new = old.replace(b'"up"', b'"no"', 1)
            changed[lines], results = new, results.replace(old, new)
            text = text.replace(_hash(old), _hash(new))
        else:
            text = _with_prev(text, _hash(before))
        before = signed_note(text.decode(), f"example.net/agent/{agent}", key)
        claim = claim.replace(_hash(scene.files[name]), _hash(before))
        changed[name] = before
    return {**changed, RESULTS: results, CLAIM: scene.insider.note(claim.decode())}


def _with_prev(text: bytes, prev: bytes) -> bytes:
    lines = [b"prev " + prev if one.startswith(b"prev ") else one for one in text.split(b"\n")]
    return b"\n".join(lines)


def _signed(kind: str, name: str, what: str, changed: Changed) -> Case:
    """What the script leaves to the program."""
    return Case(kind, name, what, changed, is_signed=True, is_left=True)


def _text(note: bytes) -> bytes:
    return note[: note.rfind(b"\n\n") + 1]


def _hash(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode()
