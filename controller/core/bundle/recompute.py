"""Computing anew what a bundle claims: the verdicts from its lines, the figures from the verdicts."""

from collections.abc import Iterator, Sequence

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import ATTAINMENT, FLEET, RESULTS, TIMELINE, Bundle
from controller.core.bundle.outage import extent_in, outage_statement
from controller.core.bundle.settled import settled_us
from controller.core.bundle.statements import Broken, Statement, failed, not_checked, passed
from controller.core.fleet import Fleet, read_fleet
from controller.core.instants import instant_text
from controller.core.replay import (
    Gathered,
    Replay,
    ReplayedInterval,
    decode_replay,
    replay,
    sorted_out,
)
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
            yield _figures(bundle, claim, fleet, document)
        yield _verdicts(bundle, claim, fleet, document)
    except Broken as error:
        yield failed(f"{error}.")


def _figures(bundle: Bundle, claim: ClaimNote, fleet: Fleet, document: Replay) -> Statement:
    agreement = fleet.contracts.get(claim.contract)
    if agreement is None or any(one not in document.checks for one in agreement.scope.members):
        return failed(f"{FLEET} or {TIMELINE} lacks contract {claim.contract} or a check of it.")
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


def _verdicts(bundle: Bundle, claim: ClaimNote, fleet: Fleet, document: Replay) -> Statement:
    until_us = settled_us(bundle, claim, fleet, document.end)
    if until_us <= document.start:
        return not_checked(
            f"Whether {TIMELINE} follows from the lines: the claim was made while its time went on, when not"
            " every line was sealed."
        )
    if _changed_within(bundle, document):
        return not_checked(
            f"Whether {TIMELINE} follows from the lines: rules changed within the time, and {FLEET} has only"
            " the last ones. `vedette replay` recomputes it part by part."
        )
    gathered = Gathered()
    try:
        for line in bundle.read(RESULTS).splitlines():
            gathered.add(line)
    except ValueError as error:
        return failed(f"{RESULTS}: not a result line: {error}.")
    again = replay(
        fleet, sorted_out(fleet, gathered.items), from_us=document.start, to_us=document.end,
        horizon_us=document.horizon, with_bounds=True,
    )  # fmt: skip
    if not fleet.checks.keys() >= document.checks.keys():
        return failed(f"{FLEET} lacks a check of {TIMELINE}.")
    is_whole = until_us == document.end
    if is_whole and claim.is_of_outage and extent_in(again, claim) != extent_in(document, claim):
        return failed(
            f"{TIMELINE} has {claim.label} {extent_in(document, claim)}; the lines give"
            f" {extent_in(again, claim) or 'no outage that begins then'}."
        )
    for name, said in document.checks.items():
        at_us = _difference(
            _before(said.intervals, until_us), _before(again.checks[name].intervals, until_us)
        )
        if at_us is not None:
            return failed(f"{TIMELINE}: the lines give another verdict on {name} at {at_us}.")
    also = f", and so is {claim.label}" if is_whole and claim.is_of_outage else ""
    if not is_whole:
        also = f", up to {instant_text(until_us)}: of what came later not every line was sealed yet"
    return passed(f"The verdicts of {TIMELINE} are those that the lines in {RESULTS} give{also}.")


def _changed_within(bundle: Bundle, document: Replay) -> bool:
    """A fleet file was applied within the time of the document."""
    for name in bundle.names():
        if not (name.startswith("config/") and name.endswith(".note")):
            continue
        kind, when, *_ = bundle.read(name).split(b"\n")
        if kind == b"vedette.fleet/v1" and int(when.removeprefix(b"time ")) > document.start:
            return True
    return False


def _difference(said: Sequence[ReplayedInterval], found: Sequence[ReplayedInterval]) -> int | None:
    """The first instant at which they differ; None if they do not."""
    mine, other = _merged(said), _merged(found)
    for one, two in zip(mine, other, strict=False):
        if one != two:
            return max(one.start, two.start) if one.start != two.start else min(one.end, two.end)
    if len(mine) != len(other):
        return max([*mine, *other], key=lambda one: one.start).start
    return None


def _before(intervals: Sequence[ReplayedInterval], until_us: int) -> list[ReplayedInterval]:
    return [
        ReplayedInterval(one.start, min(one.end, until_us), one.verdict)
        for one in intervals
        if one.start < until_us
    ]


def _merged(intervals: Sequence[ReplayedInterval]) -> list[ReplayedInterval]:
    found: list[ReplayedInterval] = []
    for one in intervals:
        if found and found[-1].end == one.start and found[-1].verdict is one.verdict:
            found[-1] = ReplayedInterval(found[-1].start, one.end, one.verdict)
        else:
            found.append(one)
    return found
