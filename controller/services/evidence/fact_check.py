"""Looking for damage of what leaves name by a hash only: bytes of reports, packs and definitions, and outages as they stand."""

import hashlib
import itertools
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from controller.core.intervals import FOREVER_US
from controller.ports.claims import ClaimFile
from controller.ports.events import EventKind, OutageEvent
from controller.ports.outcomes import OutageScope, StoredOutage
from controller.ports.storage import Transaction
from controller.services.contracts.claim_pack import MANIFEST
from controller.services.evidence.log_check import Opens
from controller.services.evidence.prune_check import PruneCheck
from controller.services.outages.outage_body import decode_body
from controller.services.outages.telling import seen
from vedette.shared.definitions import digest_of


class _Named(msgspec.Struct):
    """Of what a claim is about: the hash of its pack's manifest."""

    manifest: str = ""


_facts: Final = msgspec.json.Decoder(_Named)


def fact_faults(opens: Opens) -> Iterator[str]:
    """What is wrong, a sentence each; nothing if all is well. One report, pack and check at a time."""
    with opens() as tx:
        reports = sorted({(one.contract, one.label) for one in tx.issued_heads()})
        packs = range(1, tx.last_claim() + 1)
        checks = sorted({one.check for one in tx.check_revisions()})
        yield from _definition_faults(tx)
        yield from _pruning_faults(tx)
    for contract, label in reports:
        with opens() as tx:
            yield from _report_faults(tx, contract, label)
    for number in packs:
        with opens() as tx:
            yield from _pack_faults(tx, number)
    for check in checks:
        with opens() as tx:
            yield from _outage_faults(tx, check)


def _pruning_faults(tx: Transaction) -> Iterator[str]:
    """Every run of lines that were dropped is named by the leaf of its act, and no other is."""
    rows: dict[int, set[str]] = {}
    for number, run in tx.pruned():
        rows.setdefault(number, set()).add(str(run))
    check = PruneCheck()
    last = max(rows, default=0)
    for number in itertools.count(1):
        named = check.runs_of(tx, number)
        if number > last and not named:
            return
        if rows.get(number, set()) != named:
            yield f"The rows of what PRUNE-{number} dropped are not those that its leaf in the log says."


def _definition_faults(tx: Transaction) -> Iterator[str]:
    for one in tx.check_revisions():
        if one.digest != (digest_of(one.definition) if one.definition else ""):
            yield (
                f"The definition of check {one.check} from {one.effective_us} on is not the one that its digest"
                " names: it was changed afterwards."
            )


def _report_faults(tx: Transaction, contract: str, label: str) -> Iterator[str]:
    for one in tx.issued(contract, label):
        if hashlib.sha256(one.body).hexdigest() != one.sha256:
            yield f"Report {label} on {contract}, revision {one.revision}, does not have the bytes that were issued."


def _pack_faults(tx: Transaction, number: int) -> Iterator[str]:
    """The manifest is named by the claim, and names every other file."""
    events, files = tx.claim_events(number), tx.claim_files(number)
    contents = [_unpacked(one) for one in files]
    for one, content in zip(files, contents, strict=True):
        if (len(content), hashlib.sha256(content).hexdigest()) != (one.size, one.sha256):
            yield f"File {one.name} of the pack of CLM-{number} does not have the bytes that were handed out."
    if [one.place for one in files] != list(range(len(files))):
        yield f"The files of the pack of CLM-{number} are not those that were handed out, one after another."
    if not events or not events[0].facts:
        return
    try:
        named = _facts.decode(events[0].facts).manifest
    except (msgspec.MsgspecError, UnicodeDecodeError):
        yield f"What CLM-{number} is about cannot be read."
        return
    if named and (not files or (files[-1].name, files[-1].sha256) != (MANIFEST, named)):
        yield f"The manifest of the pack of CLM-{number} is not the one that the claim names."
        return
    listed = "".join(f"{one.sha256}  {one.name}\n" for one in files[:-1]).encode()
    if named and contents[-1] != listed:
        yield f"The manifest of the pack of CLM-{number} names other files than there are."


def _outage_faults(tx: Transaction, check: str) -> Iterator[str]:
    """Every outage of a check is as the ledger of outages told of it last."""
    last = {one.number: one for one in tx.events_as_of(FOREVER_US, check)}
    rows = {one.number: one for one in tx.outages(check, scope=OutageScope.ALL)}
    for number in sorted({*last, *rows}):
        event, row = last.get(number), rows.get(number)
        is_there = event is not None and event.kind is not EventKind.RETRACTED
        if row is None:
            if is_there:
                yield f"Of OUT-{number} of check {check} there is no row, although nothing took it back."
        elif event is None or not is_there:
            yield f"OUT-{number} of check {check} has a row, although the ledger of outages does not tell of it."
        elif other := _differing(event, row):
            yield (
                f"The row of OUT-{number} of check {check} says another {', '.join(other)} than was told of it last:"
                " it was changed afterwards."
            )


def _differing(event: OutageEvent, row: StoredOutage) -> Sequence[str]:
    try:
        body, told = decode_body(row.body), decode_body(event.body)
    except ValueError:
        return ["body"]
    pairs = {
        "body": (seen(body), seen(told)),
        "check": (row.check, body.check),
        "region": (row.region, body.region),
        "started_us": (row.started_us, body.started_us),
        "ended_us": (row.ended_us, body.ended_us),
        "detected_us": (row.detected_us, event.detected_us),
        "closed_known_us": (row.closed_known_us, event.closed_known_us),
    }
    return [name for name, (found, expected) in pairs.items() if found != expected]


def _unpacked(one: ClaimFile) -> bytes:
    try:
        return zlib.decompress(one.packed)
    except zlib.error:
        return b""
