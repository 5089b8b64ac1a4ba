"""How results are shown: tables for people, JSON for programs, instants in a zone."""

import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from controller.core.instants import instant as instant_of
from controller.core.instants import length_text
from vedette.shared.durations import Duration

F = TypeVar("F", bound=Callable[..., Any])
NOTHING: Final = "-"
length = length_text
_UTC: Final = ZoneInfo("UTC")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_WIDTH_PIPED: Final = 240
_STYLES: Final = {
    "UP": "green", "DEGRADED": "yellow", "PARTIAL": "yellow", "DOWN": "bold red", "UNKNOWN": "dim",
    "met": "green", "breached": "bold red", "insufficient_evidence": "yellow",
}  # fmt: skip


class ZoneType(click.ParamType[ZoneInfo]):
    """A name of the IANA zone database."""

    name = "zone"

    def convert(self, value: Any, param: Any, ctx: Any) -> ZoneInfo:
        """The zone."""
        if isinstance(value, ZoneInfo):
            return value
        try:
            return ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            self.fail(f"expected a time zone such as Europe/Warsaw, found {value!r}", param, ctx)


class InstantType(click.ParamType[int]):
    """RFC 3339 with an offset, or integer microseconds since the Unix epoch."""

    name = "instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Microseconds since the Unix epoch."""
        if isinstance(value, int):
            return value
        try:
            return instant_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class DurationType(click.ParamType[int]):
    """A duration such as 10m."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Microseconds."""
        if isinstance(value, int):
            return value
        try:
            return Duration.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def shown(function: F) -> F:
    """Give a command `--json` (as_json) and `--tz` (zone)."""
    function = click.option(
        "--tz", "zone", type=ZoneType(), default="UTC", show_default=True, help="Zone for times."
    )(function)
    return as_document(function)


def as_document(function: F) -> F:
    """Give a command `--json` (as_json)."""
    return click.option("--json", "as_json", is_flag=True, help="A document for programs.")(
        function
    )


def write_json(document: dict[str, Any]) -> None:
    """Print a document. Its instants and durations are integer microseconds, its keys stay."""
    click.echo(json.dumps({"version": 1, **document}, indent=2, ensure_ascii=False))


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table for people. Words for a state get a colour on a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(text) for text in row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_PIPED)
    with console.capture() as capture:
        console.print(table)
    # Rich fills lines with blanks up to the column's width; nobody wants to copy those.
    lines = [line.rstrip() for line in capture.get().splitlines()]
    click.echo("\n".join(lines))


def _cell(text: str) -> Text:
    """`text` as it is, except what would drive a terminal: some of it comes from targets and agents."""
    safe = plain(text)
    return Text(safe, style=_STYLES.get(safe, ""))


def plain(text: str) -> str:
    """`text` without what a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in text)


def instant(micros: int | None, zone: ZoneInfo) -> str:
    """`micros` as RFC 3339 in `zone`, exactly."""
    if micros is None:
        return NOTHING
    moment = (_EPOCH + dt.timedelta(microseconds=micros)).astimezone(zone)
    fine = "milliseconds" if micros % 1000 == 0 else "microseconds"
    text = moment.isoformat(timespec="seconds" if micros % 1_000_000 == 0 else fine)
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def until(micros: int) -> str:
    """When something ends, to the second, in UTC: for tokens, where no more is needed."""
    return instant(micros - micros % 1_000_000, _UTC)
