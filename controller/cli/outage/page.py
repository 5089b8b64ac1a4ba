"""A page on a terminal: headings, paragraphs, and rows that are indented and wrapped to its width."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from controller.cli.output import instant, plain

_WIDTH_PIPED: Final = 140
_STYLES: Final = {
    "UP": "green", "DEGRADED": "yellow", "PARTIAL": "yellow", "DOWN": "bold red", "UNKNOWN": "dim",
    "up": "green", "degraded": "yellow", "down": "bold red", "agent_error": "yellow", "NONE": "dim",
}  # fmt: skip


def word(text: str) -> Text:
    """A word for a state, in its colour."""
    return Text(plain(text), style=_STYLES.get(text, ""))


def dim(text: str) -> Text:
    """Something of less weight."""
    return Text(plain(text), style="dim")


def sentence(*parts: str | Text) -> Text:
    """Parts one after another; what is text as it is may come from targets and agents."""
    return Text.assemble(*(part if isinstance(part, Text) else plain(part) for part in parts))


def block(lines: Iterable[str]) -> Text:
    """Lines one below another."""
    return Text("\n").join(Text(plain(line)) for line in lines)


class Page:
    """Writes to a console what is said of one stretch of time."""

    def __init__(self, console: Console, zone: ZoneInfo, from_us: int, to_us: int) -> None:
        self._console = console
        self._zone = zone
        first, last = instant(from_us, zone), instant(to_us, zone)
        self.day = first[:10] if first[:10] == last[:10] else ""

    def at(self, micros: int) -> str:
        """An instant; only its time of day where the whole page is of one day."""
        text = instant(micros, self._zone)
        return text.partition("T")[2] if self.day and text.startswith(self.day) else text

    def heading(self, text: str) -> None:
        """A line that begins a section."""
        self._console.print()
        self._console.print(Text(text, style="bold"))

    def paragraph(self, text: str | Text, indent: int = 0) -> None:
        """Text that is wrapped as a block."""
        said = text if isinstance(text, Text) else Text(plain(text))
        self._console.print(Padding(said, (0, 0, 0, indent)))

    @contextmanager
    def rows(self, indent: int = 2) -> Iterator[Table]:
        """Rows of cells, printed at the end of the block; the last column takes what is left."""
        table = Table.grid(padding=(0, 2))
        yield table
        self._console.print(Padding(table, (0, 0, 0, indent)))


@contextmanager
def paged(zone: ZoneInfo, from_us: int, to_us: int) -> Iterator[Page]:
    """A page that is printed at the end of the block."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_PIPED)
    with console.capture() as capture:
        yield Page(console, zone, from_us, to_us)
    # Rich fills lines with blanks up to their width; nobody wants to copy those.
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))
