"""What a page is made of, before it is text, HTML or PDF.

Whoever writes for people (reports, letters) makes blocks; the forms know blocks and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How something is to be read. Colour never says it alone: the words do."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    DOUBT = "doubt"
    MUTED = "muted"


class Align(StrEnum):
    """On which side the cells of a column stand."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: lines one under the other. The first `main` of them say it; the others explain it, smaller."""

    lines: tuple[str, ...]
    tone: Tone = Tone.PLAIN
    main: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its head. `share` is how much of the width it takes, beside the others.

    The lines of one that `is_whole` are not broken: they are instants.
    """

    head: str
    align: Align = Align.LEFT
    share: int = 1
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: of level 1 for a part of the page, 2 for a part of that, and so on."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Listing:
    """Sentences one after another; numbered where their order matters."""

    items: tuple[str, ...]
    is_numbered: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, large enough to be seen first: the word, and the sentence that goes with it."""

    word: str
    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are, one under the other."""

    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; the first column names the row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart: SVG, the sentence that says what it shows, and lines for where nothing can be drawn."""

    svg: str
    caption: str
    alt: str
    plain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines that are typed, or compared letter by letter: commands, keys, hashes. They stand as they are."""

    caption: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blanks:
    """A form to be filled in by hand: what is asked for, and how many empty lines there are for it."""

    rows: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins on a page of its own."""


Block = (
    Heading
    | Paragraph
    | Listing
    | Verdict
    | Facts
    | Table
    | Picture
    | Verbatim
    | Blanks
    | PageBreak
)


@dataclass(frozen=True, slots=True)
class Page:
    """A whole document. `dated_us` is the instant that it is dated by, `foot` stands on every page."""

    language: str
    title: str
    subtitle: str
    foot: str
    dated_us: int
    blocks: tuple[Block, ...]


def cell(*lines: str, tone: Tone = Tone.PLAIN) -> Cell:
    """A cell of these lines."""
    return Cell(lines, tone)


def texts_of(block: Block) -> Sequence[str]:
    """Every text of a block that a person reads, except what stands in a picture."""
    match block:
        case Heading() | Paragraph():
            return [block.text]
        case Listing():
            return block.items
        case Verdict():
            return [block.word, block.text]
        case Facts():
            return [text for name, lines in block.rows for text in (name, *lines)]
        case Table():
            heads = [one.head for one in block.columns]
            return [block.caption, *heads, *(t for row in block.rows for c in row for t in c.lines)]
        case Picture():
            return [block.caption, block.alt, *block.plain]
        case Verbatim():
            return [block.caption, *block.lines]
        case Blanks():
            return [name for name, _ in block.rows]
        case PageBreak():
            return []
