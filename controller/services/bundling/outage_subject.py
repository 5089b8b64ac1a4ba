"""A bundle about one outage: what its check saw around it, and what became of it in the ledger."""

from collections.abc import Iterator

from controller.core.bundle import layout
from controller.core.replay import replay_bytes
from controller.core.sla.reports.timeline_document import timeline_document
from controller.core.sla.terms.fleet_excerpt import check_excerpt
from controller.errors import NotFound, Rejected
from controller.ports.events import EventKind, OutageEvent
from controller.ports.leaves import LeafKind
from controller.ports.storage import Transaction
from controller.services.bundling.rules import fleets_in_force
from controller.services.bundling.subject import Subject, around, claimed
from controller.services.contracts.claim_pack import fleet_text
from controller.services.contracts.declared import declared
from controller.services.contracts.observing import known_of
from controller.services.contracts.sight import StoredSight
from controller.services.contracts.terms import InForce, Terms
from controller.services.outages.outage_body import OutageBody, decode_body
from controller.services.outages.outage_names import number_of
from controller.services.timeline.evaluate import Evaluator

_HEAD = "# What the fleet file in force says of this check and its service; what it says of others is left out.\n"


def outage_subject(
    tx: Transaction, evaluator: Evaluator, terms: Terms, handle: str, now_us: int
) -> Subject:
    """An outage as it is known now, open or over. Rejected says why there can be no bundle about it."""
    event = _last_event(tx, handle)
    body, check = decode_body(event.body), event.check
    if evaluator.is_behind(check):
        raise Rejected(f"Late results of {check} are being judged just now: try again in a minute.")
    force = _in_force(tx, terms, event, body)
    own = force.fleet.checks[check]
    ended_us = now_us if body.ended_us is None else min(body.ended_us, now_us)
    from_us = body.started_us - around([own])
    to_us = min(ended_us + around([own]), now_us)
    known = known_of(StoredSight(tx, evaluator, now_us), check, (from_us, to_us), 0)
    files = {
        layout.FLEET: fleet_text(_HEAD, check_excerpt(force.fleet.document.data, [check])),
        layout.TIMELINE: replay_bytes(
            timeline_document({check: known}, {}, from_us, to_us, now_us)
        ),
    }
    when = event.handle, body.started_us, ended_us
    return Subject(
        name=f"bundle {event.handle}",
        act=(event.handle, ""),
        title=event.handle,
        claim=claimed("", event.revision, when, now_us, files, check=check),
        files=files,
        checks=[own],
        from_us=from_us,
        to_us=to_us,
        rules=list(_rules(tx, force, event, (from_us, to_us), now_us)),
    )


def _last_event(tx: Transaction, handle: str) -> OutageEvent:
    """The last that was learnt of it. What stands alone by its lines is an outage of a check as a whole."""
    number = number_of(handle)
    events = tx.newest_events([number])
    if not events:
        raise NotFound(f"Expected an outage that there is or was, found OUT-{number}.")
    last = events[0]
    if last.kind is EventKind.RETRACTED:
        into = f", and is part of OUT-{last.absorbed_by}" if last.absorbed_by else ""
        raise Rejected(
            f"{last.handle} was retracted: by the evidence that is known now there was no such outage{into}. A bundle"
            " of the contract and the period holds what was learnt of it."
        )
    if region := decode_body(last.body).region:
        raise Rejected(
            f"{last.handle} is an outage of region {region} alone, which verdicts of the check do not show: expected"
            f" an outage of all of {last.check}. `vedette outage list` shows them."
        )
    return last


def _in_force(tx: Transaction, terms: Terms, event: OutageEvent, body: OutageBody) -> InForce:
    """The file that was in force when it began; or, for what was judged by a later one, when it was learnt."""
    for at_us in (body.started_us, event.detected_us, event.recorded_us):
        force = terms.in_force(tx, at_us)
        if force is not None and event.check in force.fleet.checks:
            return force
    raise Rejected(
        f"No fleet file that was in force at {event.handle} has check {event.check}: nothing says how it was judged."
    )


def _rules(
    tx: Transaction, force: InForce, event: OutageEvent, span: tuple[int, int], now_us: int
) -> Iterator[tuple[LeafKind, str]]:
    check = force.fleet.checks[event.check]
    yield from fleets_in_force(tx, *span)
    yield LeafKind.CHECK, check.id
    for outage in tx.outages(check.id, *span):
        yield LeafKind.OUTAGE, outage.handle
        yield LeafKind.REMARK, outage.handle
        for about in sorted({one.subject for one in tx.counters_of(outage.handle)}):
            yield LeafKind.COUNTER, about
    for one in declared(force.fleet, force.logged, tx.exclusion_entries(now_us)):
        exclusion = one.declaration.exclusion
        if exclusion.covers(check.id, check.service) and exclusion.touches(*span):
            yield LeafKind.EXCLUSION, exclusion.id
