"""What the figures rest on: the outages and the exclusions of the period."""

from collections.abc import Iterator

from controller.core.sla.report_document import ReportedExclusion, ReportedOutage
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
from controller.reporting.charts.timeline import ROWS_MAX, Bar, timeline_svg
from controller.reporting.figures import NOTHING, bounded, ceiled
from controller.reporting.story.context import Telling


def evidence(told: Telling) -> Iterator[Block]:
    """The timeline, the outages and the exclusions."""
    yield Heading(told.say("part.outages"))
    if bars := _bars(told):
        yield _timeline(told, bars)
    if told.report.outages:
        yield _outages(told)
    else:
        yield Paragraph(told.say("outages.none"))
    yield Heading(told.say("part.exclusions"))
    if told.report.exclusions:
        yield _exclusions(told)
    else:
        yield Paragraph(told.say("exclusions.none"))


def _bars(told: Telling) -> list[Bar]:
    """Outages by when they began, then exclusions."""
    period = told.report.period
    outages = []
    for one in told.report.outages:
        end_us = period.until if one.ended_at is None else one.ended_at
        shown = ceiled(one.downtime) if one.ended_at is not None else told.say("outage.open")
        outages.append(Bar(one.handle or one.check, "outage", one.started_at, end_us, shown))
    exclusions = [
        Bar(one.id, "exclusion", one.from_us, one.to_us, ceiled(one.to_us - one.from_us))
        for one in told.report.exclusions
    ]
    return [*outages, *exclusions]


def _timeline(told: Telling, bars: list[Bar]) -> Picture:
    period = told.report.period
    alt = told.say("alt.timeline", n=len(bars))
    shown = bars[:ROWS_MAX]
    svg = timeline_svg(shown, (period.from_us, period.to_us), told.clock, alt)
    caption = told.say("caption.timeline")
    if len(bars) > len(shown):
        caption = f"{caption}, {told.say('chart.more', n=len(bars) - len(shown))}"
    return Picture(svg, caption, alt)


def _outages(told: Telling) -> Table:
    heads = (
        ("outage", Align.LEFT, 2),
        ("start", Align.LEFT, 3),
        ("end", Align.LEFT, 3),
        ("lasted", Align.RIGHT, 2),
        ("counts", Align.RIGHT, 2),
        ("seen", Align.LEFT, 3),
        ("people", Align.LEFT, 3),
    )
    columns = tuple(Column(told.say(f"head.{name}"), side, width) for name, side, width in heads)
    rows = tuple(tuple(_outage(told, one)) for one in told.report.outages)
    return Table(told.say("caption.outages"), columns, rows)


def _outage(told: Telling, one: ReportedOutage) -> Iterator[Cell]:
    say, clock = told.say, told.clock
    grade = (one.severity,) if one.severity else ()
    yield cell(one.handle or NOTHING, one.check, *grade)
    yield cell(*clock.both(one.started_at))
    yield cell(say("outage.open")) if one.ended_at is None else cell(*clock.both(one.ended_at))
    low, high = one.downtime_min, one.downtime_max
    if low is None or high is None:
        lasted = [ceiled(one.downtime)]
    else:
        lasted = [bounded(one.downtime, low, high)]
    if one.unknown:
        lasted.append(say("outage.unknown", length=ceiled(one.unknown)))
    yield cell(*lasted)
    yield Cell(tuple(_counted(told, one)))
    yield Cell(tuple(_seen(told, one)) or (NOTHING,))
    yield Cell(tuple(_people(told, one)) or (NOTHING,))


def _counted(told: Telling, one: ReportedOutage) -> Iterator[str]:
    """What of it counts; by objective, where these differ."""
    if len(set(one.counted.values())) <= 1:
        yield ceiled(next(iter(one.counted.values()), 0))
        return
    for name, us in one.counted.items():
        yield told.say("outage.counted", objective=name, length=ceiled(us))


def _seen(told: Telling, one: ReportedOutage) -> Iterator[str]:
    if one.regions:
        yield told.say("outage.regions", regions=", ".join(one.regions))
    for kind, count in one.kinds:
        yield told.say("outage.kind", kind=kind, count=count)


def _people(told: Telling, one: ReportedOutage) -> Iterator[str]:
    for key, at_us in (("detected", one.detected_at), ("notified", one.notified_at)):
        if at_us is not None:
            yield told.say(f"outage.{key}", at=told.clock.local(at_us))
    if one.acknowledged_at is not None:
        at = told.clock.local(one.acknowledged_at)
        yield told.say("outage.acknowledged", at=at, who=one.acknowledged_by or NOTHING)


def _exclusions(told: Telling) -> Table:
    heads = (
        ("exclusion", Align.LEFT, 2),
        ("time", Align.LEFT, 3),
        ("declared", Align.LEFT, 3),
        ("why", Align.LEFT, 3),
        ("outcome", Align.LEFT, 3),
    )
    columns = tuple(Column(told.say(f"head.{name}"), side, width) for name, side, width in heads)
    rows = tuple(tuple(_exclusion(told, one)) for one in told.report.exclusions)
    return Table(told.say("caption.exclusions"), columns, rows)


def _exclusion(told: Telling, one: ReportedExclusion) -> Iterator[Cell]:
    say, clock = told.say, told.clock
    yield cell(one.id, told.texts.word("exclusion.type", one.type))
    begins, ends = clock.both(one.from_us), clock.both(one.to_us)
    yield cell(*(f"{a} – {b}" for a, b in zip(begins, ends, strict=True)))
    approved = [say("exclusion.approved", who=who) for who in one.approved_by]
    yield cell(clock.local(one.declared_at), say("exclusion.by", who=one.by), *approved)
    evidence_ = (say("exclusion.evidence", text=one.evidence),) if one.evidence else ()
    yield cell(one.reason or NOTHING, *evidence_)
    lines = tuple(
        say(
            "exclusion.outcome",
            objective=name,
            status=told.texts.word("exclusion.status", status),
            length=ceiled(us),
        )
        for name, _, status, us in one.outcomes
    )
    is_applied = any(us for *_, us in one.outcomes)
    yield Cell(lines or (NOTHING,), Tone.PLAIN if is_applied else Tone.DOUBT)
