"""`vedette sla`: attainment of contracts."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.openslo.command import export, import_
from controller.cli.output import InstantType, shown
from controller.cli.sla.board import write_board
from controller.cli.sla.compute import compute
from controller.cli.sla.records import is_breached
from controller.cli.sla.reports import diff, periods, report, seal
from controller.cli.sla.rights import with_rights, write_rights


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
    from controller.cli.sla.status import fetched_status

    document, warnings, rights = fetched_status(period, contract, as_of_us)
    records: list[dict[str, Any]] = json.loads(document)["records"]
    if as_json:
        click.echo(with_rights(document, rights).rstrip(b"\n"))
    else:
        write_board(records, zone)
        write_rights(rights, zone)
    for warning in warnings:
        click.echo(f"! {warning}.", err=as_json)
    if is_breached(records):
        raise click.exceptions.Exit(1)


for one in (report, periods, seal, diff, compute, import_, export):
    sla.add_command(one)
