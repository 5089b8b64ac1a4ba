"""By whom it was seen: each agent's streams, how much of them is sealed, and what was missed."""

from collections.abc import Iterator

from controller.core.paper.absent import Why
from controller.core.paper.ledger import KEY
from controller.core.paper.testimony import Testimony
from controller.reporting.blocks import Align, Block, Cell, Column, Heading, Paragraph, Table, cell
from controller.reporting.paper.telling import PaperTelling
from vedette.shared.identity import ANCHORS


def seeing(told: PaperTelling) -> Iterator[Block]:
    """The streams, and what they say of who stands behind them."""
    yield Heading(told.say("paper.part.whom"))
    yield _streams(told)
    yield Paragraph(told.say("paper.missed.text"))
    yield Paragraph(told.say("paper.operators"))
    if told.facts.absent:
        yield Paragraph(told.say("paper.absent"))
        yield _absent(told)


def _streams(told: PaperTelling) -> Table:
    heads = (
        ("paper.head.agent", Align.LEFT, 3),
        ("paper.head.stream", Align.LEFT, 3),
        ("paper.head.seals", Align.LEFT, 2),
        ("paper.head.lines", Align.LEFT, 2),
        ("paper.head.missed", Align.LEFT, 3),
        ("paper.head.sealed", Align.LEFT, 5),
    )
    columns = tuple(Column(told.say(name), side, width) for name, side, width in heads)
    rows = tuple(tuple(_stream(told, one)) for one in told.facts.testimonies)
    return Table(told.say("paper.caption.streams"), columns, rows)


def _absent(told: PaperTelling) -> Table:
    heads = ("paper.head.agent", "paper.head.stream", "paper.head.run", "paper.head.why")
    columns = tuple(
        Column(told.say(name), share=width) for name, width in zip(heads, (2, 2, 3, 6), strict=True)
    )
    rows = []
    for one in told.facts.absent:
        stream = one.stream
        unit = "seals" if one.why in (Why.GAP, Why.PRUNED) else "lines"
        run = told.say(f"paper.run.{unit}", first=one.first, last=one.last)
        leaf = () if one.leaf is None else (told.say("paper.leaf", leaf=one.leaf),)
        epoch = told.say("paper.epoch", epoch=stream.epoch)
        why = cell(told.say(f"paper.absent.{one.why.value}"), *leaf)
        rows.append((cell(stream.agent), cell(stream.stream, epoch), cell(run), why))
    return Table(told.say("paper.caption.absent"), columns, tuple(rows))


def _stream(told: PaperTelling, one: Testimony) -> Iterator[Cell]:
    stream = one.stream
    yield cell(stream.agent, *_places(told, stream.agent))
    service = told.say("paper.anchors") if stream.stream == ANCHORS else stream.stream
    yield cell(service, told.say("paper.epoch", epoch=stream.epoch))
    runs = sum(sealed.stream == stream for sealed in told.facts.claim.streams)
    gaps = (told.say("paper.runs", n=runs),) if runs > 1 else ()
    yield cell(str(one.seals), f"{one.first} – {one.last}", *gaps)
    yield cell(str(one.lines))
    yield cell(told.say("paper.missed", missed=one.missed, scheduled=one.scheduled))
    yield Cell((told.clock.local(one.from_us), told.clock.local(one.to_us)), main=2)


def _places(told: PaperTelling, agent: str) -> Iterator[str]:
    """The region that the agent was enrolled for, and whose network that is in."""
    regions = dict.fromkeys(
        str(one.data["region"])
        for one in told.facts.entries
        if one.kind == KEY and one.subject == agent and one.data.get("region")
    )
    for region in regions:
        yield told.say("paper.region", region=region)
        known = told.facts.fleet.regions.get(region)
        if known is not None and known.provider:
            yield told.say("paper.provider", provider=known.provider)
