"""Tables in text: how wide each column is, and its lines broken to fit. Nothing is ever cut off."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from controller.reporting.blocks import Align, Cell, Column, Table, Tone

_GAP: Final = 2


def table_lines(console: Console, block: Table, styles: dict[Tone, str]) -> Iterator[Text]:
    """The lines of a table under its heads, as wide as the console at most, if words can be broken so far."""
    widths = _widths(block, console.width)
    heads = tuple(Cell((column.head,), Tone.MUTED) for column in block.columns)
    for row in (heads, *block.rows):
        yield from _row(console, row, block.columns, widths, styles)


def _widths(block: Table, width: int) -> list[int]:
    """The widths of the columns: no word is broken unless it must be, then no figure; the rest is shared."""
    least: list[int] = []
    most: list[int] = []
    for place, column in enumerate(block.columns):
        lines = [column.head, *(line for row in block.rows for line in row[place].lines)]
        longest = max(map(_cells, lines), default=1)
        words = longest if column.is_whole else max(map(_longest_word, lines), default=1)
        least.append(max(words, 1))
        most.append(max(longest, 1))
    room = width - _GAP * (len(least) - 1)
    while sum(least) > room and max(least) > 1:
        least[least.index(max(least))] -= 1
    figures = [n for n, column in enumerate(block.columns) if column.align is Align.RIGHT]
    for place in sorted(figures, key=lambda n: most[n] - least[n]):
        least[place] += min(most[place] - least[place], max(room - sum(least), 0))
    while sum(least) < room and least != most:
        wants = [want - has for want, has in zip(most, least, strict=True)]
        least[wants.index(max(wants))] += 1
    return least


def _row(
    console: Console,
    row: Sequence[Cell],
    columns: Sequence[Column],
    widths: Sequence[int],
    styles: dict[Tone, str],
) -> Iterator[Text]:
    parts = [
        [part for line in one.lines for part in _broken(console, line, width)]
        for one, width in zip(row, widths, strict=True)
    ]
    for place in range(max(map(len, parts))):
        found = Text()
        for number, (one, column, width) in enumerate(zip(row, columns, widths, strict=True)):
            text = parts[number][place] if place < len(parts[number]) else ""
            blanks = " " * (width - _cells(text))
            is_right = column.align is Align.RIGHT
            found.append(blanks if is_right else "")
            found.append(text, styles[one.tone])
            found.append(("" if is_right else blanks) + " " * _GAP)
        found.rstrip()
        yield found


def _broken(console: Console, line: str, width: int) -> list[str]:
    """A line as lines that fit."""
    return [part.plain.rstrip() for part in Text(line).wrap(console, width)] or [""]


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return Text(text).cell_len


def _longest_word(text: str) -> int:
    return max(map(_cells, text.split()), default=0)
