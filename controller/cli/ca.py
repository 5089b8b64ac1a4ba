"""`vedette ca`: the certificate authority, where its folder is."""

from pathlib import Path

import click

from controller.cli.options import database_option, state_option
from controller.cli.output import as_document, until, write_json


@click.group()
def ca() -> None:
    """The certificate authority, on the controller's machine."""


@ca.command("renew-issuing")
@state_option
@database_option
@click.option(
    "--root-key",
    type=click.Path(path_type=Path),
    required=True,
    help="The root key, from wherever it is kept. It is read and not copied.",
)
@as_document
def renew_issuing(state: Path, database_url: str | None, root_key: Path, as_json: bool) -> None:
    """Make a new issuing CA, good for a year, with the root key.

    A running controller takes it up within a minute, or at once on SIGHUP, without a restart. Clients
    trust the root, so nothing changes for them; agents get certificates of the new one as they renew.
    """
    from controller.local import renew_issuing as renew

    fingerprint, ends_us = renew(state=state, database_url=database_url, root_key=root_key)
    if as_json:
        write_json({"issuing_ca_sha256": fingerprint, "ends_us": ends_us})
        return
    click.echo(f"Issuing CA:  {state / 'issuing-ca.pem'}, good until {until(ends_us)}")
    click.echo(f"SHA-256:     {fingerprint}")
    click.echo("Take the root key offline again.")
