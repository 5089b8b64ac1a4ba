"""`vedette init`: make a controller's identity and database."""

import shlex
from pathlib import Path

import click

from controller.cli.options import database_option, state_option
from controller.cli.output import as_document, until, write_json
from controller.cli.sources import refuse_existing
from controller.config import PEOPLE_PORT
from controller.identity.files import ROOT_CERTIFICATE, write_private


@click.command()
@state_option
@database_option
@click.option(
    "--host", "hosts", multiple=True, help="A name or address that the server answers to."
)
@click.option("--organisation", default="vedette", show_default=True, help="The trust domain.")
@click.option(
    "--root-key",
    type=click.Path(path_type=Path),
    help="Where to write the root key, best on a medium that you then take away.",
)
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="Write the admin token there (0600)."
)
@as_document
def init(
    state: Path,
    database_url: str | None,
    hosts: tuple[str, ...],
    organisation: str,
    root_key: Path | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Make the certificate authority, the database, and the first admin token.

    The token is shown once and is good for 24 hours. Nothing is ever overwritten.
    """
    from controller.local import initialise

    if token_file is not None:
        refuse_existing(token_file)
    made = initialise(
        state=state,
        database_url=database_url,
        names=hosts,
        organisation=organisation,
        root_key=root_key,
    )
    if token_file is not None:
        write_private(token_file, made.admin_token.encode() + b"\n")
    ca = state / ROOT_CERTIFICATE
    if as_json:
        write_json(
            {
                "state": str(state),
                "ca": str(ca),
                "ca_sha256": made.ca_sha256,
                "root_key": str(made.root_key),
                "database": made.database,
                "names": list(made.names),
                "admin_token": None if token_file else made.admin_token,
                "admin_token_expires_us": made.admin_token_expires_us,
            }
        )
        return
    expires = until(made.admin_token_expires_us)
    token = f"written to {token_file}" if token_file else made.admin_token
    for line in (
        f"Controller:   {state}",
        f"Database:     {made.database}",
        f"Answers to:   {', '.join(made.names)}",
        f"CA:           {ca}",
        f"CA SHA-256:   {made.ca_sha256}",
        f"Root key:     {made.root_key} (take it offline; it signs the next issuing CA)",
        f"Admin token:  {token}",
        f"              good until {expires}" + ("" if token_file else ", shown this once"),
        "",
        "Next:",
        f"  vedette serve --state {shlex.quote(str(state))}",
        f"  vedette login {made.names[0]}:{PEOPLE_PORT} --ca {shlex.quote(str(ca))}"
        + (f" --token-file {shlex.quote(str(token_file))}" if token_file else ""),
    ):
        click.echo(line)
