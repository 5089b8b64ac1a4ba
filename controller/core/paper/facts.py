"""The facts of a paper: everything that it says, read from the files of its bundle and from nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from controller.core.bundle.claim_note import BadClaim, ClaimNote, parsed_claim
from controller.core.bundle.layout import (
    ATTAINMENT,
    CLAIM,
    FLEET,
    LOG_KEY,
    MANIFEST,
    TIMELINE,
    agent_key,
)
from controller.core.bundle.manifest import sha256_hex
from controller.core.fleet import Fleet, read_fleet
from controller.core.paper.absent import Absent, absent_of
from controller.core.paper.gathering import BadPaper, Gathered
from controller.core.paper.heads import Head, heads_of, roots_of
from controller.core.paper.ledger import Entry, LoggedOutage, entries_of, logged_outages
from controller.core.paper.testimony import Testimony
from controller.core.replay import Replay, decode_replay
from controller.core.sla.reports.records import Record, observed_in
from controller.core.sla.reports.replayed_outages import replayed_outages
from controller.core.sla.reports.report import Facts, report
from controller.core.sla.reports.report_document import (
    KIND,
    VERSION,
    CheckPart,
    ContractPart,
    Made,
    PeriodPart,
    Report,
    ReportedOutage,
)
from vedette.shared.documents import BadDocument
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.note import BadNote, parsed_note

# An outage by itself is of no contract, which would have a zone.
_ZONE: Final = "UTC"


@dataclass(frozen=True, slots=True)
class PaperFacts:
    """A bundle as its paper tells of it.

    `report` is what the figures come to, as a report has them; `logged` is what the log says of its outages; `keys` are public keys by agent, raw; `roots` are authorities, each with the SHA-256
    of its root certificate. `files` counts those of the manifest.
    """

    manifest_sha256: str
    claim: ClaimNote
    origin: str
    log_key: bytes
    keys: Mapping[str, bytes]
    fleet: Fleet
    report: Report
    logged: Sequence[LoggedOutage]
    entries: Sequence[Entry]
    testimonies: Sequence[Testimony]
    heads: Sequence[Head]
    roots: Sequence[tuple[str, str]]
    absent: Sequence[Absent]
    files: int

    def logged_as(self, outage: ReportedOutage) -> LoggedOutage | None:
        """What the log says of an outage."""
        return next((one for one in self.logged if _is_same(one, outage)), None)


def paper_facts(gathered: Gathered) -> PaperFacts:
    """The facts in the files of a bundle. BadPaper says which of them cannot be read. Nothing is verified."""
    note = gathered.read(CLAIM)
    try:
        opened = parsed_note(note, bytes_max=BUNDLE_NOTE_BYTES_MAX)
        claim = parsed_claim(opened.text.decode())
    except (BadNote, BadClaim) as error:
        raise BadPaper(f"{CLAIM}: {error}.") from error
    origin = opened.signatures[0].name
    entries = entries_of(gathered)
    logged = logged_outages(entries)
    fleet, document = _rules(gathered)
    outages = _outages(document, logged)
    told = (
        _outage_report(claim, fleet, outages)
        if claim.is_of_outage
        else _report(gathered, claim, fleet, document, outages)
    )
    agents = sorted({one.stream.agent for one in claim.streams})
    return PaperFacts(
        manifest_sha256=sha256_hex(gathered.read(MANIFEST)),
        claim=claim,
        origin=origin,
        log_key=_raw_key(gathered, LOG_KEY),
        keys={agent: _raw_key(gathered, agent_key(agent)) for agent in agents},
        fleet=fleet,
        report=told,
        logged=logged,
        entries=entries,
        testimonies=gathered.testimonies(),
        heads=heads_of(gathered, origin),
        roots=roots_of(gathered),
        absent=absent_of(claim, entries),
        files=gathered.read(MANIFEST).partition(b"\n\n")[0].count(b"\n"),
    )


def _rules(gathered: Gathered) -> tuple[Fleet, Replay]:
    try:
        return read_fleet(gathered.read(FLEET), FLEET), decode_replay(gathered.read(TIMELINE))
    except (BadDocument, ValueError) as error:
        raise BadPaper(f"{FLEET} and {TIMELINE} cannot be read: {error}.") from error


def _outages(document: Replay, logged: Sequence[LoggedOutage]) -> list[ReportedOutage]:
    """The outages of the timeline by when they began, with what the log knows of where and how they failed."""
    found: list[ReportedOutage] = []
    for one in replayed_outages(document, document.checks):
        known = next((own for own in logged if _is_same(own, one)), None)
        if known is not None:
            one = msgspec.structs.replace(
                one,
                handle=known.handle,
                regions=known.said.regions,
                kinds=known.said.kinds,
            )
        found.append(one)
    return sorted(found, key=lambda one: (one.started_at, one.check))


def _is_same(logged: LoggedOutage, outage: ReportedOutage) -> bool:
    if outage.handle:
        return logged.handle == outage.handle
    is_there = (logged.said.check, logged.said.started_us) == (outage.check, outage.started_at)
    return is_there and not logged.is_retracted


def _report(
    gathered: Gathered,
    claim: ClaimNote,
    fleet: Fleet,
    document: Replay,
    outages: Sequence[ReportedOutage],
) -> Report:
    """The figures of the bundle as a report has them: its records are those of the bundle, as they stand there."""
    agreement = fleet.contracts.get(claim.contract)
    if agreement is None or any(one not in document.checks for one in agreement.scope.members):
        raise BadPaper(f"{FLEET} or {TIMELINE} lacks contract {claim.contract} or a check of it.")
    try:
        period = agreement.period.named(claim.label, claim.as_of_us)
        observed = observed_in(document, fleet, agreement.scope)
        facts = Facts(agreement, fleet, observed, outages, claim.revision, claim.program)
        made = report(facts, period, claim.as_of_us)
        return msgspec.structs.replace(made, records=tuple(_records(gathered)))
    except (ValueError, LookupError) as error:
        raise BadPaper(f"{FLEET}, {TIMELINE} and {CLAIM} do not fit together: {error}.") from error


def _outage_report(claim: ClaimNote, fleet: Fleet, outages: Sequence[ReportedOutage]) -> Report:
    """What there is to tell of one outage: no contract, no figure, and the clocks of UTC."""
    check = fleet.checks.get(claim.check)
    if check is None:
        raise BadPaper(f"{FLEET} lacks check {claim.check}.")
    service = fleet.services[check.service]
    part = CheckPart(id=check.id, service=service.id, service_title=service.title)
    own = (one for one in outages if one.check == check.id and one.started_at < claim.to_us)
    return Report(
        version=VERSION,
        kind=KIND,
        made=Made(as_of=claim.as_of_us, code=claim.program, tzdata=claim.tzdata),
        contract=ContractPart(
            id=claim.label, title="", party="", level="", tz=_ZONE, revision=claim.revision, checks=(part,), terms=()
        ),
        period=PeriodPart(
            label=claim.label, kind="", tz=_ZONE, from_us=claim.from_us, to_us=claim.to_us, until=claim.to_us
        ),
        records=(),
        courses=(),
        exclusions=(),
        outages=tuple(one for one in own if one.ended_at is None or one.ended_at > claim.from_us),
    )  # fmt: skip


def _records(gathered: Gathered) -> list[Record]:
    try:
        document = msgspec.json.decode(gathered.read(ATTAINMENT), type=dict[str, Any])
        records: list[Record] = msgspec.convert(document.get("records"), list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadPaper(f"{ATTAINMENT}: expected records: {error}.") from error
    return records


def _raw_key(gathered: Gathered, name: str) -> bytes:
    try:
        key = load_pem_public_key(gathered.read(name))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadPaper(f"{name}: expected a public key in PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadPaper(f"{name}: expected an Ed25519 key, found another kind.")
    return key.public_bytes_raw()
