"""Blocks as text: for a terminal with colours, else plain and as wide as a page."""

import io
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from controller.reporting.blocks import (
    Blanks,
    Block,
    Facts,
    Heading,
    Listing,
    Page,
    PageBreak,
    Paragraph,
    Picture,
    Table,
    Tone,
    Verbatim,
    Verdict,
)
from controller.reporting.forms.columns import table_lines

WIDTH: Final = 100
_INDENT: Final = "  "
_STYLES: Final = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.DOUBT: "bold yellow",
    Tone.MUTED: "dim",
}
_UNDERLINES: Final = {1: "=", 2: "-", 3: "."}


def text_of(page: Page, *, width: int = WIDTH, is_coloured: bool = False) -> str:
    """The page as lines, each ending in a newline."""
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        force_terminal=is_coloured,
        color_system="standard" if is_coloured else None,
        no_color=not is_coloured,
        legacy_windows=False,
    )
    _line(console, page.title, "bold")
    _line(console, page.subtitle)
    for block in page.blocks:
        _write(console, block)
    console.print()
    _line(console, page.foot, "dim")
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def _write(console: Console, block: Block) -> None:
    match block:
        case Heading():
            console.print()
            _line(console, block.text, "bold")
            _line(console, _UNDERLINES[block.level] * min(len(block.text), console.width))
        case Paragraph():
            console.print()
            _line(console, block.text, _STYLES[block.tone])
        case Listing():
            _listing(console, block)
        case Verdict():
            console.print()
            _line(console, block.word.upper(), _STYLES[block.tone])
            _line(console, block.text)
        case Facts():
            console.print()
            _facts(console, block)
        case Table():
            console.print()
            _table(console, block)
        case Picture():
            _picture(console, block)
        case Verbatim():
            _verbatim(console, block)
        case Blanks():
            _blanks(console, block)
        case PageBreak():
            console.print()
            _line(console, "#" * console.width)


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(plain(text), style=style))


def _listing(console: Console, block: Listing) -> None:
    console.print()
    for number, item in enumerate(block.items, 1):
        _item(console, f"{number}." if block.is_numbered else "-", item)


def _picture(console: Console, block: Picture) -> None:
    console.print()
    _line(console, block.caption, "bold")
    for line in block.plain:
        _line(console, f"{_INDENT}{line}")
    _line(console, block.alt)


def _verbatim(console: Console, block: Verbatim) -> None:
    """The lines as they are: longer than the page rather than broken."""
    console.print()
    if block.caption:
        _line(console, block.caption, "bold")
    for line in block.lines:
        console.print(Text(f"{_INDENT}{plain(line)}"), no_wrap=True, crop=False)


def _blanks(console: Console, block: Blanks) -> None:
    console.print()
    for name, count in block.rows:
        _line(console, name, "dim")
        for _ in range(count):
            _line(console, f"{_INDENT}{'_' * (console.width - 2 * len(_INDENT))}")


def _item(console: Console, sign: str, text: str) -> None:
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(width=3, justify="right")
    grid.add_column()
    grid.add_row(Text(sign), Text(plain(text)))
    console.print(grid)


def _facts(console: Console, block: Facts) -> None:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, lines in block.rows:
        grid.add_row(Text(plain(name)), _lines(lines, ""))
    console.print(grid)


def _table(console: Console, block: Table) -> None:
    _line(console, block.caption, "bold")
    rows = tuple(
        tuple(replace(one, lines=tuple(plain(line) for line in one.lines)) for one in row)
        for row in block.rows
    )
    columns = tuple(replace(one, head=plain(one.head)) for one in block.columns)
    for line in table_lines(console, Table(block.caption, columns, rows), _STYLES):
        console.print(line, no_wrap=True, crop=False)


def _lines(lines: Iterable[str], style: str) -> Text:
    return Text("\n".join(plain(line) for line in lines), style=style)


def plain(text: str) -> str:
    """`text` without what a terminal would obey: some of it comes from targets and from other people."""
    return "".join(c if c.isprintable() else "?" for c in text)
