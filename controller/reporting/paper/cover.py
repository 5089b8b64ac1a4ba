"""The front of a paper: what was found, which bundle it is about, and the hash that binds the two."""

from collections.abc import Iterator

from controller.reporting.blocks import Block, Facts, Paragraph, Verbatim, Verdict
from controller.reporting.paper.telling import PaperTelling, in_fours
from controller.reporting.story.context import tone


def cover(told: PaperTelling) -> Iterator[Block]:
    """Verdicts, the hash of the manifest in full, and what the bundle is about."""
    for record in told.report.report.records:
        yield Verdict(told.report.verdict(record), told.report.sentence(record), tone(record))
    yield from binding(told)
    yield Paragraph(told.say("paper.note"))
    yield Facts(tuple(_facts(told)))


def binding(told: PaperTelling) -> Iterator[Block]:
    """The hash of the manifest, in full and in groups."""
    digest = told.facts.manifest_sha256
    yield Verbatim(told.say("paper.manifest"), (digest,))
    yield Verbatim(told.say("paper.manifest.groups"), in_fours(digest))


def _facts(told: PaperTelling) -> Iterator[tuple[str, tuple[str, ...]]]:
    say, facts, report = told.say, told.facts, told.report.report
    contract, period, claim = report.contract, report.period, facts.claim
    revision = say("contract.revision", id=contract.id, revision=contract.revision)
    if claim.is_of_outage:
        revision = say("paper.outage.revision", check=claim.check, revision=claim.revision)
    yield (
        say("fact.outage" if claim.is_of_outage else "fact.contract"),
        (told.report.name, revision),
    )
    if contract.party:
        yield say("fact.party"), (contract.party,)
    yield (
        say("fact.checks"),
        tuple(
            say("check.of_service", check=one.id, service=one.service_title or one.service)
            for one in contract.checks
        ),
    )
    begins, ends = told.clock.both(period.from_us), told.clock.both(period.to_us)
    spans = (f"{a} – {b}" for a, b in zip(begins, ends, strict=True))
    label = () if claim.is_of_outage else (period.label,)
    yield say("fact.period"), (*label, *spans)
    yield say("fact.as_of"), told.clock.both(claim.as_of_us)
    yield say("fact.log"), (facts.origin,)
    yield say("fact.supersedes"), (claim.supersedes or say("paper.supersedes.none"),)
    yield say("fact.program"), (say("program.version", version=claim.program),)
    yield say("fact.zones"), (claim.tzdata,)
