"""`vedette backtest`: what another rule would have said on the stored results."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
import msgspec

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
from controller.clock import wall_us
from controller.core.backtest import JudgedPart, Pair, Timeline, paired, read_rule
from controller.core.instants import instant_text
from controller.core.outages import Span
from controller.errors import BadInput
from vedette.shared.limits import BACKTEST_PART_US_MAX
from vedette.v1 import (
    backtest_pb2,
    backtest_pb2_grpc,
    fleet_pb2,
    fleet_pb2_grpc,
    outage_pb2,
    outage_pb2_grpc,
)

_SHARE_DIGITS: Final = 3
_OUTAGES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class _Window:
    """What is asked: the rule as text, and the time."""

    rule: str
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class _Compared:
    """A check under both rules, and the names of its outages on record by their start."""

    check: str
    actual: Timeline
    other: Timeline
    recorded: Sequence[outage_pb2.Outage]

    def handle(self, pair: Pair) -> str | None:
        """The name of the outage on record that began when the actual one did, or lies across the start."""
        if pair.actual is None:
            return None
        at_us = pair.actual.started_us
        for one in self.recorded:
            if one.started_us <= at_us and (not one.HasField("ended_us") or at_us < one.ended_us):
                return one.handle
        return None


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
    read_rule(rule.encode())
    window = _Window(rule, from_us, min(to_us, wall_us()))
    if window.from_us >= window.to_us:
        raise BadInput("Expected --from before --to and before now; it is not.")
    with connected() as connection:
        names = checks or _checks(connection)
        found = [_compared(connection, window, name) for name in names]
    if as_json:
        times = {"from_us": window.from_us, "to_us": window.to_us}
        write_json({"rule": rule, **times, "checks": [_document(one) for one in found]})
    else:
        _write_page(found, window, zone)


def _checks(connection: Connection) -> list[str]:
    """The checks in force, in the order of the file."""
    stub = fleet_pb2_grpc.FleetServiceStub(connection.channel)
    answer = stub.ListChecks(fleet_pb2.ListChecksRequest(), **connection.call)
    return [check.id for check in answer.checks]


def _compared(connection: Connection, window: _Window, check: str) -> _Compared:
    """A check under both rules, asked for part by part."""
    stub = backtest_pb2_grpc.BacktestServiceStub(connection.channel)
    actual, other = Timeline(), Timeline()
    for from_us in range(window.from_us, window.to_us, BACKTEST_PART_US_MAX):
        request = backtest_pb2.BacktestRequest(
            rule=window.rule.encode(),
            check=check,
            from_us=from_us,
            to_us=min(from_us + BACKTEST_PART_US_MAX, window.to_us),
            horizon_us=window.to_us,
        )
        answer = stub.Backtest(request, **connection.call)
        part = msgspec.json.decode(answer.part_json, type=JudgedPart)
        actual.add(part.actual)
        other.add(part.other)
    recorded = outage_pb2_grpc.OutageServiceStub(connection.channel).ListOutages(
        outage_pb2.ListOutagesRequest(
            check=check, from_us=window.from_us, to_us=window.to_us, limit=_OUTAGES_MAX
        ),
        **connection.call,
    )
    return _Compared(check, actual, other, recorded.outages)


def _document(one: _Compared) -> dict[str, Any]:
    return {
        "check": one.check,
        "actual": _figures_document(one.actual),
        "other": _figures_document(one.other),
        "outages": [
            {
                "difference": pair.difference.value,
                "id": one.handle(pair),
                "actual": _span_document(pair.actual),
                "other": _span_document(pair.other),
            }
            for pair in paired(one.actual, one.other)
        ],
    }


def _figures_document(timeline: Timeline) -> dict[str, Any]:
    share = timeline.attained
    return {
        "known_us": timeline.known_us,
        "downtime_us": _downtime_us(timeline),
        "attained": None if share is None else {"num": share.numerator, "den": share.denominator},
    }


def _span_document(span: Span | None) -> dict[str, int | None] | None:
    if span is None:
        return None
    times = {"started_us": span.started_us, "ended_us": span.ended_us}
    return {**times, "downtime_us": span.downtime_us}


def _downtime_us(timeline: Timeline) -> int:
    """Downtime, rounded up to a microsecond where PARTIAL time weighs in."""
    exact = timeline.downtime_us
    return -(-exact.numerator // exact.denominator)


def _write_page(found: list[_Compared], window: _Window, zone: ZoneInfo) -> None:
    if not found:
        click.echo("There are no checks.")
        return
    outages = [(one, pair) for one in found for pair in paired(one.actual, one.other)]
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
                    one.check,
                    one.handle(pair) or NOTHING,
                    pair.difference.value,
                    *_span(pair.actual, zone),
                    *_span(pair.other, zone),
                )
                for one, pair in outages
            ],
        )
        click.echo()
    write_table(
        ["CHECK", "KNOWN", "DOWN", "ATTAINED", "WOULD BE KNOWN", "DOWN", "ATTAINED"],
        [(one.check, *_figures(one.actual), *_figures(one.other)) for one in found],
    )
    click.echo(
        f"\nFrom {instant_text(window.from_us)} to {instant_text(window.to_us)}; "
        "attainment is of the known time, cut off."
    )


def _span(span: Span | None, zone: ZoneInfo) -> tuple[str, str, str]:
    if span is None:
        return NOTHING, NOTHING, NOTHING
    end = "open" if span.ended_us is None else instant(span.ended_us, zone)
    return instant(span.started_us, zone), end, length(span.downtime_us)


def _figures(timeline: Timeline) -> tuple[str, str, str]:
    share = timeline.attained
    attained = NOTHING if share is None else _percent(share)
    return length(timeline.known_us), length(_downtime_us(timeline)), attained


def _percent(share: Fraction) -> str:
    whole, rest = divmod(
        share.numerator * 100 * 10**_SHARE_DIGITS // share.denominator, 10**_SHARE_DIGITS
    )
    return f"{whole}.{rest:0{_SHARE_DIGITS}} %"
