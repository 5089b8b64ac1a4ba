"""`vedette db`: the database, on the controller's machine."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from controller.cli.options import database_option, state_option
from controller.cli.output import as_document, write_json
from controller.errors import Rejected


@click.group()
def db() -> None:
    """The database, on the controller's machine."""


@db.command("upgrade")
@state_option
@database_option
@as_document
def upgrade(state: Path, database_url: str | None, as_json: bool) -> None:
    """Bring the database to this version. Stop the controller and make a backup first."""
    from controller.local import upgrade_database

    before, after = upgrade_database(state, database_url)
    if as_json:
        write_json({"before": before, "after": after})
    elif before == after:
        click.echo(f"The database is at revision {after} already.")
    else:
        click.echo(f"The database went from revision {before or 'none'} to {after}.")


@db.command("check")
@state_option
@database_option
@as_document
def check(state: Path, database_url: str | None, as_json: bool) -> None:
    """Say whether the database fits this version, and look for damage. Exit code 1 if anything is wrong.

    Reads everything, a little at a time, also while the controller runs: every line, every leaf of the log
    and every row that it tells of. Damage is named with its place; what to do is to stop the controller and
    restore a backup.
    """
    from controller.local import check_database

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("leaves of the log", total=None)
        found = check_database(
            state, database_url, lambda done, total: bar.update(task, completed=done, total=total)
        )
    if as_json:
        write_json(
            {
                "state": found.state.value if found.state else "unreadable",
                "is_current": found.state is not None and found.state.value == "current",
                "is_sound": found.is_sound,
                "damages": list(found.damages),
            }
        )
    else:
        click.echo("\n".join([found.advice, *(found.damages or _untouched(found.is_sound))]))
    if not found.is_sound:
        raise click.exceptions.Exit(1)


def _untouched(is_sound: bool) -> list[str]:
    return ["No damage was found."] if is_sound else []


@db.command("backup")
@state_option
@database_option
@click.argument("file", type=click.Path(path_type=Path))
@as_document
def backup(state: Path, database_url: str | None, file: Path, as_json: bool) -> None:
    """Copy a SQLite database to FILE, whole, also while the controller runs."""
    from controller.local import backup_database

    backup_database(state, database_url, file)
    if as_json:
        write_json({"file": str(file), "bytes": file.stat().st_size})
    else:
        click.echo(f"Wrote {file} ({file.stat().st_size} bytes).")


@db.command("lines")
@click.option(
    "--quarantined",
    is_flag=True,
    help="Only the lines that were set aside when they came; they count nowhere.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="Write what is there, although lines were pruned: a replay knows nothing of their time.",
)
@state_option
@database_option
def lines(state: Path, database_url: str | None, quarantined: bool, partial: bool) -> None:
    """Write every result line that counts to stdout, exact bytes: input for `vedette replay`.

    Of lines that came under one number with different bytes all are written: which of them counts is for
    the replay to decide, as the controller did.
    """
    from controller.local import pruned_lines, stored_lines

    gone = pruned_lines(state, database_url)
    if gone and not partial:
        raise Rejected(
            f"{gone} lines were pruned because their retention was over, so what would be written is not the whole: a"
            " replay would take their time for UNKNOWN. Say --partial to have what is there."
        )
    if gone:
        click.echo(f"{gone} lines were pruned and are not among these.", err=True)
    for some in stored_lines(state, database_url, set_aside=quarantined):
        click.echo(some, nl=False)


@db.command("recompute")
@click.argument("checks", nargs=-1)
@state_option
@database_option
@as_document
def recompute(checks: Sequence[str], state: Path, database_url: str | None, as_json: bool) -> None:
    """Compute all outages and verdicts again from the stored lines, and compare them with what is stored.

    Of CHECKS, or of every check. Stop the controller first: what comes meanwhile would look like a
    difference. Exit code 1 if anything differs.
    """
    from controller.local import recompute_database

    found = recompute_database(state, database_url, checks)
    if as_json:
        write_json(
            {
                "checks": found.checks,
                "results": found.results,
                "pruned_results": found.pruned,
                "intervals": found.intervals,
                "outages": found.outages,
                "differences": [
                    {"check": check, "what": what} for check, what in found.differences
                ],
            }
        )
    else:
        click.echo(
            f"{found.checks} checks, {found.results} results, {found.intervals} verdict intervals,"
            f" {found.outages} outages: "
            + (f"{len(found.differences)} differences." if found.differences else "equal.")
        )
        if found.pruned:
            click.echo(
                f"The lines of {found.pruned} results were pruned: what they counted as is kept and was taken for them."
            )
        for check, what in found.differences:
            click.echo(f"{check}: {what}")
    if found.differences:
        raise click.exceptions.Exit(1)
