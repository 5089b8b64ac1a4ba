"""The command `vedette demo`."""

import importlib.util
import signal
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console

from controller.cli.channel import connected
from controller.cli.demo.handover import hand_over
from controller.cli.demo.screen import Screen
from controller.cli.demo.stage import Stage
from controller.cli.demo.story import REGIONS, Story
from controller.cli.demo.targets import Weather, targets
from controller.errors import BadInput

SHOWN_LINES_MAX = 30
EPILOGUE = (
    (
        "What happened: an outage of all, and a blip that one region saw.",
        ("outage", "list", "--scope", "all"),
    ),
    ("Why the outage was one, vote by vote.", ("outage", "explain", "OUT-2")),
    ("The month's figure, exact, since the contract began.", ("sla", "status")),
)


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running at the end, until Ctrl-C.")
def demo(*, keep: bool) -> None:
    """Show the whole way of a result on this machine, in about a minute.

    Starts a controller on SQLite and three agents that enrol over mTLS, all in a temporary folder; local
    targets fail by a script. A failure that one region sees is no outage; one that all see is.
    """
    if importlib.util.find_spec("httpx") is None:
        raise BadInput("The demo runs agents too: install vedette[agent,controller].")
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="vedette-demo-") as folder:
        weather = Weather()
        try:
            with Stage(Path(folder)) as stage, targets(weather) as ports:
                with Screen(console, REGIONS) as screen:
                    story = Story(stage, screen, weather, ports)
                    story.set_up()
                    with connected(stage.login()) as connection:
                        story.play(connection)
                _tell(console, stage)
                hand_over(console, stage)
                if keep:
                    _keep(console, Path(folder))
        except KeyboardInterrupt:
            console.print("Stopped; the temporary folder is removed.")


def _tell(console: Console, stage: Stage) -> None:
    for sentence, words in EPILOGUE:
        console.print(f"\n[bold]{sentence}[/]\n[dim]$ vedette {' '.join(words)}[/]")
        lines = stage.command(*words).rstrip().splitlines()
        for line in lines[:SHOWN_LINES_MAX]:
            console.out(line, highlight=False)
        if len(lines) > SHOWN_LINES_MAX:
            console.print(f"[dim]... and {len(lines) - SHOWN_LINES_MAX} more lines[/]")


def _keep(console: Console, folder: Path) -> None:
    console.print(
        f"\nStill running. In another shell: export VEDETTE_CONFIG={folder}/config; vedette check list"
    )
    console.print("Ctrl-C ends it.")
    while True:
        time.sleep(3600)
