"""`vedette sla compute`: attainment from a fleet file and a replay document, offline."""

from pathlib import Path
from zoneinfo import ZoneInfo

import click

from controller.cli.output import InstantType, instant, shown
from controller.cli.sla.people import require_people, with_people
from controller.cli.sla.records import is_breached, write_records
from controller.cli.sla.report_output import write_file, write_report
from controller.cli.sources import read_file
from controller.cli.version import installed_version
from controller.core.fleet import Fleet, read_fleet
from controller.core.replay import Replay, decode_replay
from controller.core.sla.reports.records import observed_in, records, records_bytes
from controller.core.sla.reports.replayed_outages import replayed_outages
from controller.core.sla.reports.report import Facts, report_bytes
from controller.core.sla.terms.contracts import Agreement
from controller.core.sla.terms.scopes import Scope
from controller.errors import BadInput, NotFound
from controller.reporting.rendering import Form


@click.command()
@click.option("--config", type=click.Path(path_type=Path), required=True, help="The fleet file.")
@click.option(
    "--timeline",
    type=click.Path(path_type=Path),
    required=True,
    help="What `vedette replay --json` printed; - for stdin.",
)
@click.option("--contract", "name", required=True, help="Id of the contract.")
@click.option(
    "--period", required=True, help="2026-06, 2026-Q2, 2026, 2026-W23, 2026-06-11 or rolling."
)
@click.option(
    "--as-of",
    "as_of_us",
    type=InstantType(),
    help="Use nothing later than this.  [default: the end of the period]",
)
@click.option(
    "--outages",
    type=click.Path(path_type=Path),
    help="What `vedette outage list --scope all --json` printed: what people did, for timers and"
    " `downtime_start`.",
)
@click.option(
    "--revision",
    type=click.IntRange(1, 1_000_000),
    default=1,
    show_default=True,
    help="What the contract of the file is counted as: a claim names it.",
)
@click.option(
    "--report",
    "form",
    type=click.Choice([one.value for one in Form]),
    help="The whole report in this form, as `vedette sla report` gives it, in place of the records.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this file.")
@shown
def compute(
    config: Path,
    timeline: Path,
    name: str,
    period: str,
    as_of_us: int | None,
    outages: Path | None,
    revision: int,
    form: str | None,
    output: Path | None,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """Compute how a contract was kept, without a server. Exit code 1 if an objective is breached.

    Time of the period that the timeline does not cover is UNKNOWN.
    """
    fleet = read_fleet(read_file(config), str(config))
    contract = fleet.contracts.get(name)
    if contract is None:
        known = ", ".join(fleet.contracts) or "none"
        raise NotFound(f"Expected a contract of {config} ({known}), found {name!r}.")
    try:
        when = contract.period.named(period, as_of_us)
    except ValueError as error:
        raise BadInput(f"--period: {error}.") from error
    horizon_us = when.to_us if as_of_us is None else as_of_us
    document = _timeline(timeline, fleet, contract.scope)
    if outages is not None:
        document = with_people(document, outages, contract)
    start_us = max(when.from_us, contract.first.effective_us)
    if start_us >= when.to_us:
        begins = instant(start_us, zone)
        click.echo(f"{name} is in force from {begins} on: {period} was over by then.", err=True)
    else:
        _tell_bounds(document, contract.scope, start_us, min(when.to_us, horizon_us))
    _tell_samples(document, contract)
    require_people(document, contract)
    observed = observed_in(document, fleet, contract.scope)
    found = records(contract, when, observed, horizon_us, revision=revision)
    if when.kind is not contract.period.kind:
        click.echo(
            f"{name} is judged by {contract.period.kind}; this is the figure of a {when.kind}.",
            err=True,
        )
    if form is not None:
        listed = replayed_outages(document, contract.scope.members)
        facts = Facts(contract, fleet, observed, listed, revision, installed_version())
        write_report([report_bytes(facts, when, horizon_us)], Form(form), output)
    elif as_json:
        write_file(records_bytes(found), output)
    elif output is not None:
        raise BadInput("-o writes records (--json) or a report (--report): name one of them.")
    else:
        write_records(found, zone)
    if is_breached(found):
        raise click.exceptions.Exit(1)


def _timeline(path: Path, fleet: Fleet, scope: Scope) -> Replay:
    try:
        document = decode_replay(read_file(path))
    except ValueError as error:
        raise BadInput(f"{path} is not what `vedette replay --json` prints: {error}.") from error
    for check in scope.members:
        if check not in document.checks:
            known = ", ".join(sorted(document.checks)) or "none"
            raise BadInput(f"Expected a timeline of check {check!r} in {path}, found {known}.")
        assert check in fleet.checks
    return document


def _tell_samples(document: Replay, contract: Agreement) -> None:
    """Say so where an objective counts samples and there are none to count."""
    of_samples = dict.fromkeys(
        o.id for one in contract.versions for o in one.objectives if o.is_of_samples
    )
    if of_samples and any(document.checks[m].samples is None for m in contract.scope.members):
        click.echo(
            f"The timeline has no samples, and these objectives count them: {', '.join(of_samples)}."
            " `vedette replay --samples` gives them.",
            err=True,
        )


def _tell_bounds(document: Replay, scope: Scope, from_us: int, to_us: int) -> None:
    """Say so where the bounds of a record cannot be known."""
    is_whole = document.start >= from_us and min(document.end, document.horizon) <= to_us
    known = [document.checks[name] for name in scope.members]
    if all(one.intervals_min or one.downtime_min == one.downtime_max for one in known):
        return
    if len(scope.members) > 1 or not is_whole:
        click.echo(
            "The timeline says how much the least and the most downtime are in all of its time, and not"
            " when. What is judged is a part of that time, or several checks: the bounds are shown as equal"
            " to the figure. `vedette replay --bounds` gives them.",
            err=True,
        )
