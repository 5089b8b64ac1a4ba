"""What follows from the periods until this one: rights to terminate, and what is earned back."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UnsetType

from controller.reporting.blocks import (
    Block,
    Column,
    Heading,
    Listing,
    Paragraph,
    Table,
    Tone,
    cell,
)
from controller.reporting.figures import percent, share
from controller.reporting.story.context import Telling


def rights(told: Telling) -> Iterator[Block]:
    """Chains and pools; nothing where the contract has no such clause."""
    found = told.report.rights
    if isinstance(found, UnsetType):
        return
    yield Heading(told.say("part.rights"))
    for chain in found.get("termination", ()):
        yield from _chain(told, chain)
    for pool in found.get("earn_back", ()):
        key = f"earn_back.{pool['standing']}"
        names = {name: pool[name] for name in ("objective", "taken", "label")}
        yield Paragraph(told.say(key, **names))
        yield Listing(tuple(pool["steps"]), is_numbered=True)


def _chain(told: Telling, chain: Mapping[str, Any]) -> Iterator[Block]:
    objective, below = chain["objective"], percent(chain["below"])
    if chain["arose_at"] is not None:
        at = " / ".join(told.clock.both(chain["arose_at"]))
        yield Paragraph(told.say("rights.arose", objective=objective, at=at), Tone.BAD)
    else:
        needed, count = chain["periods"], chain["count"]
        text = told.say(
            "rights.not_arisen", objective=objective, count=count, n=needed, below=below
        )
        yield Paragraph(text)
    if chain["chain"]:
        columns = (
            Column(told.say("head.period"), share=2),
            Column(told.say("head.attained"), share=2),
            Column(told.say("head.state"), share=4),
        )
        rows = tuple(
            (cell(one["label"]), cell(share(one["attainment"])), cell(_said(told, one, below)))
            for one in chain["chain"]
        )
        yield Table(told.say("caption.chain", objective=objective), columns, rows)


def _said(told: Telling, link: Mapping[str, Any], below: str) -> str:
    if link["attainment"] is None:
        return told.say("chain.not_judged")
    return told.say("chain.below" if link["below"] else "chain.not_below", below=below)
