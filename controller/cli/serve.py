"""`vedette serve`: run the controller."""

import asyncio
from pathlib import Path

import click

from controller.cli.options import AddressType, database_option, state_option
from controller.config import AGENTS_PORT, PEOPLE_PORT, Address, ServeConfig


@click.command()
@state_option
@database_option
@click.option(
    "--agents-address",
    type=AddressType(),
    default=f"0.0.0.0:{AGENTS_PORT}",
    show_default=True,
    help="Where agents connect; port 0 lets the system choose.",
)
@click.option(
    "--people-address",
    type=AddressType(),
    default=f"0.0.0.0:{PEOPLE_PORT}",
    show_default=True,
    help="Where people connect and agents enrol.",
)
@click.option(
    "--public-address",
    "public_host",
    help="Host name that agents are told to connect to.  [default: the first name of init]",
)
def serve(
    state: Path,
    database_url: str | None,
    agents_address: Address,
    people_address: Address,
    public_host: str | None,
) -> None:
    """Run the controller until it is told to stop (SIGTERM or Ctrl-C).

    Prints one line on stdout for each listener once it is ready; events go to stderr.
    """
    from controller.app import serve as run
    from controller.telemetry import log_events

    log_events()
    config = ServeConfig(state, database_url, agents_address, people_address, public_host)
    asyncio.run(run(config, announce=click.echo))
