"""The certificate: a page to be filled in by a person who can speak to the record, wherever that is asked for."""

from collections.abc import Iterator
from typing import Final

from controller.reporting.blocks import Blanks, Block, Heading, PageBreak, Paragraph, Verbatim
from controller.reporting.paper.telling import PaperTelling, in_fours

# What is asked for, and how many lines there are for it.
_BLANKS: Final = (
    ("name", 1), ("function", 2), ("knowledge", 2), ("did", 3), ("hash", 2), ("result", 2),
)  # fmt: skip
_SIGNED: Final = (("place", 1), ("signature", 1))


def certificate(told: PaperTelling) -> Iterator[Block]:
    """The form, with what the bundle itself can say filled in."""
    facts = told.facts
    yield PageBreak()
    yield Heading(told.say("paper.part.certificate"))
    yield Paragraph(told.say("paper.certificate"))
    digest = facts.manifest_sha256
    yield Verbatim(told.say("paper.certificate.record"), (digest, *in_fours(digest)))
    yield Paragraph(
        told.say(
            "paper.certificate.system",
            version=facts.claim.program,
            origin=facts.origin,
            files=facts.files,
        )
    )
    yield Blanks(tuple((told.say(f"blank.{name}"), count) for name, count in _BLANKS))
    yield Paragraph(told.say("paper.certificate.statement"))
    yield Blanks(tuple((told.say(f"blank.{name}"), count) for name, count in _SIGNED))
