"""Verifying a bundle by itself and the annex: nothing in it is believed because it says so.

What makes it trusted comes from outside: the keys of the annex. Everything else follows from signatures, hashes and
proofs (RFC 8032, RFC 6962), in this order: the files, the keys, the claim, the streams, the log.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from controller.core.bundle.annex import Annex
from controller.core.bundle.claim_note import BadClaim, ClaimNote, Sealed, parsed_claim
from controller.core.bundle.config import config_statements
from controller.core.bundle.contents import files_statement, results_statement
from controller.core.bundle.entries import entry_statements
from controller.core.bundle.layout import (
    ATTAINMENT,
    CLAIM,
    CLAIM_PROOF,
    FLEET,
    LOG_KEY,
    TIMELINE,
    Bundle,
    Stream,
    agent_key,
)
from controller.core.bundle.log import heads, leaf_index
from controller.core.bundle.manifest import sha256_hex
from controller.core.bundle.paper import paper_statements
from controller.core.bundle.pruned import Pruned, pruned_seals, pruned_statement
from controller.core.bundle.since import Held, grown_since
from controller.core.bundle.statements import (
    Broken,
    Statement,
    failed,
    incomplete,
    passed,
)
from controller.core.bundle.streams import (
    Account,
    Gap,
    by_stream,
    stream_account,
    tips,
    unclaimed,
)
from controller.core.bundle.timestamps import exposure, stamped_heads
from controller.core.bundle.unheard import cut_off, unheard
from controller.core.bundle.vantage import run_by, truthfulness
from controller.core.bundle.witnesses import witnessed
from vedette.shared.checkpoint import Checkpoint
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.note import BadNote, Verifier, opened_note

Spread = Callable[
    [Callable[[Sequence[Sealed]], Account], Sequence[Sequence[Sealed]]], Iterable[Account]
]


def statements(
    bundle: Bundle, annex: Annex, held: Sequence[Held] = (), spread: Spread = map
) -> Iterator[Statement]:
    """What holds of a bundle, and what does not. After the first that does not, the rest is not looked at.

    `held` is what the reader has of the log already, verified by the same annex. `spread` is `map`, or does the same
    in several processes: streams do not depend on one another.
    """
    log = Verifier(annex.origin, annex.log_key)
    try:
        yield files_statement(bundle, log)
        yield from paper_statements(bundle, log)
        yield _log_key(bundle, annex)
        claim = opened_claim(bundle, log)
        *names, last = (name for name, _ in figures_of(claim))
        yield passed(
            f"The claim about {claim.subject} is signed by the log {annex.origin}, and its figures are the files"
            f" {', '.join(names)} and {last}."
        )
        yield from _streams(bundle, claim, annex, spread)
        known = {one.size: one for one in heads(bundle, log)}
        yield from _log(bundle, claim, known, log)
        yield from grown_since(known, held)
        yield from witnessed(bundle, annex, known, log)
        stamped, said = stamped_heads(bundle, annex, known)
        yield from said
        yield from entry_statements(bundle, claim, stamped)
    except Broken as error:
        yield failed(f"{error}.")
        return
    yield exposure(stamped, max(known))
    yield truthfulness(annex, {one.stream.agent for one in claim.streams})


def _log_key(bundle: Bundle, annex: Annex) -> Statement:
    if _public_key(bundle, LOG_KEY) != annex.log_key:
        raise Broken(f"{LOG_KEY} is not the key of {annex.origin} in the annex")
    return passed(f"{LOG_KEY} is the key of {annex.origin} in the annex.")


def opened_claim(bundle: Bundle, log: Verifier) -> ClaimNote:
    """The claim of a bundle. Broken unless the log signed it, and the files are those that it names."""
    try:
        claim = parsed_claim(
            opened_note(_read(bundle, CLAIM), [log], bytes_max=BUNDLE_NOTE_BYTES_MAX)
        )
    except (BadNote, BadClaim) as error:
        raise Broken(f"{CLAIM}: {error}") from error
    for name, digest in figures_of(claim):
        if sha256_hex(_read(bundle, name)) != digest:
            raise Broken(f"{name} is not the file that {CLAIM} names")
    if claim.is_of_outage and bundle.has(ATTAINMENT):
        raise Broken(f"{ATTAINMENT}: an outage has none")
    return claim


def figures_of(claim: ClaimNote) -> list[tuple[str, str]]:
    """The files of the figures, and what the claim says their SHA-256 is."""
    found = [(FLEET, claim.fleet_sha256), (TIMELINE, claim.timeline_sha256)]
    if claim.attainment_sha256 is not None:
        found.append((ATTAINMENT, claim.attainment_sha256))
    return found


def _streams(bundle: Bundle, claim: ClaimNote, annex: Annex, spread: Spread) -> Iterator[Statement]:
    """Each stream of the claim, and that there is nothing else."""
    if more := unclaimed(bundle, claim):
        raise Broken(f"{more[0]} belongs to no stream of {CLAIM}")
    keys = {LOG_KEY, *(agent_key(one.stream.agent) for one in claim.streams)}
    if more := [name for name in bundle.names() if name.startswith("keys/") and name not in keys]:
        raise Broken(f"{more[0]} is the key of no agent of {CLAIM}")
    pruned = pruned_seals(bundle)
    streams = [runs for _, runs in by_stream(claim.streams)]
    accounts: list[Account] = []
    for account in spread(partial(_account, bundle, annex, pruned), streams):
        yield _told(account, annex)
        yield from cut_off(account, claim)
        accounts.append(account)
        yield from map(partial(_gap, account.stream), account.gaps)
        if account.pruned:
            yield pruned_statement(account.stream, account.pruned, account.pruned_lines)
    yield results_statement(bundle, claim)
    yield from unheard(accounts, claim, annex)


def _account(bundle: Bundle, annex: Annex, pruned: Pruned, runs: Sequence[Sealed]) -> Account:
    """What a stream says, by the key of its agent in the annex."""
    agent = runs[0].stream.agent
    key = _public_key(bundle, agent_key(agent))
    if not annex.names(agent, key):
        raise Broken(f"{agent_key(agent)} is not a key of agent {agent} in the annex")
    return stream_account(bundle, runs, annex.organisation, key, pruned)


def _told(account: Account, annex: Annex) -> Statement:
    stream = account.stream
    whole = f"but for {len(account.gaps)} gaps" if account.gaps else "without a gap"
    return passed(
        f"Stream {stream.stream} of agent {stream.agent}, epoch {stream.epoch}: {account.seals} seals {whole},"
        f" signed by the agent{run_by(annex, stream.agent)}, {account.lines} lines; {account.missed} of"
        f" {account.scheduled} slots missed."
    )


def _gap(stream: Stream, gap: Gap) -> Statement:
    """What the claim itself says is not there; and how it can be shown that it was."""
    seals = f"Seal {gap.first}" if gap.first == gap.last else f"Seals {gap.first} to {gap.last}"
    return incomplete(
        f"{seals} of stream {stream.stream} of agent {stream.agent} (epoch {stream.epoch}) never came: what it covered"
        f" is not here. The log would hold it as a leaf if it had come: the agent's own copy has SHA-256"
        f" {gap.sha256} (seal {gap.last}), by the seal after it."
    )


def _log(
    bundle: Bundle, claim: ClaimNote, known: Mapping[int, Checkpoint], log: Verifier
) -> Iterator[Statement]:
    """Heads, and every leaf that the bundle shows."""
    if not known:
        raise Broken("expected a head of the log in checkpoints/, found none")
    sizes = sorted(known)
    yield passed(
        f"The log grew from {sizes[0]} to {sizes[-1]} leaves, and every head of it begins with the one before."
    )
    index = leaf_index(bundle, _read(bundle, CLAIM), CLAIM_PROOF, known)
    yield passed(f"The claim is leaf {index} of the log.")
    for one, proof in tips(claim.streams):
        leaf_index(bundle, _read(bundle, one.stream.note(one.last)), proof, known)
    yield passed(
        f"The last seal of each of {len(list(by_stream(claim.streams)))} streams is in the log."
    )
    yield from config_statements(bundle, claim, index, known, log)


def _public_key(bundle: Bundle, name: str) -> bytes:
    data = _read(bundle, name)
    try:
        key = load_pem_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Broken(f"{name}: expected a public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Broken(f"{name}: expected an Ed25519 key, found another kind")
    if key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) != data:
        raise Broken(f"{name}: expected a public key in PEM and nothing else")
    return key.public_bytes_raw()


def _read(bundle: Bundle, name: str) -> bytes:
    try:
        return bundle.read(name)
    except KeyError as error:
        raise Broken(f"{name} is missing") from error
