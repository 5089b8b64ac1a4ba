"""`vedette-agent join`: a join file in, an identity out."""

import asyncio
from pathlib import Path

import click
import msgspec

from agent.cli.main import state_option
from agent.config import LABELS_FILE, policy_text
from agent.errors import BadInput
from agent.files import replace
from agent.link.enrol import join as joined
from agent.link.join_file import read_join_file
from vedette.shared.identity import labels_of


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@state_option
@click.option(
    "--allow",
    multiple=True,
    metavar="CIDR",
    help="A network that this site lets the agent probe, besides public addresses. May be repeated.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="KEY=VALUE",
    help="Something that this site says of the agent. A claim: an admin decides on labels.",
)
def join(file: Path, state: Path, allow: tuple[str, ...], labels: tuple[str, ...]) -> None:
    """Make this machine an agent.

    FILE comes from `vedette agent token create`, and serves once; - reads it from standard input, so that
    it need not lie on this machine. The keys are made here and stay here; if anything goes wrong, nothing is
    left behind.
    """
    policy = policy_text(allow) if allow else None
    try:
        claimed = labels_of(labels)
    except ValueError as error:
        raise BadInput(f"--label: {error}.") from error
    identity = asyncio.run(joined(read_join_file(file), state, policy))
    if claimed:
        replace(state / LABELS_FILE, msgspec.json.encode(claimed))
    facts = identity.facts
    click.echo(f"This machine is agent {facts.agent} of region {facts.region} ({state}).")
    click.echo(f"Start it with: vedette-agent run --state {state}")
