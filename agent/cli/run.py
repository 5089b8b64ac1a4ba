"""`vedette-agent run`: the agent itself, in the foreground."""

import asyncio
import re
from pathlib import Path
from typing import Final

import click

from agent.app import Options, run_agent
from agent.cli.main import installed_version, state_option
from agent.telemetry import log_events
from vedette.shared.limits import SEAL_EVERY_SECONDS, SPOOL_BYTES_MAX, SPOOL_BYTES_MIN

_SIZE: Final = re.compile(r"([0-9]{1,12})\s*(|K|M|G|T)(?:i?B)?", re.IGNORECASE)
_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


class Size(click.ParamType[int]):
    """A number of bytes: 512M, 8G."""

    name = "SIZE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The bytes that the text says."""
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(str(value).strip())
        size = int(match[1]) * _UNITS[match[2].upper()] if match else 0
        if size < SPOOL_BYTES_MIN:
            self.fail(
                f"expected a size of at least {SPOOL_BYTES_MIN // 1024}K such as 512M or 8G, found {value!r}",
                param,
                ctx,
            )
        return size


@click.command()
@state_option
@click.option(
    "--spool-max",
    type=Size(),
    default=SPOOL_BYTES_MAX,
    show_default="12G",
    help="Disk space for results that wait to be sent. When it is used up, new results are dropped and "
    "counted; the oldest are kept.",
)
@click.option(
    "--seal-every",
    type=click.FloatRange(1.0, 3600.0),
    default=SEAL_EVERY_SECONDS,
    show_default=True,
    help="Seconds between two seals of a stream.",
)
@click.option(
    "--witness",
    is_flag=True,
    help="Sign each head of the controller's log that this agent takes, with a key of its own: witness.key in the "
    "state directory, made once. `vedette-agent status` prints the line for the contract's annex.",
)
def run(state: Path, spool_max: int, seal_every: float, witness: bool) -> None:
    """Probe what the controller assigns, until stopped by SIGTERM or Ctrl-C.

    While the controller is away, the agent goes on with the last assignment and keeps its results.
    """
    log_events()
    options = Options(
        state=state,
        version=installed_version(),
        spool_bytes_max=spool_max,
        seal_every_seconds=seal_every,
        is_witness=witness,
    )
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run_agent(options))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """The faster loop of uvloop, where it is installed."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.Loop
