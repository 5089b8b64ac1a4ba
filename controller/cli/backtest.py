"""`vedette backtest`: what another rule would have said on the stored results."""

import json
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import Connection, connected
from controller.cli.output import (
    NOTHING,
    InstantType,
    instant,
    length,
    shown,
    write_json,
    write_table,
)
from controller.core.backtest import read_rule
from controller.core.instants import instant_text
from vedette.v1 import backtest_pb2, backtest_pb2_grpc, fleet_pb2, fleet_pb2_grpc

_SHARE_DIGITS: Final = 3


@click.command()
@click.option(
    "--rule",
    required=True,
    metavar="YAML",
    help="The quorum to judge by, as in a fleet file: '{rule: k_of, k: 2, fail_after: 3}'.",
)
@click.option("--from", "from_us", type=InstantType(), required=True, help="Start of the time.")
@click.option("--to", "to_us", type=InstantType(), required=True, help="End of the time.")
@click.option("--check", "checks", multiple=True, help="Only this check; may be repeated.")
@shown
def backtest(
    rule: str, from_us: int, to_us: int, checks: tuple[str, ...], as_json: bool, zone: ZoneInfo
) -> None:
    """Judge the stored results of checks by another quorum, beside the one that was in force.

    Which outages would be the same, longer, shorter, moved, new or missing, and what the checks would have attained of
    the known time. Nothing is changed.
    """
    text = rule.encode()
    read_rule(text)
    with connected() as connection:
        names = checks or _checks(connection)
        found = [_backtested(connection, text, name, from_us, to_us) for name in names]
    if as_json:
        write_json({"rule": rule, "checks": found})
    else:
        _write_page(found, zone)


def _checks(connection: Connection) -> list[str]:
    """The checks in force, in the order of the file."""
    stub = fleet_pb2_grpc.FleetServiceStub(connection.channel)
    answer = stub.ListChecks(fleet_pb2.ListChecksRequest(), **connection.call)
    return [check.id for check in answer.checks]


def _backtested(
    connection: Connection, rule: bytes, check: str, from_us: int, to_us: int
) -> dict[str, Any]:
    request = backtest_pb2.BacktestRequest(rule=rule, check=check, from_us=from_us, to_us=to_us)
    stub = backtest_pb2_grpc.BacktestServiceStub(connection.channel)
    document: dict[str, Any] = json.loads(stub.Backtest(request, **connection.call).result_json)
    return document


def _write_page(found: list[dict[str, Any]], zone: ZoneInfo) -> None:
    if not found:
        click.echo("There are no checks.")
        return
    outages = [(one, pair) for one in found for pair in one["outages"]]
    if outages:
        write_table(
            [
                "CHECK",
                "ID",
                "DIFFERENCE",
                "FROM",
                "UNTIL",
                "DOWN",
                "WOULD BE FROM",
                "UNTIL",
                "DOWN",
            ],
            [
                (
                    one["check"],
                    pair["handle"] or NOTHING,
                    pair["difference"],
                    *_span(pair["actual"], zone),
                    *_span(pair["other"], zone),
                )
                for one, pair in outages
            ],
        )
        click.echo()
    write_table(
        ["CHECK", "KNOWN", "DOWN", "ATTAINED", "WOULD BE KNOWN", "DOWN", "ATTAINED"],
        [(one["check"], *_figures(one["actual"]), *_figures(one["other"])) for one in found],
    )
    window = found[0]
    click.echo(
        f"\nFrom {instant_text(window['from_us'])} to {instant_text(window['to_us'])}; "
        "attainment is of the known time, cut off."
    )


def _span(span: dict[str, Any] | None, zone: ZoneInfo) -> tuple[str, str, str]:
    if span is None:
        return NOTHING, NOTHING, NOTHING
    end = "open" if span["ended_us"] is None else instant(span["ended_us"], zone)
    return instant(span["started_us"], zone), end, length(span["downtime_us"])


def _figures(rule: dict[str, Any]) -> tuple[str, str, str]:
    attained = rule["attained"]
    shown_share = NOTHING
    if attained is not None:
        share = Fraction(attained["num"], attained["den"])
        thousandths = share.numerator * 100 * 10**_SHARE_DIGITS // share.denominator
        whole, rest = divmod(thousandths, 10**_SHARE_DIGITS)
        shown_share = f"{whole}.{rest:0{_SHARE_DIGITS}} %"
    return length(rule["known_us"]), length(rule["downtime_us"]), shown_share
