"""The front of a report: verdicts, who agreed on what, and the objectives side by side."""

from collections.abc import Iterator, Sequence

from controller.reporting.blocks import (
    Align,
    Block,
    Cell,
    Column,
    Facts,
    Paragraph,
    Table,
    Tone,
    Verdict,
    cell,
)
from controller.reporting.figures import floored, share
from controller.reporting.story.context import (
    Record,
    Telling,
    attained,
    downtime,
    length,
    target,
    tone,
)

_RIGHT = Align.RIGHT


def front(told: Telling) -> Iterator[Block]:
    """Verdicts first, then the facts that they hang on."""
    for record in told.report.records:
        yield Verdict(told.verdict(record), told.sentence(record), tone(record))
    yield Facts(tuple(_facts(told)))
    yield summary(told)


def _facts(told: Telling) -> Iterator[tuple[str, tuple[str, ...]]]:
    say, contract, period = told.say, told.report.contract, told.report.period
    yield (
        say("fact.contract"),
        (
            told.name,
            say("contract.revision", id=contract.id, revision=contract.revision),
        ),
    )
    if contract.party:
        yield say("fact.party"), (contract.party,)
    yield say("fact.level"), (told.texts.word("level", contract.level),)
    yield (
        say("fact.checks"),
        tuple(
            say("check.of_service", check=one.id, service=one.service_title or one.service)
            for one in contract.checks
        ),
    )
    begins, ends = told.clock.both(period.from_us), told.clock.both(period.to_us)
    yield (
        say("fact.period"),
        (period.label, *(f"{a} – {b}" for a, b in zip(begins, ends, strict=True))),
    )
    yield say("fact.length"), (floored(period.to_us - period.from_us),)
    yield say("fact.as_of"), told.clock.both(told.report.made.as_of)
    yield from _issue(told)
    yield from _circumstances(told)
    yield say("fact.program"), (say("program.version", version=told.report.made.code),)
    yield say("fact.zones"), (told.report.made.tzdata,)


def _issue(told: Telling) -> Iterator[tuple[str, tuple[str, ...]]]:
    """How it was issued, where that is known; else whether its period is over."""
    issue, say, period = told.issue, told.say, told.report.period
    until = told.clock.local(period.until)
    running = (say("period.until", until=until),) if period.until < period.to_us else ()
    if issue is None:
        if running:
            yield say("fact.state"), running
        return
    state = told.texts.word("state", issue.state)
    if issue.revision:
        state = say("issue.revision", state=state, revision=issue.revision)
    yield say("fact.state"), (state, *running)
    if issue.issued_us is not None:
        at = told.clock.local(issue.issued_us)
        yield say("fact.issued"), (say("issue.by", at=at, who=issue.by) if issue.by else at,)
    if issue.reason:
        yield say("fact.reason"), (issue.reason,)
    if issue.sha256:
        yield say("fact.sha256"), (issue.sha256,)


def _circumstances(told: Telling) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the document says of how it was issued: before its time, or while results may have been missing."""
    issue, say = told.report.made.issue, told.say
    if issue is None:
        return
    if issue.is_early:
        yield say("fact.early"), (say("issue.early"),)
    if issue.unheard:
        yield (
            say("fact.unheard"),
            tuple(
                say("issue.heard", agent=agent, at=told.clock.local(at_us))
                if at_us is not None
                else say("issue.never_heard", agent=agent)
                for agent, at_us in issue.unheard
            ),
        )


def summary(told: Telling) -> Table:
    """The objectives of one document."""
    return Table(
        told.say("caption.summary"),
        tuple(_columns(told)),
        tuple(tuple(_row(told, record)) for record in told.report.records),
    )


def overview(tellings: Sequence[Telling]) -> Table:
    """The objectives of several documents, each with its contract and period."""
    first = tellings[0]
    heads = (Column(first.say("head.contract"), share=7, is_whole=True),)
    rows = (
        (cell(told.report.period.label, told.report.contract.id), *_row(told, record))
        for told in tellings
        for record in told.report.records
    )
    return Table(first.say("caption.overview"), (*heads, *_columns(first)), tuple(rows))


def _columns(told: Telling) -> Iterator[Column]:
    for name, side, width in (
        ("objective", Align.LEFT, 6),
        ("target", _RIGHT, 4),
        ("attained", _RIGHT, 5),
        ("coverage", _RIGHT, 4),
        ("downtime", _RIGHT, 6),
        ("left", _RIGHT, 5),
        ("credit", _RIGHT, 5),
        ("verdict", Align.LEFT, 7),
    ):
        yield Column(told.say(f"head.{name}"), side, width)


def _row(told: Telling, record: Record) -> Iterator[Cell]:
    is_judged = record["verdict"] in ("met", "breached")
    yield cell(*told.objective(record))
    yield cell(target(record))
    yield cell(attained(record), tone=Tone.PLAIN if is_judged else Tone.MUTED)
    yield cell(share(record["coverage"]))
    yield cell(*downtime(record))
    yield cell(length(record, "budget_left"))
    yield cell(told.credit(record))
    yield cell(told.verdict(record), tone=tone(record))


def overview_note(told: Telling) -> Paragraph:
    """What brackets in a table of figures mean."""
    return Paragraph(told.say("note.brackets"), Tone.MUTED)
