"""A bundle made by hand: two agents, three seals each, in a log of their own, signed by keys that tests hold."""

import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controller.core.bundle.annex import Annex
from controller.core.bundle.claim_note import ClaimNote, Sealed
from controller.core.bundle.layout import (
    ATTAINMENT,
    CLAIM,
    CLAIM_PROOF,
    FLEET,
    LOG_KEY,
    MANIFEST,
    PAPER,
    README,
    REPORT_HTML,
    REPORT_PDF,
    RESULTS,
    SCRIPT,
    TIMELINE,
    Stream,
    agent_key,
)
from controller.core.bundle.manifest import PAPER_KIND, manifest_text, sha256_hex
from controller.core.bundle.streams import tips
from controller.core.tree import consistency_path, inclusion_path
from vedette.shared.checkpoint import Checkpoint, InclusionProof, consistency_text
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.merkle import leaf_hash, root_of
from vedette.shared.note import signed_note
from vedette.shared.seal import ClockState, Payload, Seal, Slots, Span, StreamName

ORGANISATION = "example.net"
ORIGIN = f"{ORGANISATION}/log"
LOG_KEY_OF = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
AGENTS = {
    "fra-1": Ed25519PrivateKey.from_private_bytes(bytes([1] * 32)),
    "nyc-1": Ed25519PrivateKey.from_private_bytes(bytes([2] * 32)),
}
SEALS = 3
HEADS = (3, 6, 9)


@dataclass
class Files:
    """controller.core.bundle.layout.Bundle in memory."""

    files: dict[str, bytes] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Every file."""
        return sorted(self.files)

    def has(self, name: str) -> bool:
        """That file is there."""
        return name in self.files

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        return self.files[name]

    def chunks(self, name: str) -> Iterator[bytes]:
        """The same in pieces: small ones, so that lines are cut."""
        whole = self.files[name]
        yield from (whole[at : at + 1000] for at in range(0, len(whole), 1000))


def raw(key: Ed25519PrivateKey) -> bytes:
    """The public key."""
    return key.public_key().public_bytes_raw()


def pem(key: Ed25519PrivateKey) -> bytes:
    """The public key as a file."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


ANNEX = Annex(ORIGIN, raw(LOG_KEY_OF), {agent: raw(key).hex() for agent, key in AGENTS.items()})


def log_note(text: str) -> bytes:
    """A note of the log."""
    return signed_note(text, ORIGIN, LOG_KEY_OF, bytes_max=BUNDLE_NOTE_BYTES_MAX)


def made(
    claim: Callable[[ClaimNote], ClaimNote] = lambda one: one,
    change: Callable[[dict[str, bytes]], None] = lambda _: None,
    *,
    missing: Collection[int] = (),
    pruned: Collection[str] = (),
) -> Files:
    """A bundle; its claim and its files may be changed before they are signed: as an insider could.

    Seals of the numbers that are `missing` never came. A leaf says that the runs of `pruned` were dropped.
    """
    files: dict[str, bytes] = {
        README: b"read me\n", SCRIPT: b"#!/bin/sh\n", FLEET: b"version: 1\n", TIMELINE: b"{}\n",
        ATTAINMENT: b'{"version":1}\n', LOG_KEY: pem(LOG_KEY_OF),
    }  # fmt: skip
    rule = log_note('vedette.fleet/v1\ntime 1\nsubject "1"\ndata {}\n')
    leaves = [rule]
    streams: list[Sealed] = []
    for agent, key in AGENTS.items():
        files[agent_key(agent)] = pem(key)
        notes = _stream(files, agent, key, missing)
        leaves += notes.values()
        streams += _runs(Stream(agent, "e1", "shop"), notes)
    whole = ClaimNote(
        "gold", 1, "2026-06", 0, 1000, 1000, "0.1.0", "2026a", sha256_hex(files[FLEET]),
        sha256_hex(files[TIMELINE]), sha256_hex(files[ATTAINMENT]), None, streams,
    )  # fmt: skip
    files[CLAIM] = log_note(claim(whole).text())
    leaves += [files[CLAIM], b"a leaf of others"]
    files["config/0.note"] = rule
    if pruned:
        said = json.dumps({"runs": list(pruned)}, separators=(",", ":"))
        leaves.append(log_note(f'vedette.prune/v1\ntime 9\nsubject "PRUNE-1"\ndata {said}\n'))
        files[f"config/{len(leaves) - 1}.note"] = leaves[-1]
    _put_log(files, leaves, streams)
    files[RESULTS] = b"".join(files[name] for name in sorted(files) if name.endswith(".jsonl"))
    change(files)
    files[MANIFEST] = log_note(
        manifest_text({name: sha256_hex(one) for name, one in files.items()})
    )
    return Files(files)


