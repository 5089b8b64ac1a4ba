"""`vedette token`: people's tokens, at the controller that one is logged in to, or in its folder."""

import os
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from controller.cli.output import (
    NOTHING,
    DurationType,
    as_document,
    instant,
    shown,
    until,
    write_json,
    write_table,
)
from controller.cli.sources import refuse_existing
from controller.config import default_state
from controller.identity.files import write_private
from controller.identity.roles import Role


@click.group()
def token() -> None:
    """People's tokens. `create --local` works where the controller's folder is, without a login."""


@token.command("create")
@click.option("--local", is_flag=True, help="Work on the controller's folder, not over a login.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="The controller's folder; implies --local.  [default: $VEDETTE_STATE or ~/.local/state/vedette]",
)
@click.option("--db", "database_url", help="Its database, if not in the folder; implies --local.")
@click.option("--name", required=True, help="Whose token it is.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--ttl", type=DurationType(), default="30d", show_default=True, help="Good for.")
@click.option(
    "--contract",
    "contracts",
    multiple=True,
    help="Good for this contract only (auditor), which a counterparty's token has to name; again for more.",
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="Write it there (0600), not to stdout."
)
@as_document
def create(
    local: bool,
    state: Path | None,
    database_url: str | None,
    name: str,
    role: str,
    ttl: int,
    contracts: tuple[str, ...],
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Make a token for a person. It is shown once.

    With --local it works on the database directly, so it helps when the last admin token has expired.
    """
    if token_file is not None:
        refuse_existing(token_file)
    if local or state is not None or database_url is not None:
        from controller.local import create_person_token

        text, expires_us = create_person_token(
            state=state or default_state(),
            database_url=database_url or os.environ.get("VEDETTE_DB"),
            name=name,
            role=Role(role),
            ttl_us=ttl,
            contracts=contracts,
        )
    else:
        text, expires_us = _created(name, role, ttl, contracts)
    if token_file is not None:
        write_private(token_file, text.encode() + b"\n")
    if as_json:
        write_json(
            {
                "id": text.split("_")[1],
                "name": name,
                "role": role,
                "contracts": list(contracts),
                "expires_us": expires_us,
                "token": None if token_file else text,
            }
        )
        return
    click.echo(text if token_file is None else f"Wrote {token_file}.")
    expires = until(expires_us)
    click.echo(f"Token of {name} ({role}), good until {expires}.", err=True)


def _created(name: str, role: str, ttl_us: int, contracts: Sequence[str]) -> tuple[str, int]:
    from controller.cli.channel import connected
    from vedette.v1 import access_pb2, access_pb2_grpc

    with connected() as connection:
        answer = access_pb2_grpc.AccessServiceStub(connection.channel).CreateToken(
            access_pb2.CreateTokenRequest(name=name, role=role, ttl_us=ttl_us, contracts=contracts),
            **connection.call,
        )
    return answer.token, answer.expires_us


@token.command("list")
@shown
def list_(as_json: bool, zone: ZoneInfo) -> None:
    """List every token that was made, newest first, without secrets."""
    from controller.cli.channel import connected
    from vedette.v1 import access_pb2, access_pb2_grpc

    with connected() as connection:
        answer = access_pb2_grpc.AccessServiceStub(connection.channel).ListTokens(
            access_pb2.ListTokensRequest(), **connection.call
        )
    revoked = [t.revoked_us if t.HasField("revoked_us") else None for t in answer.tokens]
    if as_json:
        write_json(
            {
                "tokens": [
                    {
                        "id": t.id,
                        "name": t.name,
                        "role": t.role,
                        "contracts": list(t.contracts),
                        "created_us": t.created_us,
                        "expires_us": t.expires_us,
                        "revoked_us": gone,
                    }
                    for t, gone in zip(answer.tokens, revoked, strict=True)
                ]
            }
        )
        return
    write_table(
        ["ID", "NAME", "ROLE", "CONTRACTS", "CREATED", "EXPIRES", "REVOKED"],
        [
            (
                t.id,
                t.name,
                t.role,
                " ".join(t.contracts) or NOTHING,
                instant(t.created_us, zone),
                instant(t.expires_us, zone),
                NOTHING if gone is None else instant(gone, zone),
            )
            for t, gone in zip(answer.tokens, revoked, strict=True)
        ],
    )


@token.command("revoke")
@click.argument("id")
@as_document
def revoke(id: str, as_json: bool) -> None:
    """Refuse the token ID (the part after vdt_) from the next call on."""
    from controller.cli.channel import connected
    from vedette.v1 import access_pb2, access_pb2_grpc

    with connected() as connection:
        access_pb2_grpc.AccessServiceStub(connection.channel).RevokeToken(
            access_pb2.RevokeTokenRequest(id=id), **connection.call
        )
    if as_json:
        write_json({"id": id, "revoked": True})
        return
    click.echo(f"Token {id} is revoked.")
