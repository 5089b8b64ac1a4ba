"""How it was decided: the rule of the votes, the votes, unknown time, and exclusions with their place in the log."""

from collections.abc import Iterator
from typing import Final

from controller.core.paper.ledger import CHECK, EXCLUSION, Entry, LoggedOutage
from controller.core.policy import policy_of
from controller.core.sla.reports.report_document import ReportedExclusion
from controller.reporting.blocks import (
    Align,
    Block,
    Cell,
    Column,
    Heading,
    Listing,
    Paragraph,
    Table,
    Tone,
    cell,
)
from controller.reporting.figures import NOTHING, ceiled, exactly
from controller.reporting.paper.ruling import ruling
from controller.reporting.paper.telling import PaperTelling
from controller.reporting.story.evidence import exclusions
from vedette.shared.definitions import Check

# Votes of more outages than that take a line each.
_OUTAGES_IN_FULL: Final = 20


def deciding(told: PaperTelling) -> Iterator[Block]:
    """Rules, votes, unknown time and exclusions."""
    yield Heading(told.say("paper.part.decided"))
    checks = [one.id for one in told.report.report.contract.checks]
    yield Listing(tuple(_rule(told, told.facts.fleet.checks[name]) for name in checks))
    if any(
        one.kind == CHECK and one.at_us > told.facts.claim.from_us for one in told.facts.entries
    ):
        yield Paragraph(told.say("paper.rule.changed"), Tone.DOUBT)
    if votes := [one for one in _own(told) if one.said.votes]:
        yield _votes(told, votes)
    yield from ruling(told, _own(told))
    if rows := tuple(_unknown(told)):
        heads = ("head.objective", "paper.head.unknown", "head.taken_for", "paper.head.excluded")
        columns = tuple(Column(told.say(one)) for one in heads)
        yield Table(told.say("paper.caption.unknown"), columns, rows)
    if told.facts.claim.is_of_outage:
        return
    yield Heading(told.say("part.exclusions"), 2)
    yield from exclusions(told.report)
    if told.report.report.exclusions:
        yield _entered(told)


def _own(told: PaperTelling) -> list[LoggedOutage]:
    """What the log says of the outages of the paper, in their order."""
    found = (told.facts.logged_as(one) for one in told.report.report.outages)
    return [one for one in found if one is not None]


def _rule(told: PaperTelling, check: Check) -> str:
    """How one check is judged, in a few sentences."""
    policy = policy_of(check)
    rule = told.say(f"rule.{policy.rule.value}", k=policy.k, fraction=policy.fraction)
    if policy.domains:
        rule = f"{rule} {told.say('rule.domains')}"
    return told.say(
        "paper.rule",
        check=check.id,
        every=check.every,
        regions=", ".join(policy.regions),
        rule=rule,
        fail_after=policy.fail_after,
        recover_after=policy.recover_after,
        freshness=exactly(policy.freshness_us),
        least=policy.min_evidence,
    )


def _votes(told: PaperTelling, logged: list[LoggedOutage]) -> Table:
    columns = (
        Column(told.say("head.outage"), share=1),
        Column(told.say("paper.head.votes"), share=5),
    )
    is_long = len(logged) <= _OUTAGES_IN_FULL
    rows = tuple(
        (cell(one.handle, one.said.check), _vote(told, one, is_long=is_long)) for one in logged
    )
    return Table(told.say("paper.caption.votes"), columns, rows)


def _vote(told: PaperTelling, one: LoggedOutage, *, is_long: bool) -> Cell:
    """A line for each region; without since when it was certain, one for all of them."""
    lines = [
        told.say("paper.vote", region=vote.region, label=vote.label)
        if vote.confirmed_us is None or not is_long
        else told.say(
            "paper.vote.since",
            region=vote.region,
            label=vote.label,
            at=told.clock.local(vote.confirmed_us),
        )
        for vote in one.said.votes
    ]
    return Cell(tuple(lines), main=len(lines)) if is_long else cell(", ".join(lines))


def _unknown(told: PaperTelling) -> Iterator[tuple[Cell, ...]]:
    """A row for each record that is judged by time."""
    for record in told.report.report.records:
        if "unknown" not in record or "unknown" not in record["clauses"]:
            continue
        policy = str(record["clauses"]["unknown"]).partition("(")[0]
        yield (
            cell(*told.report.objective(record)),
            cell(ceiled(record["unknown"]) if record["unknown"] else NOTHING),
            cell(told.texts.word("policy", policy)),
            cell(ceiled(record["excluded"]) if record["excluded"] else NOTHING),
        )


def _entered(told: PaperTelling) -> Table:
    columns = tuple(
        Column(told.say(name), Align.LEFT, width)
        for name, width in (
            ("head.exclusion", 3),
            ("paper.head.entered", 4),
            ("paper.head.begins", 4),
            ("paper.head.after", 3),
        )
    )
    rows = tuple(tuple(_exclusion(told, one)) for one in told.report.report.exclusions)
    return Table(told.say("paper.caption.entered"), columns, rows)


def _exclusion(told: PaperTelling, one: ReportedExclusion) -> Iterator[Cell]:
    yield cell(one.id)
    entries = [e for e in told.facts.entries if e.kind == EXCLUSION and e.subject == one.id]
    if not entries:
        yield cell(told.say("paper.exclusion.file"), tone=Tone.MUTED)
    else:
        lines = [line for entry in entries for line in _place(told, entry)]
        yield Cell(tuple(lines), main=len(lines))
    yield cell(*told.clock.both(one.from_us))
    if not entries:
        yield cell(NOTHING)
        return
    is_after = entries[0].at_us > one.from_us
    word = told.say("paper.after.yes" if is_after else "paper.after.no")
    later = (
        told.say("paper.after.outage", outage=outage.handle, leaf=outage.entries[0][0].leaf)
        for outage in _own(told)
        if _touches(outage, one) and outage.entries[0][0].leaf < entries[0].leaf
    )
    yield cell(word, *later, tone=Tone.DOUBT if is_after else Tone.PLAIN)


def _touches(outage: LoggedOutage, one: ReportedExclusion) -> bool:
    is_before = outage.said.ended_us is not None and outage.said.ended_us <= one.from_us
    return not is_before and outage.said.started_us < one.to_us


def _place(told: PaperTelling, entry: Entry) -> Iterator[str]:
    what = str(entry.data.get("kind", ""))
    yield told.say("paper.entry", leaf=entry.leaf, what=told.texts.word("exclusion.event", what))
    yield told.clock.local(entry.at_us)
