"""The pack of a claim: every file that the other side needs to recompute it."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import yaml

from controller.core.fleet import read_fleet
from controller.core.intervals import clip, length
from controller.core.replay import decode_replay, replay_bytes
from controller.core.sla.claims.claims import ClaimFacts
from controller.core.sla.figures.applied import Status
from controller.core.sla.figures.sampling import Listed
from controller.core.sla.reports.records import Record, observed_in, records, records_bytes
from controller.core.sla.reports.timeline_document import timeline_document
from controller.core.sla.terms.fleet_excerpt import fleet_excerpt, own_scope
from controller.errors import BadInput, Fatal
from controller.ports.storage import Transaction
from controller.reporting.claim_letter import ClaimedOutage, LetterFacts, claim_letter
from controller.reporting.rendering import Form, paged
from controller.services.contracts.claim_basis import Basis, Figures
from controller.services.outages.outage_body import decode_body
from controller.services.outages.request_log import RequestLog, request_log
from vedette.shared.definitions import written_out

FLEET: Final = "fleet.yaml"
TIMELINE: Final = "timeline.json"
ATTAINMENT: Final = "attainment.json"
EXCLUSIONS: Final = "exclusions.json"
CLAIM: Final = "claim.json"
LETTER: Final = "letter"
REPORT: Final = "report.json"
RECOMPUTE: Final = "recompute.sh"
MANIFEST: Final = "MANIFEST"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PackFile:
    """A file of a pack: its name below the folder, what it is, and its content."""

    name: str
    what: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash that stands in the manifest."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Cover:
    """What a letter says besides the figures: its number, who claims, when, and why late."""

    handle: str
    organisation: str
    made_us: int
    late: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes into a pack besides the figures: the samples that were counted, and the sealed report."""

    samples: Mapping[str, Sequence[Listed]]
    report: bytes = b""


def pack(
    tx: Transaction, basis: Basis, claim: ClaimFacts, cover: Cover, beside: Beside
) -> list[PackFile]:
    """The files, the manifest last. Fatal if they do not give the figures that they claim."""
    fleet, timeline = fleet_file(basis), timeline_file(basis, beside.samples)
    found = recomputed(basis, fleet, timeline)
    require_same(basis, found)
    logs = list(_logs(tx, basis))
    command = (
        f"vedette sla compute --config {FLEET} --timeline {TIMELINE} --contract {claim.contract}"
        f" --period {claim.label} --as-of {claim.as_of_us} --revision {basis.agreed.revision} --json"
        f" | cmp - {ATTAINMENT}"
    )
    evidence = [
        PackFile(CLAIM, "this claim, for programs", b""),
        PackFile(FLEET, "what the fleet file in force says of the contract and its checks", fleet),
        PackFile(TIMELINE, "the verdicts on the period, with bounds", timeline),
        PackFile(ATTAINMENT, "the records of attainment", records_bytes(found)),
        PackFile(RECOMPUTE, "how to recompute them", f"#!/bin/sh\n{command}\n".encode()),
        PackFile(EXCLUSIONS, "exclusions as they were declared", _exclusions(basis)),
        *([PackFile(REPORT, "the sealed report", beside.report)] if beside.report else []),
        *(PackFile(one.file, _log_text(one, log), log.lines) for one, log in logs if log.lines),
    ]
    facts = LetterFacts(
        cover.handle, cover.organisation, cover.made_us, claim, basis.claimed, basis.steps,
        [one for one, _ in logs], [(one.name, one.what) for one in evidence], command,
        written_out(basis.terms), cover.late,
    )  # fmt: skip
    evidence[0] = replace(evidence[0], content=_claim(facts, basis))
    files = [*_letters(facts), *evidence]
    return [*files, PackFile(MANIFEST, "", manifest(files))]


def recomputed(basis: Figures, fleet: bytes, timeline: bytes) -> list[Record]:
    """The records that `vedette sla compute` gives for the files of a pack."""
    read = read_fleet(fleet, FLEET)
    agreement = read.contracts[basis.agreed.contract.first.id]
    observed = observed_in(decode_replay(timeline), read, agreement.scope)
    return records(
        agreement, basis.period, observed, basis.horizon_us, revision=basis.agreed.revision
    )


def require_same(basis: Figures, found: Sequence[Record]) -> None:
    """Fatal unless the files of a pack give what is claimed.

    Where and when an exclusion came to be known a file cannot say: only what came of it is compared.
    """
    if [_figures(one) for one in found] != [_figures(one) for one in basis.records]:
        raise Fatal(
            f"The files for {basis.period.label} would not give the figures that it claims, so none were made:"
            " this is a fault of the program. `vedette sla status --json` has the figures."
        )


def _figures(record: Record) -> bytes:
    """A record without where its exclusions came from; those that were withdrawn have no effect."""
    outcomes = [
        (one["id"], one["status"], one["applied"])
        for one in record["exclusions"]
        if one["status"] != Status.WITHDRAWN
    ]
    return msgspec.json.encode({**record, "exclusions": outcomes})


