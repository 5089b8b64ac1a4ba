"""What people said of outages and against figures: it stands in the log, and moves no figure by itself."""

from collections.abc import Iterator
from typing import Final

from controller.core.paper.ledger import COUNTER, REMARK, Entry
from controller.reporting.blocks import Block, Cell, Column, Table, cell
from controller.reporting.paper.telling import PaperTelling

_TEXT_MAX: Final = 400


def saying(told: PaperTelling) -> Iterator[Block]:
    """A table of it, in the order of the log; nothing where nobody said anything."""
    rows = [tuple(_row(told, one)) for one in told.facts.entries if one.kind in (REMARK, COUNTER)]
    if not rows:
        return
    heads = (
        ("head.outage", 2),
        ("paper.head.entered", 4),
        ("paper.head.who", 2),
        ("paper.head.said", 6),
    )
    columns = tuple(Column(told.say(name), share=width) for name, width in heads)
    yield Table(told.say("paper.caption.said"), columns, tuple(rows))


def _row(told: PaperTelling, one: Entry) -> Iterator[Cell]:
    data = one.data
    kind = COUNTER if one.kind == COUNTER else str(data.get("kind", ""))
    yield cell(one.subject)
    what = told.texts.word("remark", kind)
    yield cell(told.say("paper.entry", leaf=one.leaf, what=what), *told.clock.both(one.at_us))
    yield cell(str(data.get("who", "")), str(data.get("role", "")))
    text = str(data.get("text", ""))
    yield cell(text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]} …", *_file(told, one))


def _file(told: PaperTelling, one: Entry) -> Iterator[str]:
    """The file that it rests on, where there is one."""
    if one.data.get("file_name"):
        yield told.say("paper.file", name=one.data["file_name"])
        yield str(one.data.get("sha256", ""))
