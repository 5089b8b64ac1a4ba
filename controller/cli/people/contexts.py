"""`vedette context`: the controllers that `vedette login` remembers."""

import click

from controller.cli.output import as_document, write_json, write_table
from controller.cli.people.context import (
    context_names,
    current_name,
    forget_context,
    load_context,
    use_context,
)


@click.group()
def context() -> None:
    """The controllers that are known here, by name."""


@context.command("list")
@as_document
def list_(as_json: bool) -> None:
    """List the contexts; the one in use is marked."""
    current = current_name()
    rows = [(name, load_context(name).address) for name in context_names()]
    if as_json:
        write_json(
            {
                "current": current,
                "contexts": [{"name": name, "address": address} for name, address in rows],
            }
        )
        return
    write_table(
        ["", "NAME", "ADDRESS"],
        [("*" if name == current else "", name, address) for name, address in rows],
    )


@context.command("use")
@click.argument("name")
def use(name: str) -> None:
    """Use the context NAME from now on. $VEDETTE_CONTEXT is stronger, for one command or one shell."""
    use_context(name)
    click.echo(f"Using {name} ({load_context(name).address}).")


@context.command("forget")
@click.argument("name")
def forget(name: str) -> None:
    """Forget the context NAME and the token in it. The token itself stays good: revoke it."""
    forget_context(name)
    click.echo(f"Forgot {name}.")