def manifest(files: Sequence[PackFile]) -> bytes:
    """What `sha256sum -c` reads."""
    return "".join(f"{one.sha256}  {one.name}\n" for one in files).encode()


def fleet_file(basis: Figures) -> bytes:
    """What the fleet file in force says of the contract and its checks."""
    agreed = basis.agreed
    excerpt = fleet_excerpt(
        agreed.fleet.document.data,
        agreed.contract.first.id,
        agreed.contract.scope,
        basis.seen.observed.exclusions,
    )
    head = "# What the fleet file in force says of this contract and its checks; what it says of others is left out.\n"
    return fleet_text(head, excerpt)


def fleet_text(head: str, excerpt: Mapping[str, Any]) -> bytes:
    """An excerpt of a fleet file as a file, a remark first."""
    return (head + yaml.safe_dump(excerpt, sort_keys=False, allow_unicode=True)).encode()


def timeline_file(basis: Figures, samples: Mapping[str, Sequence[Listed]]) -> bytes:
    """The verdicts on the period, with bounds."""
    seen = basis.seen
    return replay_bytes(
        timeline_document(seen.members, samples, seen.from_us, seen.to_us, basis.horizon_us)
    )


def _exclusions(basis: Basis) -> bytes:
    """Every exclusion with when it came to be known, who approved it, and what came of it by objective.

    Of which other checks it is nothing is said.
    """
    agreed = basis.agreed
    own = [(name, agreed.fleet.checks[name].service) for name in agreed.contract.scope.members]
    listed = [
        {
            **written_out(one.exclusion),
            "scope": own_scope(one.exclusion, own),
            "source": one.source,
            "logged_at": one.logged_us,
            "approvals": list(one.approvals),
            "withdrawn_at": one.withdrawn_us,
            "outcomes": [
                {
                    "objective": record["objective"],
                    "from": record["period"]["from"],
                    **{key: said[key] for key in ("status", "applied", "why")},
                }
                for record in basis.records
                for said in record["exclusions"]
                if said["id"] == one.exclusion.id
            ],
        }
        for one in basis.seen.observed.exclusions
    ]
    return _json({"version": 1, "exclusions": listed})


def _logs(tx: Transaction, basis: Basis) -> Iterator[tuple[ClaimedOutage, RequestLog]]:
    """The outages that touch the period, by when they began, each with the results around it."""
    period = basis.period
    counted = _down(basis)
    for name in basis.agreed.contract.scope.members:
        check = basis.agreed.fleet.checks[name]
        for one in reversed(tx.outages(name, period.from_us, period.to_us)):
            if one.started_us >= period.to_us:
                continue
            body, until_us = decode_body(one.body), one.ended_us or basis.horizon_us
            file = f"requests/{one.handle}.jsonl"
            around_us = check.freshness_us
            log = request_log(tx, name, one.started_us - around_us, until_us + around_us)
            own_us = length(clip(counted, one.started_us, until_us))
            kinds = [f"{kind} ({count})" for kind, count in body.kinds]
            yield (
                ClaimedOutage(
                    one.handle, name, one.started_us, one.ended_us, own_us, body.regions, kinds,
                    log.shown, log.left_out, file,
                ),
                log,
            )  # fmt: skip


def _log_text(one: ClaimedOutage, log: RequestLog) -> str:
    left_out = f"; {log.left_out} of its middle are left out" if log.left_out else ""
    gone = f"; {log.gone} are not kept any more" if log.gone else ""
    return f"{log.shown} results around {one.handle}, as the probes reported them{left_out}{gone}"


def _down(basis: Basis) -> list[tuple[int, int]]:
    """When the contract's checks were DOWN in the period, before anything is excluded."""
    down = [(s.from_us, s.to_us) for s in basis.seen.observed.stretches if s.verdict == "DOWN"]
    return [(one[0], one[1]) for one in clip(down, *basis.period[:2])]


def _letters(facts: LetterFacts) -> Iterator[PackFile]:
    page = claim_letter(facts)
    yield PackFile(f"{LETTER}.txt", "the letter", paged(page, Form.TEXT))
    yield PackFile(f"{LETTER}.html", "the letter", paged(page, Form.HTML))
    try:
        yield PackFile(f"{LETTER}.pdf", "the letter", paged(page, Form.PDF))
    except (BadInput, ModuleNotFoundError) as error:
        # It is an extra, and its fonts do not have the letters of every name: the other two say the same.
        log.warning("claim.without_pdf", extra={"claim": facts.handle, "reason": str(error)})


def _claim(facts: LetterFacts, basis: Basis) -> bytes:
    return _json(
        {
            "version": 1,
            "claim": facts.handle,
            "from": facts.organisation,
            "made_at": facts.made_us,
            "late": facts.late,
            **msgspec.to_builtins(facts.claim),
            "credits": [
                {"objective": one["objective"], "from": one["period"]["from"], **one["credits"]}
                for one in basis.claimed
            ],
            "steps": list(basis.steps),
            "outages": [msgspec.to_builtins(one) for one in facts.outages],
            "command": facts.command,
        }
    )


def _json(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
