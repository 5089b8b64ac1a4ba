"""Tables in text: how wide each column is, and its lines broken to fit. Nothing is ever cut off."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from controller.reporting.blocks import Align, Cell, Column, Table, Tone

_GAP: Final = 2
_SHORT: Final = 8


def table_lines(console: Console, block: Table, styles: dict[Tone, str]) -> Iterator[Text]:
    """The lines of a table under its heads, as wide as the console at most, if words can be broken so far."""
    widths = _widths(block, console.width)
    heads = tuple(Cell((column.head,), Tone.MUTED) for column in block.columns)
    for row in (heads, *block.rows):
        yield from _row(console, row, block.columns, widths, styles)


def _widths(block: Table, width: int) -> list[int]:
    """The widths of the columns, as little broken as may be: words of text first, then figures, then the rest."""
    longest: list[int] = []
    words: list[int] = []
    for place, column in enumerate(block.columns):
        lines = [column.head, *(line for row in block.rows for line in row[place].lines)]
        longest.append(max(1, *map(_cells, lines)))
        words.append(max(1, *map(_longest_word, lines)))
    texts = [
        n for n, one in enumerate(block.columns) if one.align is Align.LEFT and not one.is_whole
    ]
    figures = [n for n, one in enumerate(block.columns) if one.align is Align.RIGHT]
    found = [words[n] if n in texts else longest[n] for n in range(len(words))]
    room = width - _GAP * (len(found) - 1)
    _narrow(found, texts, [_SHORT] * len(found), room)
    _narrow(found, figures, words, room)
    _narrow(found, range(len(found)), [1] * len(found), room)
    while sum(found) < room and found != longest:
        wants = [most - has for most, has in zip(longest, found, strict=True)]
        found[wants.index(max(wants))] += 1
    return found


def _narrow(found: list[int], places: Sequence[int], least: Sequence[int], room: int) -> None:
    """Take from the widest of these columns until there is room, or all are as narrow as they may be."""
    while sum(found) > room and (wide := [n for n in places if found[n] > least[n]]):
        found[max(wide, key=lambda n: found[n])] -= 1


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
