"""When rules were entered in the log: what was changed after an outage had begun shows."""

from collections.abc import Iterator, Sequence
from typing import Final

from controller.core.paper.ledger import CHECK, FLEET, REPORT, Entry, LoggedOutage
from controller.reporting.blocks import Cell, Column, Table, cell
from controller.reporting.figures import NOTHING
from controller.reporting.paper.telling import PaperTelling

# As many as fit on a page, from either end; and as many handles as fit into a cell.
_SHOWN: Final = 15
_HANDLES_SHOWN: Final = 6


def ruling(told: PaperTelling, logged: Sequence[LoggedOutage]) -> Iterator[Table]:
    """A table of files, revisions of checks and reports; `logged` are the outages of the paper."""
    entries = [one for one in told.facts.entries if one.kind in (FLEET, CHECK, REPORT)]
    caption = told.say("paper.caption.rules")
    if len(entries) > 2 * _SHOWN:
        caption = told.say("paper.caption.rules.some", n=len(entries))
        entries = [*entries[:_SHOWN], *entries[-_SHOWN:]]
    heads = (("paper.head.rule", 4), ("paper.head.entered", 4), ("paper.head.before", 3))
    columns = tuple(Column(told.say(name), share=width) for name, width in heads)
    if entries:
        rows = tuple(tuple(_row(told, one, logged)) for one in entries)
        yield Table(caption, columns, rows)


def _row(told: PaperTelling, one: Entry, logged: Sequence[LoggedOutage]) -> Iterator[Cell]:
    data = one.data
    what = {
        FLEET: ("paper.rules.fleet", str(data.get("file_name", ""))),
        CHECK: ("paper.rules.check", one.subject),
        REPORT: ("paper.rules.report", one.subject),
    }
    key, name = what[one.kind]
    yield cell(told.say(key, name=name, who=data.get("applied_by", "")))
    yield cell(told.say("paper.leaf", leaf=one.leaf), *told.clock.both(one.at_us))
    begun = [outage.handle for outage in logged if outage.entries[0][0].leaf < one.leaf]
    shown, more = begun[:_HANDLES_SHOWN], len(begun) - _HANDLES_SHOWN
    rest = (told.say("chart.more", n=more),) if more > 0 else ()
    yield cell(", ".join(shown) or NOTHING, *rest)
