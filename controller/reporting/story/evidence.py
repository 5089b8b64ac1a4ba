"""What the figures rest on: the outages and the exclusions of the period."""

from collections.abc import Iterator
from typing import Final

from controller.core.sla.reports.report_document import Outcome, ReportedExclusion, ReportedOutage
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
from controller.reporting.figures import NOTHING, bounds, ceiled
from controller.reporting.story.context import Telling

# Of what was said against an outage; the document and the log have all of it.
_COUNTER_CHARS: Final = 240


def evidence(told: Telling) -> Iterator[Block]:
    """The timeline, the outages and the exclusions."""
    yield Heading(told.say("part.outages"))
    yield from outages(told)
    yield Heading(told.say("part.exclusions"))
    yield from exclusions(told)


def outages(told: Telling) -> Iterator[Block]:
    """The timeline, and the outages."""
    if bars := _bars(told):
        yield _timeline(told, bars)
    if told.report.outages:
        yield _outages(told)
    else:
        yield Paragraph(told.say("outages.none"))


def exclusions(told: Telling) -> Iterator[Block]:
    """The exclusions, with what came of them."""
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
        outages.append(Bar(one.handle or one.check, True, one.started_at, end_us, shown))
    exclusions = [
        Bar(one.id, False, one.from_us, one.to_us, ceiled(one.to_us - one.from_us))
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
        ("time", Align.LEFT, 4),
        ("lasted", Align.RIGHT, 2),
        ("counts", Align.RIGHT, 2),
        ("seen", Align.LEFT, 3),
        ("people", Align.LEFT, 3),
    )
    columns = tuple(
        Column(told.say(f"head.{name}"), side, width, is_whole=name == "time")
        for name, side, width in heads
    )
    rows = tuple(tuple(_outage(told, one)) for one in told.report.outages)
    return Table(told.say("caption.outages"), columns, rows)


def _outage(told: Telling, one: ReportedOutage) -> Iterator[Cell]:
    say = told.say
    grade = (one.severity,) if one.severity else ()
    yield cell(one.handle or NOTHING, one.check, *grade)
    yield told.span(one.started_at, one.ended_at)
    lasted = [ceiled(one.downtime)]
    low, high = one.downtime_min, one.downtime_max
    if low is not None and high is not None and (low, high) != (one.downtime, one.downtime):
        lasted.append(bounds(low, high))
    if one.unknown:
        lasted.append(say("outage.unknown", length=ceiled(one.unknown)))
    yield cell(*lasted)
    counted = tuple(_counted(told, one))
    yield Cell(counted, main=len(counted))
    yield Cell(tuple(_seen(told, one)) or (NOTHING,))
    yield Cell(tuple(_people(told, one)) or (NOTHING,))


def _counted(told: Telling, one: ReportedOutage) -> Iterator[str]:
    """What of it counts; by objective, where these differ."""
    if not one.counted:
        yield NOTHING
        return
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
    for said in one.counters or ():
        at, text = told.clock.local(said.said_at), " ".join(said.text.split())
        shown = text if len(text) <= _COUNTER_CHARS else f"{text[:_COUNTER_CHARS]}…"
        yield told.say("outage.counter", at=at, who=said.who, text=shown)


def _exclusions(told: Telling) -> Table:
    heads = (
        ("exclusion", Align.LEFT, 2),
        ("time", Align.LEFT, 4),
        ("declared", Align.LEFT, 3),
        ("why", Align.LEFT, 3),
        ("outcome", Align.LEFT, 3),
    )
    columns = tuple(
        Column(told.say(f"head.{name}"), side, width, is_whole=name == "time")
        for name, side, width in heads
    )
    rows = tuple(tuple(_exclusion(told, one)) for one in told.report.exclusions)
    return Table(told.say("caption.exclusions"), columns, rows)


def _exclusion(told: Telling, one: ReportedExclusion) -> Iterator[Cell]:
    say, clock = told.say, told.clock
    yield cell(one.id, told.texts.word("exclusion.type", one.type))
    yield told.span(one.from_us, one.to_us)
    who = [say("exclusion.by", who=one.by)]
    who += [say("exclusion.approved", who=name) for name in one.approved_by]
    if one.logged_at is not None and one.logged_at > one.declared_at:
        who.append(say("exclusion.logged", at=clock.local(one.logged_at)))
    if one.withdrawn_at is not None:
        who.append(say("exclusion.withdrawn", at=clock.local(one.withdrawn_at)))
    yield cell(clock.local(one.declared_at), *who)
    proof = (say("exclusion.evidence", text=one.evidence),) if one.evidence else ()
    yield cell(one.reason or NOTHING, *proof)
    lines = tuple(_outcomes(told, one))
    reasons = tuple(dict.fromkeys(each.why for each in one.outcomes if each.why))
    tone = Tone.PLAIN if any(each.applied for each in one.outcomes) else Tone.DOUBT
    yield Cell((*(lines or (NOTHING,)), *reasons), tone, main=max(len(lines), 1))


def _outcomes(told: Telling, one: ReportedExclusion) -> Iterator[str]:
    """What came of it; by objective, where that is not the same for all."""
    if len({(each.status, each.applied) for each in one.outcomes}) == 1:
        yield _came_of(told, one.outcomes[0])
        return
    for each in one.outcomes:
        outcome = _came_of(told, each)
        yield told.say("exclusion.of", objective=each.objective, outcome=outcome)


def _came_of(told: Telling, one: Outcome) -> str:
    status = told.texts.word("exclusion.status", one.status)
    return told.say("exclusion.outcome", status=status, length=ceiled(one.applied))
