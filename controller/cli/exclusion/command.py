"""`vedette exclusion`: time that contracts do not count, declared by command."""

import hashlib
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.exclusion.calendar_command import import_
from controller.cli.exclusion.options import scope_of, scoped
from controller.cli.exclusion.page import document_of, is_rejected, write_list, write_page
from controller.cli.output import InstantType, shown, write_json
from controller.cli.sources import read_file
from controller.errors import BadInput
from vedette.v1 import exclusion_pb2 as pb
from vedette.v1.exclusion_pb2_grpc import ExclusionServiceStub


@click.group()
def exclusion() -> None:
    """Time that contracts do not count: maintenance, force majeure, faults of others.

    Declarations, approvals and withdrawals are kept for good, with the time of the controller. Exclusions that
    stand in the fleet file are listed beside them.
    """


@exclusion.command("declare")
@scoped
@click.option("--from", "from_us", type=InstantType(), required=True, help="Where it begins.")
@click.option("--to", "to_us", type=InstantType(), required=True, help="Where it ends.")
@click.option("--reason", required=True, help="Why. It stands in every report.")
@click.option("--evidence", default="", help="What shows it: a ticket, an address.")
@click.option(
    "--evidence-file", type=click.Path(path_type=Path), help="A file whose SHA-256 is kept."
)
@click.option("--id", "name", default="", help="Id of its own.  [default: the next ex-N]")
@shown
def declare(
    type: str,
    checks: tuple[str, ...],
    services: tuple[str, ...],
    is_for_all: bool,
    from_us: int,
    to_us: int,
    reason: str,
    evidence: str,
    evidence_file: Path | None,
    name: str,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """Declare an exclusion, now. Exit code 1 if a contract that it covers rejects it as it stands.

    It is kept in any case: one that came too late, or waits for approvals, can be seen by everybody.
    """
    request = pb.DeclareExclusionRequest(
        id=name,
        type=type,
        from_us=from_us,
        to_us=to_us,
        scope=scope_of(checks, services, is_for_all=is_for_all),
        reason=reason,
        evidence=_evidence(evidence, evidence_file),
    )
    with connected() as connection:
        answer = ExclusionServiceStub(connection.channel).DeclareExclusion(
            request, **connection.call
        )
    _tell(answer.exclusion, as_json=as_json, zone=zone)


@exclusion.command("list")
@click.option("--from", "from_us", type=InstantType(), help="Those that end after this.")
@click.option("--to", "to_us", type=InstantType(), help="Those that begin before this.")
@click.option("--as-of", "as_of_us", type=InstantType(), help="Those that were known then.")
@shown
def list_(
    from_us: int | None, to_us: int | None, as_of_us: int | None, as_json: bool, zone: ZoneInfo
) -> None:
    """List exclusions by when they begin, those of the fleet file too."""
    request = pb.ListExclusionsRequest(as_of_us=as_of_us, from_us=from_us, to_us=to_us)
    with connected() as connection:
        answer = ExclusionServiceStub(connection.channel).ListExclusions(request, **connection.call)
    if as_json:
        write_json({"exclusions": [document_of(item) for item in answer.exclusions]})
    else:
        write_list(answer.exclusions, zone)


@exclusion.command("show")
@click.argument("name", metavar="ID")
@click.option("--as-of", "as_of_us", type=InstantType(), help="As it was known then.")
@shown
def show(name: str, as_of_us: int | None, as_json: bool, zone: ZoneInfo) -> None:
    """Show one exclusion, and what each contract makes of it. Exit code 1 if one rejects it."""
    request = pb.GetExclusionRequest(id=name, as_of_us=as_of_us)
    with connected() as connection:
        answer = ExclusionServiceStub(connection.channel).GetExclusion(request, **connection.call)
    _tell(answer.exclusion, as_json=as_json, zone=zone)


@exclusion.command("approve")
@click.argument("name", metavar="ID")
@click.option("--note", default="", help="What you say to it.")
@shown
def approve(name: str, note: str, as_json: bool, zone: ZoneInfo) -> None:
    """Approve an exclusion. Exit code 1 if a contract rejects it still.

    Who declared it does not count, and nobody counts twice. What is declared afterwards needs two people.
    """
    request = pb.ApproveExclusionRequest(id=name, note=note)
    with connected() as connection:
        answer = ExclusionServiceStub(connection.channel).ApproveExclusion(
            request, **connection.call
        )
    _tell(answer.exclusion, as_json=as_json, zone=zone)


@exclusion.command("withdraw")
@click.argument("name", metavar="ID")
@click.option("--reason", required=True, help="Why. It stays to be seen.")
@shown
def withdraw(name: str, reason: str, as_json: bool, zone: ZoneInfo) -> None:
    """Take the effect of an exclusion away, from now on. What was declared stays."""
    request = pb.WithdrawExclusionRequest(id=name, reason=reason)
    with connected() as connection:
        answer = ExclusionServiceStub(connection.channel).WithdrawExclusion(
            request, **connection.call
        )
    _tell(answer.exclusion, as_json=as_json, zone=zone)


exclusion.add_command(import_)


def _tell(item: pb.Exclusion, *, as_json: bool, zone: ZoneInfo) -> None:
    if as_json:
        write_json({"exclusion": document_of(item)})
    else:
        write_page(item, zone)
    if is_rejected(item):
        raise click.exceptions.Exit(1)


def _evidence(text: str, path: Path | None) -> str:
    """What shows it; a file by its digest and name, so that it can be told later whether it is the same."""
    if path is None:
        return text
    if text:
        raise BadInput("Expected --evidence or --evidence-file, found both.")
    return f"sha256:{hashlib.sha256(read_file(path)).hexdigest()} {path.name}"
