"""`vedette evidence authority`: who vouches for time from outside, on the controller's machine."""

from pathlib import Path

import click

from controller.cli.options import state_option
from controller.cli.output import as_document, write_json, write_table
from controller.cli.sources import read_file


@click.group()
def authority() -> None:
    """Timestamp authorities (RFC 3161) that the log's checkpoints are shown to, once an hour."""


@authority.command("add")
@click.argument("name")
@click.option("--url", required=True, help="Where it is asked.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    required=True,
    help="Its root certificate (PEM): pinned, nothing else counts.",
)
@state_option
@as_document
def add(name: str, url: str, certificate: Path, state: Path, as_json: bool) -> None:
    """Have an authority asked from now on. Its certificate comes from the authority's own pages."""
    from controller.identity.authorities import add_authority
    from controller.identity.files import StateDirectory

    found = add_authority(StateDirectory(state), name, url, read_file(certificate))
    if as_json:
        write_json({"name": found.name, "url": found.url})
    else:
        click.echo(
            f"{found.name} will be asked within a minute: see `vedette evidence timestamps`."
        )


@authority.command("list")
@state_option
@as_document
def list_(state: Path, as_json: bool) -> None:
    """List the authorities that are asked."""
    from controller.identity.authorities import authorities
    from controller.identity.files import StateDirectory

    found = authorities(StateDirectory(state))
    names = {one.name: "; ".join(r.subject.rfc4514_string() for r in one.roots) for one in found}
    if as_json:
        rows = [{"name": a.name, "url": a.url, "roots": names[a.name]} for a in found]
        write_json({"authorities": rows})
    else:
        write_table(["NAME", "URL", "ROOTS"], [(a.name, a.url, names[a.name]) for a in found])


@authority.command("remove")
@click.argument("name")
@state_option
@as_document
def remove(name: str, state: Path, as_json: bool) -> None:
    """Ask an authority no more. What it said is kept."""
    from controller.identity.authorities import remove_authority
    from controller.identity.files import StateDirectory

    remove_authority(StateDirectory(state), name)
    if as_json:
        write_json({"name": name})
    else:
        click.echo(f"{name} is asked no more.")
