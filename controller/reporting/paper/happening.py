"""What happened, and when by which clock."""

from collections.abc import Iterator

from controller.core.paper.ledger import LoggedOutage
from controller.core.paper.testimony import ClockAccount, Testimony
from controller.core.sla.reports.report_document import ReportedOutage
from controller.reporting.blocks import (
    Align,
    Block,
    Cell,
    Column,
    Heading,
    Paragraph,
    Picture,
    Table,
    Tone,
    cell,
)
from controller.reporting.charts.timeline import ROWS_MAX
from controller.reporting.figures import NOTHING, exactly
from controller.reporting.paper.saying import saying
from controller.reporting.paper.telling import PaperTelling
from controller.reporting.story.evidence import outages
from controller.reporting.story.objective import calendar


def happening(told: PaperTelling) -> Iterator[Block]:
    """The outages, and those that were taken back."""
    yield Heading(told.say("paper.part.happened"))
    for block in outages(told.report):
        yield (_days(told) or block) if isinstance(block, Picture) else block
    yield from saying(told)
    gone = [one.handle for one in told.facts.logged if one.is_retracted]
    if gone:
        yield Paragraph(told.say("paper.retracted", n=len(gone), handles=", ".join(gone)))


def _days(told: PaperTelling) -> Picture | None:
    """The calendar, in place of a timeline that would have too many rows; None where the timeline tells more."""
    report = told.report.report
    if len(report.outages) + len(report.exclusions) <= ROWS_MAX:
        return None
    courses = zip(report.records, report.courses, strict=False)
    return next(
        (
            calendar(told.report, record, course)
            for record, course in courses
            if course and course.days
        ),
        None,
    )


def clocks(told: PaperTelling) -> Iterator[Block]:
    """When things happened, when they were known, and how the clocks of the agents stood."""
    yield Heading(told.say("paper.part.when"))
    yield Paragraph(told.say("paper.when"))
    if told.report.report.outages:
        yield _known(told)
    yield _offsets(told)


def _known(told: PaperTelling) -> Table:
    heads = (("head.outage", 2), ("paper.head.began", 4), ("paper.head.opened", 4))
    later = (("paper.head.last", 4), ("paper.head.covered", 3))
    columns = tuple(Column(told.say(name), share=width) for name, width in (*heads, *later))
    rows = tuple(tuple(_outage(told, one)) for one in told.report.report.outages)
    return Table(told.say("paper.caption.known"), columns, rows)


def _outage(told: PaperTelling, one: ReportedOutage) -> Iterator[Cell]:
    yield cell(one.handle or NOTHING, one.check)
    yield cell(*told.clock.both(one.started_at))
    logged = told.facts.logged_as(one)
    if logged is None:
        yield cell(told.say("paper.unlogged"), tone=Tone.MUTED)
        yield cell(NOTHING)
        yield cell(NOTHING)
        return
    for place in (0, -1):
        entry, event = logged.entries[place]
        what = told.texts.word("outage.event", event)
        said = told.say("paper.entry", leaf=entry.leaf, what=what)
        yield cell(said, *told.clock.both(entry.at_us))
    yield cell(*_covered(told, logged))


def _covered(told: PaperTelling, logged: LoggedOutage) -> Iterator[str]:
    """The first head over the first entry; and the first one over it that somebody outside vouches for."""
    leaf = logged.entries[0][0].leaf
    over = [head for head in told.facts.heads if head.size > leaf]
    vouched = [head for head in over if head.stamps]
    for head in dict.fromkeys([*over[:1], *vouched[:1]]):
        yield told.say("paper.covered", n=head.size)
        for stamp in head.stamps:
            yield told.say("paper.stamped", who=stamp.authority)
            yield from (told.clock.utc(at_us) for at_us in [stamp.at_us] if at_us is not None)
    if not over:
        yield NOTHING


def _offsets(told: PaperTelling) -> Table:
    heads = (
        ("paper.head.agent", Align.LEFT, 3),
        ("paper.head.offset", Align.LEFT, 4),
        ("paper.head.error", Align.LEFT, 3),
        ("paper.head.moved", Align.LEFT, 3),
        ("paper.head.known", Align.LEFT, 3),
    )
    columns = tuple(Column(told.say(name), side, width) for name, side, width in heads)
    rows = tuple(tuple(_offset(told, one)) for one in told.facts.testimonies)
    return Table(told.say("paper.caption.clocks"), columns, rows)


def _offset(told: PaperTelling, one: Testimony) -> Iterator[Cell]:
    clock = one.clock
    yield cell(one.stream.agent, one.stream.stream)
    if clock.known:
        yield cell(f"{_signed(clock.offset_us_min)} – {_signed(clock.offset_us_max)}")
    else:
        yield cell(NOTHING)
    yield cell(NOTHING if clock.error_us_max is None else exactly(clock.error_us_max))
    is_far = clock.step_us > (clock.error_us_max or 0)
    yield cell(_moved(told, clock), tone=Tone.DOUBT if is_far else Tone.PLAIN)
    unsynced = (told.say("paper.unsynced", n=clock.unsynced),) if clock.unsynced else ()
    yield cell(told.say("paper.known", known=clock.known, seals=one.seals), *unsynced)


def _moved(told: PaperTelling, clock: ClockAccount) -> str:
    """How far a clock was moved: what it drifts is moved back all the time, by less than its error."""
    if not clock.steps:
        return told.say("paper.moved.none")
    return told.say("paper.moved", most=exactly(clock.step_us))


def _signed(us: int) -> str:
    return f"−{exactly(-us)}" if us < 0 else f"+{exactly(us)}"
