"""Making a bundle: signed, entered in the log, and handed over file by file, in as much memory as a few seals take."""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import Final, NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controller.core.bundle import layout
from controller.core.bundle.claim_note import ClaimNote, Sealed
from controller.core.bundle.manifest import manifest_text, sha256_hex
from controller.core.bundle.streams import tips
from controller.core.calendars import Period
from controller.core.sla.reports.records import records_bytes
from controller.errors import BadInput, Rejected
from controller.ports.custody import Actor
from controller.ports.leaves import LeafKind, StoredCheckpoint
from controller.ports.seals import StreamId
from controller.ports.storage import Storage, Transaction
from controller.services.bundling.annex import Pinned, annex_text
from controller.services.bundling.heads import shown_heads, stamp_files
from controller.services.bundling.rules import rule_leaves
from controller.services.bundling.streams import pieces, seal_count, sealed_streams
from controller.services.contracts.claim_basis import Figures, figures
from controller.services.contracts.claim_pack import (
    fleet_file,
    recomputed,
    require_same,
    timeline_file,
)
from controller.services.contracts.claim_source import listed_samples, sourced
from controller.services.contracts.terms import Agreed, Terms
from controller.services.evidence.logbook import Logbook
from controller.services.timeline.evaluate import Evaluator
from vedette.shared.checkpoint import consistency_text
from vedette.shared.note import Verifier

_HERE: Final = "controller.services.bundling"


class Signer(Protocol):
    """Signs for the log."""

    @property
    def verifier(self) -> Verifier:
        """What checks its signatures."""
        ...

    def signed(self, text: str) -> bytes:
        """The note of a text."""
        ...


class Part(NamedTuple):
    """A part of a file; the parts of one follow one another. `done` of `total` seals are behind it."""

    name: str
    content: bytes
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """What stands in a bundle before its streams are read."""

    claim: bytes
    place: int
    streams: Sequence[Sealed]
    figures: Figures
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Bundles:
    """Synchronous: runs in the storage thread, and so does each step of what it gives."""

    storage: Storage
    evaluator: Evaluator
    terms: Terms
    logbook: Logbook
    signer: Signer
    now_us: Callable[[], int]
    authorities: Callable[[], Sequence[Pinned]]

    def annex(self) -> str:
        """The keys that bundles of this controller are checked by, for the contract's annex."""
        with self.storage.transaction() as tx:
            agents = tx.agents()
        return annex_text(self.signer.verifier, agents, self.authorities())

    def bundle(self, contract: str, label: str, by: Actor) -> Iterator[Part]:
        """The files of a bundle, the manifest last. Rejected says why there can be none."""
        with self.storage.transaction() as tx:
            plan = self._plan(tx, contract, label, by)
        head = self.logbook.checkpoint()
        assert head is not None, "the claim was entered just now"
        total, done = 2 * seal_count(plan.streams), 0
        hashes: dict[str, str] = {}

        def told(name: str, content: bytes) -> Part:
            hashes[name] = sha256_hex(content)
            return Part(name, content, done, total)

        for name, content in [*plan.files.items(), *self._proofs(plan, head)]:
            yield told(name, content)
        for sealed in plan.streams:
            for seal, lines in pieces(self.storage.transaction, sealed):
                done += 1
                yield told(sealed.stream.note(seal.number), seal.note)
                if lines:
                    yield told(sealed.stream.lines(seal.number), lines)
        whole = hashlib.sha256()
        yield Part(layout.RESULTS, b"", done, total)
        for sealed in plan.streams:
            for _, lines in pieces(self.storage.transaction, sealed):
                done += 1
                whole.update(lines)
                if lines:
                    yield Part(layout.RESULTS, lines, done, total)
        hashes[layout.RESULTS] = whole.hexdigest()
        yield Part(layout.MANIFEST, self.signer.signed(manifest_text(hashes)), done, total)

    def _plan(self, tx: Transaction, contract: str, label: str, by: Actor) -> _Plan:
        """What is claimed, signed and entered in the log; and the files that need no proof."""
        now_us = self.now_us()
        agreed = self.terms.latest(tx, contract, now_us)
        _period(agreed, label, now_us)
        source = sourced(tx, self.evaluator, self.terms, contract, label, now_us)
        as_of_us = source.sight.horizon_us
        found = figures(source.sight, source.agreed, _period(source.agreed, label, as_of_us))
        own = self._own_files(tx, found)
        streams = sealed_streams(tx, found)
        subject = f"bundle {contract} {label}"
        note = self.signer.signed(
            _claim(found, own, streams, _before(tx, subject)).text(),
        )
        place = tx.enter_note(LeafKind.CLAIM, subject, note, now_us)
        tx.record(by.act(now_us, "evidence.export", contract, label))
        agents = {one.id: one.evidence_key for one in tx.agents()}
        names = sorted({one.stream.agent for one in streams})
        keys = {layout.agent_key(name): _pem(agents[name]) for name in names}
        return _Plan(note, place, streams, found, {**own, layout.CLAIM: note, **keys})

    def _own_files(self, tx: Transaction, found: Figures) -> dict[str, bytes]:
        """Files that say what they are by themselves. Fatal if they do not give the figures."""
        fleet = fleet_file(found)
        timeline = timeline_file(found, listed_samples(tx, self.evaluator, found))
        again = recomputed(found, fleet, timeline)
        require_same(found, again)
        return {
            layout.README: _text("README.txt"),
            layout.SCRIPT: _text("verify.sh"),
            layout.LOG_KEY: _pem(self.signer.verifier.public_key),
            layout.FLEET: fleet,
            layout.TIMELINE: timeline,
            layout.ATTAINMENT: records_bytes(again),
        }

    def _proofs(self, plan: _Plan, head: StoredCheckpoint) -> Iterator[tuple[str, bytes]]:
        """Heads of the log, that they are of one log, and where in it everything stands."""
        log = self.logbook
        yield layout.CLAIM_PROOF, log.inclusion(plan.place, head).data()
        with self.storage.transaction() as tx:
            places = [_leaf_of(tx, one, one.last) for one, _ in tips(plan.streams)]
            begun = min(_leaf_of(tx, one, one.first) for one in plan.streams)
            rules = rule_leaves(tx, plan.figures, plan.streams, head.size)
            heads, stamps = shown_heads(tx, begun, head)
        roots = {one.name: one.roots for one in self.authorities()}
        for (_, proof), index in zip(tips(plan.streams), places, strict=True):
            yield proof, log.inclusion(index, head).data()
        for index in rules:
            with self.storage.transaction() as tx:
                ((_, note),) = tx.leaf_notes(index, index + 1)
            yield f"config/{index}.note", note
            yield f"config/{index}.tlog-proof", log.inclusion(index, head).data()
        for one in heads:
            yield f"checkpoints/{one.size}", one.note
        sizes = [one.size for one in heads]
        for before, after in itertools.pairwise(sizes):
            text = consistency_text(before, after, log.consistency(before, after))
            yield f"consistency/{before}-{after}.proof", text.encode()
        yield from stamp_files(stamps, heads, roots)


