"""`vedette-agent spool`: counts of what waits to be sent. Reads only: the agent may be running."""

import json
from pathlib import Path

import click

from agent.cli.main import state_option
from agent.config import SPOOL_DIRECTORY
from agent.spool.census import Census, census_of


@click.command()
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def spool(state: Path, as_json: bool) -> None:
    """Count the results that wait to be sent."""
    census = census_of(state / SPOOL_DIRECTORY)
    if as_json:
        click.echo(json.dumps(_plain(census)))
        return
    click.echo(f"{census.lines} lines in {census.files} files, {census.bytes} bytes")
    for held in census.streams:
        lost = f", {held.lost} lost" if held.lost else ""
        click.echo(
            f"  {held.stream} (epoch {held.epoch}): {held.lines} lines, {held.first} to {held.last}{lost}"
        )


def _plain(census: Census) -> dict[str, object]:
    streams = [
        {
            "epoch": held.epoch,
            "stream": held.stream,
            "lines": held.lines,
            "first": held.first,
            "last": held.last,
            "lost": held.lost,
        }
        for held in census.streams
    ]
    return {
        "epoch": census.epoch,
        "lines": census.lines,
        "files": census.files,
        "bytes": census.bytes,
        "streams": streams,
    }
