"""Making a bundle: signed, entered in the log, and handed over file by file, in as much memory as a few seals take."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controller.core.bundle import layout
from controller.core.bundle.claim_note import Sealed
from controller.core.bundle.manifest import sha256_hex
from controller.core.bundle.streams import tips
from controller.ports.custody import Actor
from controller.ports.leaves import LeafKind, StoredCheckpoint
from controller.ports.seals import StreamId
from controller.ports.storage import Storage, Transaction
from controller.services.bundling.annex import Known, Pinned, annex_text
from controller.services.bundling.beside import late_runs, unsealed_runs
from controller.services.bundling.handing import Handing, Part
from controller.services.bundling.heads import shown_heads, stamp_files
from controller.services.bundling.held import HeldHead, held_checkpoints
from controller.services.bundling.outage_subject import outage_subject
from controller.services.bundling.period_subject import PeriodAsked, period_subject
from controller.services.bundling.rules import definitions_of, rule_files, rule_leaves
from controller.services.bundling.streams import sealed_streams
from controller.services.bundling.subject import Subject
from controller.services.contracts.foresight import Foresight, NotYet
from controller.services.contracts.terms import Terms
from controller.services.evidence.logbook import Logbook
from controller.services.evidence.witnesses import parties_of
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


@dataclass(frozen=True, slots=True)
class _Plan:
    """What stands in a bundle before its streams are read."""

    subject: Subject
    place: int
    streams: Sequence[Sealed]
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
            known = Known(tx.agents(), parties_of(tx), tx.witness_keys())
        return annex_text(self.signer.verifier, known, self.authorities())

    def foresees(self, contract: str, label: str, foresight: Foresight) -> bool:
        """Do a step of what `of_period` needs beforehand; False if there is none left.

        Making out what was known of a check over a month takes seconds of the storage thread: others come in between.
        """
        asked = PeriodAsked(contract, label, foresight)
        try:
            with self.storage.transaction() as tx:
                asked.figures(tx, self.evaluator, self.terms, self.now_us(), steps=1)
        except NotYet:
            return True
        return False

    def of_period(
        self,
        contract: str,
        label: str,
        by: Actor,
        since: Sequence[HeldHead] = (),
        foresight: Foresight | None = None,
    ) -> Iterator[Part]:
        """The files of a bundle about a contract and a period, the manifest last. Rejected says why there can be none.

        It shows how the log grew from each head of `since`, too.
        """
        asked = PeriodAsked(contract, label, foresight or Foresight())

        def subject(tx: Transaction, now_us: int) -> Subject:
            found = asked.figures(tx, self.evaluator, self.terms, now_us)
            return period_subject(tx, self.evaluator, found)

        return self._parts(subject, by, since)

    def of_outage(self, handle: str, by: Actor, since: Sequence[HeldHead] = ()) -> Iterator[Part]:
        """The files of a bundle about an outage as it is known now, the manifest last."""
        return self._parts(
            lambda tx, now_us: outage_subject(tx, self.evaluator, self.terms, handle, now_us),
            by,
            since,
        )

    def _parts(
        self,
        subject: Callable[[Transaction, int], Subject],
        by: Actor,
        since: Sequence[HeldHead],
    ) -> Iterator[Part]:
        """The files of a bundle.

        When the first part is there the claim is entered and the log signed; witnesses may sign that head before the
        second is asked for.
        """
        with self.storage.transaction() as tx:
            held = held_checkpoints(tx, since)
            now_us = self.now_us()
            plan = self._plan(tx, subject(tx, now_us), by, now_us)
            pruning = tx.last_pruning()
        head = self.logbook.checkpoint()
        assert head is not None, "the claim was entered just now"
        handing = Handing(self.storage.transaction, plan.streams, pruning)
        for name, content in itertools.chain(plan.files.items(), self._proofs(plan, head, held)):
            yield handing.file(name, content)
        yield from handing.streams()
        yield handing.results()
        yield handing.file(layout.MANIFEST, self.signer.signed(handing.manifest()))

    def _plan(self, tx: Transaction, subject: Subject, by: Actor, now_us: int) -> _Plan:
        """What is claimed, signed and entered in the log; and the files that need no proof."""
        standings = tx.stream_standings()
        streams = sealed_streams(tx, subject, standings)
        claim = replace(
            subject.claim,
            streams=streams,
            supersedes=_before(tx, subject.name),
            unsealed=unsealed_runs(tx, subject, streams, standings),
            late=late_runs(tx, streams, subject.claim.as_of_us),
        )
        note = self.signer.signed(claim.text())
        place = tx.enter_note(LeafKind.CLAIM, subject.name, note, now_us)
        tx.record(by.act(now_us, "evidence.export", *subject.act))
        agents = {one.id: one.evidence_key for one in tx.agents()}
        names = sorted({one.stream.agent for one in streams})
        files = {
            layout.README: _text("README.txt"),
            layout.SCRIPT: _text("verify.sh"),
            layout.LOG_KEY: _pem(self.signer.verifier.public_key),
            **subject.files,
            layout.CLAIM: note,
            **{layout.agent_key(name): _pem(agents[name]) for name in names},
        }
        return _Plan(subject, place, streams, files)

    def _proofs(
        self, plan: _Plan, head: StoredCheckpoint, held: Sequence[StoredCheckpoint]
    ) -> Iterator[tuple[str, bytes]]:
        """Heads of the log, that they are of one log, and where in it everything stands."""
        log = self.logbook
        with self.storage.transaction() as tx:
            places = [_tip(tx, one) for one, _ in tips(plan.streams)]
            # What is older than the log is in the chain of a seal that is in it.
            begun = min(_leaf_of(tx, one, one.first) or 0 for one in plan.streams)
            shown = shown_heads(tx, (begun, max(places)), head, held)
            rules = rule_leaves(tx, plan.subject, plan.streams, shown)
            earlier = [one.index for one in tx.leaves_about(LeafKind.CLAIM, plan.subject.name)]
            rules = sorted({*rules, *(one for one in earlier if one < plan.place)})
            definitions = definitions_of(tx, plan.subject)
        roots = {one.name: one.roots for one in self.authorities()}
        head = shown.last
        yield layout.CLAIM_PROOF, log.inclusion(plan.place, head).data()
        for (_, proof), index in zip(tips(plan.streams), places, strict=True):
            yield proof, log.inclusion(index, head).data()
        for index in rules:
            with self.storage.transaction() as tx:
                ((leaf, note),) = tx.leaf_notes(index, index + 1)
            yield from rule_files(leaf, note, definitions)
            yield layout.config_proof(index), log.inclusion(index, head).data()
        for one in shown.heads:
            yield f"checkpoints/{one.size}", one.note
        sizes = [one.size for one in shown.heads]
        for before, after in itertools.pairwise(sizes):
            text = consistency_text(before, after, log.consistency(before, after))
            yield f"consistency/{before}-{after}.proof", text.encode()
        yield from stamp_files(shown.stamps, shown.heads, roots)


def _tip(tx: Transaction, sealed: Sealed) -> int:
    index = _leaf_of(tx, sealed, sealed.last)
    assert index is not None, "streams whose last seal is in no leaf are left out"
    return index


def _leaf_of(tx: Transaction, sealed: Sealed, number: int) -> int | None:
    leaf = tx.seal_leaf(StreamId(*sealed.stream), number)
    return None if leaf is None else leaf.index


def _before(tx: Transaction, subject: str) -> str | None:
    """The SHA-256 of the claim that stood before, about the same."""
    leaves = tx.leaves_about(LeafKind.CLAIM, subject)
    if not leaves:
        return None
    ((_, note),) = tx.leaf_notes(leaves[-1].index, leaves[-1].index + 1)
    return sha256_hex(note)


def _pem(public_key: bytes) -> bytes:
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _text(name: str) -> bytes:
    return (files(_HERE) / name).read_bytes()
