"""All contracts at a glance: what was attained, what is left of the budget, where it is going, the verdict."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from rich.console import Console

from controller.cli.output import NOTHING, instant, length, plain
from controller.cli.sla.records import burning, excluded, named, remarks, verdict_words
from controller.cli.sla.timers import is_timed, timer_lines
from controller.reporting.blocks import Align, Cell, Column, Table, Tone, cell
from controller.reporting.forms.columns import table_lines

_WIDTH: Final = 100
_BAR: Final = 8
_SECOND_US: Final = 1_000_000
_MINUTE_US: Final = 60 * _SECOND_US
_HOUR_US: Final = 60 * _MINUTE_US
_UNITS: Final = ((24 * _HOUR_US, _HOUR_US), (_HOUR_US, _MINUTE_US))
_HEADS: Final = (
    Column("CONTRACT"),
    Column("OBJECTIVE"),
    Column("PERIOD"),
    Column("TARGET", Align.RIGHT),
    Column("ATTAINED", Align.RIGHT),
    Column("COVERAGE", Align.RIGHT),
    Column("BUDGET", is_whole=True),
    Column("LEFT", Align.RIGHT),
    Column("VERDICT"),
)
_TONES: Final = {
    "met": Tone.GOOD,
    "breached": Tone.BAD,
    "insufficient_evidence": Tone.DOUBT,
    "no_eligible_time": Tone.MUTED,
}
_STYLES: Final = {
    Tone.PLAIN: "",
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.DOUBT: "bold yellow",
    Tone.MUTED: "dim",
}


def write_board(records: Sequence[dict[str, Any]], zone: ZoneInfo) -> None:
    """Print a row for each record, at most 100 columns wide, and what somebody should look at.

    Of a single contract everything is said; of several, what somebody has to do something about.
    """
    if not records:
        click.echo("There is no contract in force.")
        return
    is_single = len({record["contract"] for record in records}) == 1
    rows = tuple(tuple(_row(record, zone)) for record in records)
    _print(Table("", _HEADS, rows))
    for name, record in named(records, zone):
        for remark in remarks(record, zone) if is_single else _urgent(record, zone):
            click.echo(plain(f"{name}: {remark}"))


def _print(table: Table) -> None:
    """Colours on a terminal only, and not where NO_COLOR says so."""
    is_terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if is_terminal else _WIDTH)
    console.width = min(console.width, _WIDTH)
    with console.capture() as capture:
        for line in table_lines(console, table, _STYLES):
            console.print(line, no_wrap=True, crop=False)
    click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _row(record: dict[str, Any], zone: ZoneInfo) -> Iterator[Cell]:
    is_judged = record["verdict"] in ("met", "breached")
    shown = record["attainment_shown"]
    attained = NOTHING if shown is None else f"{shown}%" if is_judged else f"({shown}%)"
    yield cell(plain(record["contract"]))
    yield cell(plain(record["objective"]))
    yield cell(record["period"]["label"])
    yield cell(record["target"] if is_timed(record) else f"{record['target']}%")
    yield cell(attained, tone=Tone.PLAIN if is_judged else Tone.MUTED)
    yield cell(_percent(record.get("coverage")))
    yield from map(cell, _left(record))
    words = [verdict_words(record).replace("_", " "), *_course(record, zone)]
    yield Cell(tuple(words), _TONES.get(record["verdict"], Tone.PLAIN), main=1)


def _left(record: dict[str, Any]) -> tuple[str, str]:
    """What is left of the budget: a bar, and how long that is, both rounded down; of people how many kept it."""
    left_us, budget_us = record.get("budget_left"), record.get("budget")
    if is_timed(record):
        states = [one["state"] for one in record["timers"] or ()]
        return NOTHING, f"{states.count('met')} of {len(states)}" if states else NOTHING
    if left_us is None or budget_us is None:
        return NOTHING, NOTHING
    full = max(left_us, 0) * _BAR // budget_us if budget_us else 0
    return _bar(min(full, _BAR)), _roughly(left_us)


def _roughly(us: int) -> str:
    """A length in its two largest units, never more than there is."""
    unit_us = next((unit for least, unit in _UNITS if abs(us) >= least), _SECOND_US)
    whole_us = us // unit_us * unit_us
    return f"-{length(-whole_us)}" if whole_us < 0 else length(whole_us)


def _bar(full: int) -> str:
    """A bar of eight, of letters that whatever is written to can show."""
    encoding = sys.stdout.encoding or "ascii"
    is_wide = (
        sys.stdout.isatty() and encoding.lower().startswith("utf") and "NO_COLOR" not in os.environ
    )
    on, off = ("█", "░") if is_wide else ("#", "-")
    return f"{on * full}{off * (_BAR - full)}"


def _course(record: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """Where a period that runs is going."""
    burn = record.get("burn")
    if not burn:
        return
    at_us = burn["exhausted_at"]
    yield burn["course"].replace("_", " ")
    if burn["course"] == "will_breach" and at_us is not None:
        # With a blank, where a narrow column may break it.
        yield instant(at_us // _SECOND_US * _SECOND_US, zone).replace("T", " ")


def _urgent(record: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    """Budgets that burn too fast, exclusions that were rejected, and promises of people that run."""
    burn = record.get("burn") or {}
    for one in burn.get("alerts", ()):
        yield burning(one)
    for one in record.get("exclusions", ()):
        if one["status"].startswith("rejected"):
            yield excluded(one)
    if any(one["state"] in ("running", "paused") for one in record.get("timers") or ()):
        yield from timer_lines(record, zone)


def _percent(share: dict[str, int] | None) -> str:
    """A share, cut to hundredths of a percent."""
    if not share or not share["den"]:
        return NOTHING
    hundredths = share["num"] * 10_000 // share["den"]
    return f"{hundredths // 100}.{hundredths % 100:02}%"
