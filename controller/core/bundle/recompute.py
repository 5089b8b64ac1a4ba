"""Computing anew what a bundle claims: the verdicts from its lines, the figures from the verdicts."""

from collections.abc import Iterator

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.declared import declared_statements
from controller.core.bundle.layout import ATTAINMENT, FLEET, TIMELINE, Bundle
from controller.core.bundle.outage import outage_statement
from controller.core.bundle.statements import Broken, Statement, failed, passed
from controller.core.bundle.terms import terms_statements
from controller.core.bundle.verdicts import verdict_statements
from controller.core.fleet import Fleet, read_fleet
from controller.core.replay import Replay, decode_replay
from controller.core.sla.reports.records import observed_in, records, records_bytes
from vedette.shared.documents import BadDocument


def recomputed(bundle: Bundle, claim: ClaimNote) -> Iterator[Statement]:
    """Whether the figures follow from the verdicts, and these from the lines. The bundle is verified already."""
    try:
        fleet = read_fleet(bundle.read(FLEET), FLEET)
        document = decode_replay(bundle.read(TIMELINE))
    except (BadDocument, ValueError) as error:
        yield failed(f"{FLEET} and {TIMELINE} cannot be read: {error}.")
        return
    try:
        if claim.is_of_outage:
            yield outage_statement(bundle, claim, document)
        else:
            yield from terms_statements(bundle, claim, fleet)
            yield from declared_statements(bundle, claim, fleet)
            yield _figures(bundle, claim, fleet, document)
        yield from verdict_statements(bundle, claim, fleet, document)
    except Broken as error:
        yield failed(f"{error}.")


def _figures(bundle: Bundle, claim: ClaimNote, fleet: Fleet, document: Replay) -> Statement:
    agreement = fleet.contracts.get(claim.contract)
    if agreement is None or any(one not in document.checks for one in agreement.scope.members):
        return failed(f"{FLEET} or {TIMELINE} lacks contract {claim.contract} or a check of it.")
    counting = any(one.is_of_samples for each in agreement.versions for one in each.objectives)
    if counting and any(document.checks[one].samples is None for one in agreement.scope.members):
        return failed(f"{TIMELINE} lacks the samples that objectives of {claim.contract} count.")
    try:
        period = agreement.period.named(claim.label, claim.as_of_us)
    except ValueError as error:
        return failed(f"The claim is about {claim.label}: {error}.")
    if (period.from_us, period.to_us) != (claim.from_us, claim.to_us):
        return failed(f"{claim.label} is another time than the claim says.")
    observed = observed_in(document, fleet, agreement.scope)
    found = records(agreement, period, observed, claim.as_of_us, revision=claim.revision)
    if records_bytes(found) != bundle.read(ATTAINMENT):
        return failed(f"{ATTAINMENT} is not what {FLEET} and {TIMELINE} give.")
    return passed(f"{ATTAINMENT} is what {FLEET} and {TIMELINE} give, byte for byte.")
