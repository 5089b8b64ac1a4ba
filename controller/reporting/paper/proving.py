"""What is proved and what is not; keys, the log, and how to check it all."""

from collections.abc import Iterator
from typing import Final

from controller.core.bundle.layout import ATTAINMENT
from controller.core.bundle.manifest import sha256_hex
from controller.core.paper.absent import Why
from controller.core.paper.heads import Head
from controller.core.paper.ledger import KEY
from controller.reporting.blocks import (
    Align,
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Listing,
    Paragraph,
    Table,
    Tone,
    Verbatim,
    cell,
)
from controller.reporting.figures import NOTHING
from controller.reporting.paper.telling import PaperTelling

_STATEMENTS: Final = (
    ("files", "MANIFEST.note"),
    ("lines", "streams/, keys/, claim.note"),
    ("order", "config/, checkpoints/, consistency/, *.tlog-proof"),
    ("time", "timestamps/"),
    ("witness", "checkpoints/"),
    ("figures", "fleet.yaml, timeline.json, attainment.json, results.jsonl"),
)
_UNPROVED: Final = ("truth", "late", "keys")
_COMMANDS: Final = (
    "sha256sum MANIFEST.note",
    "sh verify.sh annex.txt",
    "vedette verify . --trust annex.txt --recompute",
)
# As many heads as fit on a page, from either end.
_HEADS_SHOWN: Final = 10
_WITNESSES_SHOWN: Final = 5
# Longer lines are broken before the key.
_LINE_MAX: Final = 92


def proving(told: PaperTelling) -> Iterator[Block]:
    """Statements, keys, the log, and commands."""
    yield Heading(told.say("paper.part.proved"))
    yield _statements(told)
    yield Paragraph(told.say("paper.unproved"))
    yield Listing(tuple(told.say(f"paper.unproved.{name}") for name in _UNPROVED))
    yield from _keys(told)
    yield from _log(told)
    yield Heading(told.say("paper.part.check"))
    yield Paragraph(told.say("paper.check"))
    yield Verbatim("", _COMMANDS)


def _statements(told: PaperTelling) -> Table:
    heads = told.facts.heads
    there = {
        "time": any(one.stamps for one in heads),
        "witness": any(one.witnesses for one in heads),
        "figures": all(one.why is not Why.PRUNED for one in told.facts.absent),
    }
    has_missing = any(one.why in (Why.GAP, Why.PRUNED) for one in told.facts.absent)
    columns = (
        Column(told.say("paper.head.statement"), share=4),
        Column(told.say("paper.head.proof"), share=4),
        Column(told.say("paper.head.where"), share=3),
    )
    rows = []
    for name, where in _STATEMENTS:
        is_there = there.get(name, True)
        but = ".but" if name == "lines" and has_missing else ""
        by = told.say(f"paper.proved.{name}.{'by' if is_there else 'none'}")
        rows.append(
            (
                cell(told.say(f"paper.proved.{name}{but}")),
                cell(by, tone=Tone.PLAIN if is_there else Tone.DOUBT),
                cell(_there(told, where) if is_there else NOTHING),
            )
        )
    return Table(told.say("paper.caption.proved"), columns, tuple(rows))


def _there(told: PaperTelling, where: str) -> str:
    """Files without those that this bundle does not have: of an outage there is no attainment."""
    return where.replace(f"{ATTAINMENT}, ", "") if told.facts.claim.is_of_outage else where


def _keys(told: PaperTelling) -> Iterator[Block]:
    facts = told.facts
    yield Heading(told.say("paper.part.keys"))
    yield Paragraph(told.say("paper.keys"))
    lines = [*_line(f"log {facts.origin}", facts.log_key.hex())]
    for agent, key in facts.keys.items():
        lines += _line(f"agent {agent}", key.hex())
        lines += _line(f"agent {agent}", f"sha256:{sha256_hex(key)}")
    for authority, digest in facts.roots:
        lines += _line(f"authority {authority}", f"sha256:{digest}")
    yield Verbatim(told.say("paper.keys.annex"), tuple(lines))
    columns = (
        Column(told.say("paper.head.agent"), share=1),
        Column(told.say("paper.head.entries"), share=3),
    )
    rows = tuple((cell(agent), _entries(told, agent)) for agent in facts.keys)
    yield Table(told.say("paper.caption.enrolled"), columns, rows)


def _line(name: str, key: str) -> list[str]:
    """A line of an annex; two where a long name would break it somewhere."""
    whole = f"{name} {key}"
    return [whole] if len(whole) <= _LINE_MAX else [name, f"  {key}"]


def _entries(told: PaperTelling, agent: str) -> Cell:
    lines: list[str] = []
    for one in told.facts.entries:
        if one.kind == KEY and one.subject == agent:
            standing = one.data.get("standing")
            what = told.say("paper.enrolled")
            if standing:
                what = told.say(
                    "paper.standing", standing=told.texts.word("standing", str(standing))
                )
            entry = told.say("paper.entry", leaf=one.leaf, what=what)
            lines.append(f"{entry}, {told.clock.utc(one.at_us)}")
    return Cell(tuple(lines) or (NOTHING,), main=max(len(lines), 1))


def _log(told: PaperTelling) -> Iterator[Block]:
    facts, say = told.facts, told.say
    yield Heading(say("paper.part.log"))
    rows = [(say("fact.log.name"), (facts.origin,))]
    if facts.heads:
        newest = facts.heads[-1]
        rows += [
            (say("fact.log.size"), (str(newest.size),)),
            (say("fact.log.root"), (newest.root,)),
        ]
    rows += [
        (say("fact.log.heads"), (str(len(facts.heads)),)),
        (say("fact.log.entries"), (str(len(facts.entries)),)),
    ]
    yield Facts(tuple(rows))
    if facts.heads:
        yield _heads(told)


def _heads(told: PaperTelling) -> Table:
    heads = list(told.facts.heads)
    caption = told.say("paper.caption.heads")
    if len(heads) > 2 * _HEADS_SHOWN:
        caption = told.say("paper.caption.heads.some", n=len(heads))
        heads = [*heads[:_HEADS_SHOWN], *heads[-_HEADS_SHOWN:]]
    columns = (
        Column(told.say("paper.head.size"), Align.LEFT, 2),
        Column(told.say("paper.head.root"), Align.LEFT, 10),
        Column(told.say("paper.head.stamps"), Align.LEFT, 5),
        Column(told.say("paper.head.witnesses"), Align.LEFT, 4),
    )
    return Table(caption, columns, tuple(tuple(_head(told, one)) for one in heads))


def _head(told: PaperTelling, one: Head) -> Iterator[Cell]:
    yield cell(str(one.size))
    yield cell(one.root)
    stamps = [
        f"{stamp.authority}, {told.clock.utc(stamp.at_us)}" if stamp.at_us else stamp.authority
        for stamp in one.stamps
    ]
    yield Cell(tuple(stamps) or (NOTHING,), main=max(len(stamps), 1))
    shown, more = one.witnesses[:_WITNESSES_SHOWN], len(one.witnesses) - _WITNESSES_SHOWN
    rest = (told.say("chart.more", n=more),) if more > 0 else ()
    yield Cell((*shown, *rest) or (NOTHING,), main=max(len(shown), 1))
