"""The paper of a bundle as a page, and in the forms in which it stands beside the bundle."""

from collections.abc import Iterator
from pathlib import Path

from controller.core.paper.facts import PaperFacts, paper_facts
from controller.core.paper.gathering import BadPaper, Gathered
from controller.reporting.blocks import Block, Heading, Page
from controller.reporting.catalogue import ENGLISH, Catalogue
from controller.reporting.paper.certificate import certificate
from controller.reporting.paper.cover import cover
from controller.reporting.paper.deciding import deciding
from controller.reporting.paper.happening import clocks, happening
from controller.reporting.paper.proving import proving
from controller.reporting.paper.seeing import seeing
from controller.reporting.paper.telling import PaperTelling
from controller.reporting.rendering import Form, Manner, paged
from controller.reporting.story.money import money
from controller.reporting.story.summary import overview_note, summary


def paper(gathered: Gathered, form: Form, fonts: Path | None = None) -> bytes:
    """The paper of a bundle as text, HTML or PDF: the same files give the same bytes.

    BadPaper says which file cannot be read. BadInput if a PDF needs letters that no font at hand has.
    """
    facts = paper_facts(gathered)
    try:
        return paged(paper_page(facts, ENGLISH), form, Manner(fonts=fonts))
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise BadPaper(f"The files of this bundle do not fit together: {error!r}.") from error


def paper_page(facts: PaperFacts, texts: Catalogue) -> Page:
    """The paper in a language."""
    told = PaperTelling.of(facts, texts)
    period = facts.report.period
    from_, to = told.clock.local(period.from_us), told.clock.local(period.to_us)
    return Page(
        language=texts.language,
        title=told.say("paper.title", contract=told.report.name),
        subtitle=told.say("subtitle", period=period.label, from_=from_, to=to, tz=period.tz),
        foot=told.say("paper.foot", sha256=facts.manifest_sha256),
        dated_us=facts.claim.as_of_us,
        blocks=tuple(_blocks(told)),
    )


def _blocks(told: PaperTelling) -> Iterator[Block]:
    yield from cover(told)
    yield from happening(told)
    yield from clocks(told)
    yield from seeing(told)
    yield from deciding(told)
    if told.report.report.records:
        yield from _costs(told)
    yield from proving(told)
    yield from certificate(told)


def _costs(told: PaperTelling) -> Iterator[Block]:
    """The figures side by side, and what they are worth."""
    yield Heading(told.say("paper.part.costs"))
    yield summary(told.report)
    yield overview_note(told.report)
    for block in money(told.report):
        yield Heading(block.text, block.level + 1) if isinstance(block, Heading) else block
