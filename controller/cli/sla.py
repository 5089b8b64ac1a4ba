"""`vedette sla`: attainment of contracts."""

import json
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.output import (
    NOTHING,
    InstantType,
    instant,
    length,
    shown,
    write_table,
)


@click.group()
def sla() -> None:
    """Attainment of contracts."""


@sla.command("status")
@click.option(
    "--period", default="", help="2026-06, 2026-Q2, 2026, 2026-W23 or 2026-06-11.  [default: now]"
)
@click.option("--contract", default="", help="Only this contract.")
@click.option("--as-of", "as_of_us", type=InstantType(), help="Use nothing later than this.")
@shown
def status(period: str, contract: str, as_of_us: int | None, as_json: bool, zone: ZoneInfo) -> None:
    """Show how the contracts stand. Exit code 1 if an objective is breached."""
    # Here, because `sla compute` works where gRPC is not installed.
    from controller.cli.sla_status import fetched_status

    document = fetched_status(period, contract, as_of_us)
    records: Sequence[dict[str, Any]] = json.loads(document)["records"]
    if as_json:
        click.echo(document.rstrip(b"\n"))
    else:
        write_records(records, zone)
    if any(record["verdict"] == "breached" for record in records):
        raise click.exceptions.Exit(1)


def write_records(records: Sequence[dict[str, Any]], zone: ZoneInfo) -> None:
    """Print records for people: one line each, the figure with its bounds."""
    write_table(
        ["CONTRACT", "OBJECTIVE", "FROM", "TO", "TARGET", "ATTAINED", "COVERAGE", "DOWN", "LEFT",
         "VERDICT"],
        [
            (
                str(record["contract"]),
                str(record["objective"]),
                instant(record["period"]["from"], zone),
                instant(record["period"]["to"], zone),
                str(record["target"]),
                str(record.get("attainment_shown") or NOTHING),
                _percent(record.get("coverage")),
                _downtime(record),
                _budget(record.get("budget_left")),
                str(record["verdict"]),
            )
            for record in records
        ],
    )  # fmt: skip


def _percent(fraction: dict[str, int] | None) -> str:
    """A share, floored to hundredths of a percent: it never looks better than it is."""
    if not fraction or not fraction["den"]:
        return NOTHING
    hundredths = fraction["num"] * 10_000 // fraction["den"]
    return f"{hundredths // 100}.{hundredths % 100:02}%"


def _downtime(record: dict[str, Any]) -> str:
    low, high = record["downtime_min"], record["downtime_max"]
    figure = length(record["downtime"])
    return figure if low == high else f"{figure} ({length(low)} to {length(high)})"


def _budget(micros: int | None) -> str:
    if micros is None:
        return NOTHING
    return f"-{length(-micros)}" if micros < 0 else length(micros)
