"""`vedette-agent doctor`: what this machine can probe, and what to set where it cannot."""

import json
from pathlib import Path
from typing import Final

import click

from agent.cli.diagnosis import Seen, State, diagnosis
from agent.cli.main import state_option

_MARKS: Final = {State.FINE: "ok  ", State.NOTE: "note", State.BAD: "BAD "}


@click.command()
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(state: Path, as_json: bool) -> None:
    """Say what this machine can probe, and what to set where it cannot.

    Works before a join. Only the controller is spoken to, if there is one: a connection to each of its ports.
    Exit code 1 if something is bad.
    """
    seen = diagnosis(state)
    is_bad = any(one.state is State.BAD for one in seen)
    click.echo(_plain(state, seen) if as_json else "\n".join(map(_line, seen)))
    if is_bad:
        raise SystemExit(1)


def _line(seen: Seen) -> str:
    return f"{_MARKS[seen.state]}  {seen.name:<9} {seen.detail}"


def _plain(state: Path, seen: list[Seen]) -> str:
    found = [{"name": one.name, "state": one.state, "detail": one.detail} for one in seen]
    is_fine = all(one.state is not State.BAD for one in seen)
    return json.dumps({"state": str(state), "fine": is_fine, "found": found})
