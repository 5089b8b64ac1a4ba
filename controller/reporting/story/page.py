"""The report on one contract and one period, and the pack of several."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from controller.core.sla.reports.report_document import Course, Report
from controller.reporting.blocks import Block, Heading, Page, PageBreak
from controller.reporting.catalogue import Catalogue
from controller.reporting.story.clauses import clauses, method
from controller.reporting.story.context import Issue, Telling
from controller.reporting.story.evidence import evidence
from controller.reporting.story.money import money
from controller.reporting.story.objective import objective
from controller.reporting.story.rights import rights
from controller.reporting.story.summary import front, overview, overview_note

Key = tuple[str, str]
"""A contract and the label of a period."""


def report_page(report: Report, texts: Catalogue, issue: Issue | None = None) -> Page:
    """One document as a page."""
    told = Telling.of(report, texts, issue)
    period = report.period
    from_, to = told.clock.local(period.from_us), told.clock.local(period.to_us)
    as_of = told.clock.utc(report.made.as_of)
    return Page(
        language=texts.language,
        title=told.say("title", contract=told.name),
        subtitle=told.say("subtitle", period=period.label, from_=from_, to=to, tz=period.tz),
        foot=told.say("foot", contract=report.contract.id, period=period.label, as_of=as_of),
        dated_us=report.made.as_of,
        blocks=(*_own(told), *method(told)),
    )


def pack_page(
    reports: Sequence[Report], texts: Catalogue, issues: Mapping[Key, Issue] | None = None
) -> Page:
    """Several documents as one page: all of them at a glance, then each in full. At least one."""
    known = issues or {}
    tellings = [
        Telling.of(one, texts, known.get((one.contract.id, one.period.label))) for one in reports
    ]
    first, as_of_us = tellings[0], max(one.made.as_of for one in reports)
    names = {one.contract.id: None for one in reports}
    label = reports[0].period.label
    as_of = first.clock.utc(as_of_us)
    return Page(
        language=texts.language,
        title=first.say("title.pack", period=label),
        subtitle=first.say("subtitle.pack", n=len(names)),
        foot=first.say("foot.pack", period=label, as_of=as_of),
        dated_us=as_of_us,
        blocks=tuple(_pack(tellings)),
    )


def _pack(tellings: Sequence[Telling]) -> Iterator[Block]:
    first = tellings[0]
    yield Heading(first.say("part.overview"))
    yield overview(tellings)
    yield overview_note(first)
    told_of: set[tuple[str, str]] = set()
    for told in tellings:
        period = told.report.period
        yield PageBreak()
        yield Heading(told.say("part.report", contract=told.name, period=period.label))
        key = (told.report.contract.id, repr(told.report.contract.terms))
        for block in _own(told, has_clauses=key not in told_of):
            yield replace(block, level=block.level + 1) if isinstance(block, Heading) else block
        told_of.add(key)
    yield from method(first)


def _own(told: Telling, *, has_clauses: bool = True) -> Iterator[Block]:
    """What a document says by itself; its clauses, unless they were told of before."""
    report = told.report
    yield from front(told)
    before: Course | None = None
    for record, course in zip(report.records, report.courses, strict=True):
        yield from objective(told, record, course, before)
        before = course or before
    yield from evidence(told)
    yield from money(told)
    yield from rights(told)
    if has_clauses:
        yield from clauses(told)
