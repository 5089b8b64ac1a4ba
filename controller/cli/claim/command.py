"""`vedette claim`: claims for credits, with packs that the other side can recompute."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import Connection, connected
from controller.cli.claim.pack_folder import refuse_folder, write_folder
from controller.cli.claim.view import write_claim, write_claims
from controller.cli.output import as_document, shown, write_json
from controller.errors import ControllerError, Unreachable
from vedette.v1 import claim_pb2 as pb
from vedette.v1.claim_pb2_grpc import ClaimServiceStub


@click.group()
def claim() -> None:
    """Claims for credits. Exit code 3 where there is nothing to claim, or it cannot be done any more."""


@claim.command("create")
@click.option("--contract", required=True, help="Id of the contract.")
@click.option("--period", required=True, help="A calendar period that is over: 2026-06.")
@click.option("--objective", default="", help="Only this objective.  [default: all breached]")
@click.option("--supersedes", default="", help="The claim in whose place it stands: CLM-3.")
@click.option("--late", default="", help="Why it is made after the last day to claim.")
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), required=True,
    help="A new folder for the pack: the letter and everything that it rests on.",
)  # fmt: skip
@shown
def create(
    contract: str,
    period: str,
    objective: str,
    supersedes: str,
    late: str,
    folder: Path,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """Make a claim for a period, in draft, and write its pack."""
    refuse_folder(folder)
    request = pb.CreateClaimRequest(
        contract=contract, period=period, objective=objective, supersedes=supersedes, late=late
    )
    with connected() as connection:
        answer = ClaimServiceStub(connection.channel).CreateClaim(request, **connection.call)
        document = json.loads(answer.claim_json)
        _write_pack(connection, document["claim"], answer.files, folder)
    if as_json:
        write_json({"claim": document, "pack": str(folder)})
        return
    write_claim(document, answer.files, zone)
    if not any(one.name == "letter.pdf" for one in answer.files):
        click.echo(
            "There is no letter.pdf: the controller has no vedette[pdf], or its fonts lack letters of the letter."
        )
    click.echo(
        f"The pack is in {folder}. When it is handed over: vedette claim submit {document['claim']}"
    )


@claim.command("list")
@click.option("--contract", default="", help="Only of this contract.")
@shown
def list_(contract: str, as_json: bool, zone: ZoneInfo) -> None:
    """List claims, the newest first."""
    request = pb.ListClaimsRequest(contract=contract)
    with connected() as connection:
        answer = ClaimServiceStub(connection.channel).ListClaims(request, **connection.call)
    documents = [json.loads(one) for one in answer.claims_json]
    if as_json:
        write_json({"claims": documents})
    else:
        write_claims(documents, zone)


@claim.command("show")
@click.argument("handle")
@shown
def show(handle: str, as_json: bool, zone: ZoneInfo) -> None:
    """Show a claim such as CLM-3, what was done to it, and what its pack holds."""
    answer = _claim(handle)
    document = json.loads(answer.claim_json)
    if as_json:
        files = [{"name": one.name, "sha256": one.sha256, "size": one.size} for one in answer.files]
        write_json({"claim": document, "files": files})
    else:
        write_claim(document, answer.files, zone)


@claim.command("pack")
@click.argument("handle")
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), required=True,
    help="A new folder for the pack.",
)  # fmt: skip
@as_document
def pack(handle: str, folder: Path, as_json: bool) -> None:
    """Write the pack of a claim again, byte for byte as it was made."""
    refuse_folder(folder)
    answer = _claim(handle)
    with connected() as connection:
        _write_pack(connection, handle, answer.files, folder)
    if as_json:
        write_json({"claim": json.loads(answer.claim_json), "pack": str(folder)})
    else:
        click.echo(f"The pack of {handle} is in {folder}.")


_why = click.option("--reason", default="", help="Why.")
_needed_why = click.option("--reason", required=True, help="Why.")
_amount = click.option("--amount", help="In the unit of the claim.")


@claim.command("submit")
@click.argument("handle")
@_why
@click.option("--late", default="", help="Why it is submitted after the last day to claim.")
@shown
def submit(handle: str, reason: str, late: str, as_json: bool, zone: ZoneInfo) -> None:
    """Say that a claim was handed over."""
    _move(
        pb.MoveClaimRequest(handle=handle, action="submit", reason=reason, late=late),
        zone,
        as_json=as_json,
    )


@claim.command("accept")
@click.argument("handle")
@_amount
@_why
@shown
def accept(handle: str, amount: str | None, reason: str, as_json: bool, zone: ZoneInfo) -> None:
    """Say that the other side accepted a claim: all of it, or an amount."""
    request = pb.MoveClaimRequest(handle=handle, action="accept", reason=reason, amount=amount)
    _move(request, zone, as_json=as_json)


@claim.command("dispute")
@click.argument("handle")
@click.option("--amount", help="What the other side concedes.")
@_needed_why
@shown
def dispute(handle: str, amount: str | None, reason: str, as_json: bool, zone: ZoneInfo) -> None:
    """Say that the other side disputes a claim, and why."""
    request = pb.MoveClaimRequest(handle=handle, action="dispute", reason=reason, amount=amount)
    _move(request, zone, as_json=as_json)


@claim.command("settle")
@click.argument("handle")
@_amount
@_why
@shown
def settle(handle: str, amount: str | None, reason: str, as_json: bool, zone: ZoneInfo) -> None:
    """Say that a claim was paid or credited: what was accepted, or an amount."""
    request = pb.MoveClaimRequest(handle=handle, action="settle", reason=reason, amount=amount)
    _move(request, zone, as_json=as_json)


@claim.command("withdraw")
@click.argument("handle")
@_needed_why
@shown
def withdraw(handle: str, reason: str, as_json: bool, zone: ZoneInfo) -> None:
    """Take a claim back. It stays in the ledger."""
    _move(
        pb.MoveClaimRequest(handle=handle, action="withdraw", reason=reason), zone, as_json=as_json
    )


def _claim(handle: str) -> pb.GetClaimResponse:
    with connected() as connection:
        answer: pb.GetClaimResponse = ClaimServiceStub(connection.channel).GetClaim(
            pb.GetClaimRequest(handle=handle), **connection.call
        )
    return answer


def _move(request: pb.MoveClaimRequest, zone: ZoneInfo, *, as_json: bool) -> None:
    with connected() as connection:
        answer = ClaimServiceStub(connection.channel).MoveClaim(request, **connection.call)
    document = json.loads(answer.claim_json)
    if as_json:
        write_json({"claim": document})
    else:
        write_claim(document, (), zone)


def _write_pack(
    connection: Connection, handle: str, files: Sequence[pb.ClaimFile], folder: Path
) -> None:
    """Fetch the files and write them, all or none; the claim stands in any case."""
    try:
        write_folder(folder, _contents(connection, handle, files))
    except ControllerError as error:
        again = f"{error} {handle} stands; `vedette claim pack {handle} -o FOLDER` writes its pack."
        raise Unreachable(again) from error


def _contents(
    connection: Connection, handle: str, files: Sequence[pb.ClaimFile]
) -> Iterator[tuple[str, bytes]]:
    stub = ClaimServiceStub(connection.channel)
    for one in files:
        content = b""
        while len(content) < one.size:
            request = pb.GetClaimFileRequest(handle=handle, name=one.name, offset=len(content))
            part = stub.GetClaimFile(request, **connection.call).content
            if not part:
                break
            content += part
        if hashlib.sha256(content).hexdigest() != one.sha256:
            raise Unreachable(f"The file {one.name} did not come whole.")
        yield one.name, content