def _leaf_of(tx: Transaction, sealed: Sealed, number: int) -> int:
    leaf = tx.seal_leaf(StreamId(*sealed.stream), number)
    if leaf is None:
        raise Rejected(
            f"Seal {number} of stream {sealed.stream.stream} of agent {sealed.stream.agent} was kept before there"
            " was a log: only periods that began later can be handed over."
        )
    return leaf.index


def _period(agreed: Agreed, label: str, now_us: int) -> Period:
    try:
        period = agreed.contract.period.named(label, now_us)
    except ValueError as error:
        raise BadInput(f"{error}.") from error
    if period.from_us >= now_us:
        raise Rejected(f"{label} has not begun: there is nothing to hand over.")
    return period


def _before(tx: Transaction, subject: str) -> str | None:
    """The SHA-256 of the claim that stood before, about the same contract and period."""
    leaves = tx.leaves_about(LeafKind.CLAIM, subject)
    if not leaves:
        return None
    ((_, note),) = tx.leaf_notes(leaves[-1].index, leaves[-1].index + 1)
    return sha256_hex(note)


def _claim(
    found: Figures, own: dict[str, bytes], streams: Sequence[Sealed], before: str | None
) -> ClaimNote:
    return ClaimNote(
        contract=found.agreed.contract.first.id,
        revision=found.agreed.revision,
        label=found.period.label,
        from_us=found.period.from_us,
        to_us=found.period.to_us,
        as_of_us=found.horizon_us,
        program=version("vedette"),
        tzdata=version("tzdata"),
        fleet_sha256=sha256_hex(own[layout.FLEET]),
        timeline_sha256=sha256_hex(own[layout.TIMELINE]),
        attainment_sha256=sha256_hex(own[layout.ATTAINMENT]),
        supersedes=before,
        streams=streams,
    )


def _pem(public_key: bytes) -> bytes:
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _text(name: str) -> bytes:
    return (files(_HERE) / name).read_bytes()
