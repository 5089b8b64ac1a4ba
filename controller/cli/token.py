"""`vedette token`: people's tokens, made by whoever holds the controller's folder."""

from pathlib import Path

import click

from controller.cli.options import database_option, state_option
from controller.cli.output import DurationType, as_document, until, write_json
from controller.cli.sources import refuse_existing
from controller.identity.files import write_private
from controller.identity.roles import Role


@click.group()
def token() -> None:
    """People's tokens, on the controller's machine."""


@token.command("create")
@state_option
@database_option
@click.option("--name", required=True, help="Whose token it is.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--ttl", type=DurationType(), default="30d", show_default=True, help="Good for.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="Write it there (0600), not to stdout."
)
@as_document
def create(
    state: Path,
    database_url: str | None,
    name: str,
    role: str,
    ttl: int,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Make a token for a person. It is shown once.

    Works on the database directly, so it helps when the last admin token has expired.
    """
    from controller.local import create_person_token

    if token_file is not None:
        refuse_existing(token_file)
    text, expires_us = create_person_token(
        state=state, database_url=database_url, name=name, role=Role(role), ttl_us=ttl
    )
    if token_file is not None:
        write_private(token_file, text.encode() + b"\n")
    if as_json:
        write_json(
            {
                "name": name,
                "role": role,
                "expires_us": expires_us,
                "token": None if token_file else text,
            }
        )
        return
    click.echo(text if token_file is None else f"Wrote {token_file}.")
    expires = until(expires_us)
    click.echo(f"Token of {name} ({role}), good until {expires}.", err=True)
