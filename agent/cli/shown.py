"""The small parts of a page: grids, pairs, times, and text that came from a target."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text


def grid() -> Table:
    """A table without lines."""
    return Table.grid(padding=(0, 2))


def pairs(values: Mapping[str, str]) -> Table:
    """Names and values under each other."""
    table = grid()
    for name, value in values.items():
        table.add_row(Text(name, "dim"), cell(value))
    return table


def cell(text: str, style: str = "") -> Text:
    """`text`, which may be a target's, in a table: it wraps where the page is narrow, and is never cut."""
    return Text(plain(text), style, overflow="fold")


def milliseconds(took_us: int) -> str:
    """A time for a person."""
    return f"{took_us / 1000:.2f} ms"


def plain(text: str) -> str:
    """`text` without control characters: parts of it are what a target sent."""
    return "".join(c if c.isprintable() else "?" for c in text)