def _runs(stream: Stream, notes: Mapping[int, bytes]) -> list[Sealed]:
    """The seals of a stream as a claim names them."""
    digests = {number: sha256(note).hexdigest() for number, note in notes.items()}
    firsts = [number for number in notes if number - 1 not in notes]
    lasts = [number for number in notes if number + 1 not in notes]
    return [
        Sealed(stream, first, last, digests[first], digests[last])
        for first, last in zip(firsts, lasts, strict=True)
    ]


def _stream(
    files: dict[str, bytes], agent: str, key: Ed25519PrivateKey, missing: Collection[int]
) -> dict[int, bytes]:
    notes: list[bytes] = []
    stream = Stream(agent, "e1", "shop")
    for number in range(1, SEALS + 1):
        lines = b"".join(
            b'{"agent":"%s","n":%d}\n' % (agent.encode(), n)
            for n in range(2 * number - 1, 2 * number + 1)
        )
        lines = b"" if number == 2 else lines
        count = lines.count(b"\n")
        first = 2 * number - 1 if count else 0
        seal = Seal(
            StreamName(ORGANISATION, agent, "shop", "e1"), number,
            sha256(notes[-1]).hexdigest() if notes else None,
            Payload(first, first + count - 1 if count else 0, count, sha256(lines).hexdigest(), len(lines)),
            Slots(0, 2), "0" * 64, Span(number, number + 1, 3, 4), ClockState(),
        )  # fmt: skip
        notes.append(signed_note(seal.text(), seal.name.key_name, key))
        if number in missing:
            continue
        files[stream.note(number)] = notes[-1]
        if count:
            files[stream.lines(number)] = lines
    return {number: note for number, note in enumerate(notes, 1) if number not in missing}


def _put_log(files: dict[str, bytes], leaves: list[bytes], streams: list[Sealed]) -> None:
    def complete(level: int, index: int) -> bytes:
        part = leaves[index << level : (index + 1) << level]
        return root_of(part) if level else leaf_hash(part[0])

    last = len(leaves)
    sizes = (*HEADS[:-1], last)
    for size in sizes:
        head = Checkpoint(ORIGIN, size, root_of(leaves[:size])).text()
        files[f"checkpoints/{size}"] = log_note(head)
    for before, after in itertools.pairwise(sizes):
        path = consistency_path(before, after, complete)
        files[f"consistency/{before}-{after}.proof"] = consistency_text(
            before, after, path
        ).encode()

    def prove(name: str, leaf: bytes) -> None:
        index = leaves.index(leaf)
        path = tuple(inclusion_path(index, last, complete))
        files[name] = InclusionProof(index, path, files[f"checkpoints/{last}"]).data()

    prove(CLAIM_PROOF, files[CLAIM])
    for name in [one for one in files if one.startswith("config/")]:
        prove(name.replace(".note", ".tlog-proof"), files[name])
    for one, name in tips(streams):
        prove(name, files[one.stream.note(one.last)])


def without(claim: ClaimNote, agent: str) -> ClaimNote:
    """The claim as if that agent had never reported."""
    return replace(claim, streams=[one for one in claim.streams if one.stream.agent != agent])


def changed(files: Mapping[str, bytes], name: str, at: int) -> Files:
    """With one bit of one byte flipped."""
    data = bytearray(files[name])
    data[at] ^= 1
    return Files({**files, name: bytes(data)})


def with_paper(files: Mapping[str, bytes], **listed: bytes | None) -> Files:
    """With a paper for people beside the manifest; `listed` are other contents, or None for what is left out."""
    given = {name.replace("_", "."): data for name, data in listed.items()}
    every = {
        REPORT_HTML: b"<p>report</p>\n",
        REPORT_PDF: b"%PDF-1.7\n",
        MANIFEST: files[MANIFEST],
        **given,
    }
    held = {name: data for name, data in every.items() if data is not None}
    text = manifest_text({name: sha256_hex(data) for name, data in held.items()}, PAPER_KIND)
    return Files({**files, **held, PAPER: log_note(text)})
