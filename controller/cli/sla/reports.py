"""`vedette sla report`, `periods`, `seal` and `diff`: reports on contracts, and how far their periods are."""

from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click

from controller.cli.output import as_document, shown
from controller.cli.sla.records import is_breached
from controller.cli.sla.report_output import require_place, write_report
from controller.cli.sla.report_words import write_difference
from controller.cli.sla.wanted import AsOfType, side, wanted
from controller.core.sla.reports.report_diff import difference, difference_bytes
from controller.reporting.rendering import Form

# gRPC is imported where it is used: `sla compute` works where it is not installed.
if TYPE_CHECKING:
    from controller.cli.sla.report import Fetched

_PERIOD: Final = "2026-06, 2026-Q2, 2026, 2026-W23 or 2026-06-11."


@click.command("report")
@click.option(
    "--contract",
    "contracts",
    multiple=True,
    help="Of this contract; again for more.  [default: all]",
)
@click.option("--period", default="", help=f"{_PERIOD}  [default: the one that runs now]")
@click.option(
    "--as-of",
    type=AsOfType(),
    help="Made of what was known at this instant, or now; nothing later.",
)
@click.option("--revision", type=click.IntRange(1), help="The revision that was issued.")
@click.option(
    "--format", "form", type=click.Choice([one.value for one in Form]), default=Form.TEXT.value,
    show_default=True,
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this file.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def report(
    contracts: tuple[str, ...],
    period: str,
    as_of: int | str | None,
    revision: int | None,
    form: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Show the report on a contract and a period. Exit code 1 if an objective is breached.

    The last one that was issued, and where none was, one that is made of what is known now. As of an instant it
    is the same for ever: it uses nothing that came later. A quarter of a contract that is judged by months comes with
    its months; several contracts make one pack.
    """
    from controller.cli.sla.report import desk

    asked = wanted(as_of, revision)
    chosen = Form.JSON if as_json else Form(form)
    require_place(chosen, output)
    with desk() as open_desk:
        found = open_desk.pack(contracts, period, asked)
    for one in found:
        if one.is_outdated:
            _tell_outdated(one)
    issues = {one.key: one.issue for one in found}
    write_report([one.data for one in found], chosen, output, issues)
    if any(is_breached(one.report.records) for one in found):
        raise click.exceptions.Exit(1)


@click.command("periods")
@click.option("--contract", default="", help="Only of this contract.")
@shown
def periods(contract: str, as_json: bool, zone: ZoneInfo) -> None:
    """Show how far the periods of contracts are, and which reports were issued.

    A period is open, provisional (late results may come), final, sealed (its report was issued), or revised.
    """
    from controller.cli.sla.period_facts import period_document, write_periods
    from controller.cli.sla.report import desk

    with desk() as open_desk:
        found = open_desk.periods(contract)
    if as_json:
        click.echo(period_document(found.periods))
    else:
        write_periods(found, contract, zone)


@click.command("seal")
@click.option("--contract", required=True, help="Id of the contract.")
@click.option("--period", required=True, help="A period by which it is judged, such as 2026-06.")
@click.option("--early", is_flag=True, help="Also before it is final; needs --reason.")
@click.option("--reason", default="", help="Why. It stands in the report.")
@shown
def seal(
    contract: str, period: str, early: bool, reason: str, as_json: bool, zone: ZoneInfo
) -> None:
    """Issue the report on a period now, or its next revision where late facts change what it says.

    Without this it is issued by itself, `lateness.seal_after` after the period ends.
    """
    from controller.cli.sla.period_facts import issued_document, write_issued
    from controller.cli.sla.report import desk

    with desk() as open_desk:
        made = open_desk.seal(contract, period, is_early=early, reason=reason)
    if as_json:
        click.echo(issued_document(contract, period, made))
    else:
        write_issued(contract, period, made, zone)


@click.command("diff")
@click.option("--contract", required=True, help="Id of the contract.")
@click.option("--period", required=True, help=_PERIOD)
@click.argument("old")
@click.argument("new")
@as_document
def diff(contract: str, period: str, old: str, new: str, as_json: bool) -> None:
    """Tell what two reports on a period say differently. Exit code 1 if they do.

    OLD and NEW are each a revision (1), an instant (2026-07-04T00:00:00Z) or `now`.
    """
    from controller.cli.sla.report import desk

    sides = [side("OLD", old), side("NEW", new)]
    with desk() as open_desk:
        before, after = (open_desk.report(contract, period, one) for one in sides)
    found = difference(before.data, after.data, (before.sha256, after.sha256))
    if as_json:
        click.echo(difference_bytes(found), nl=False)
    else:
        write_difference(found, before.report.period.tz)
    if found.changes:
        raise click.exceptions.Exit(1)


def _tell_outdated(one: "Fetched") -> None:
    contract, label = one.key
    issue = one.report.made.issue
    revision = issue.revision if issue else 0
    click.echo(
        f"Revision {revision} of {contract} {label} is not the last word: late facts say otherwise by now. See"
        f" `vedette sla diff --contract {contract} --period {label} {revision} now`.",
        err=True,
    )
