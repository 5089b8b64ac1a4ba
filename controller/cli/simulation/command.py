"""`vedette simulate`: how rules of deciding do in a scenario whose truth is known."""

import time
from pathlib import Path

import click

from controller.cli.output import as_document, write_json, write_table
from controller.cli.simulation.curves import drawing
from controller.cli.sources import read_file
from controller.core.instants import instant_text
from controller.core.simulation.figures import COLUMNS, document_of, rows_of
from controller.core.simulation.run import Result
from controller.core.simulation.run import simulate as simulated
from controller.core.simulation.scenario import read_scenario
from controller.errors import BadInput
from vedette.shared.limits import SEQ_MAX


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--seed",
    type=click.IntRange(0, SEQ_MAX),
    help="Another seed than the scenario's own: other chances, the same kind of month.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the curves into this SVG file.",
)
@as_document
def simulate(scenario: Path, seed: int | None, plot: Path | None, as_json: bool) -> None:
    """Play SCENARIO, a YAML file, in virtual time under several rules, and score their alarms.

    Agents, networks and targets are made up; slots, labels, quorum and outages are those of the controller.
    The same file and seed give the same output, byte for byte; how long it took goes to standard error.
    """
    began = time.process_time()
    result = simulated(read_scenario(read_file(scenario), str(scenario), seed=seed))
    if plot is not None:
        _write(plot, drawing(result))
    if as_json:
        write_json(document_of(result))
    else:
        _write_page(result)
    played = sum(rule.played for rule in result.rules)
    click.echo(
        f"Took {time.process_time() - began:.1f} s of one core for {result.scheduled:,} results under "
        f"{len(result.rules)} rules; {played:,} of them were played one by one.",
        err=True,
    )


def _write_page(result: Result) -> None:
    scenario = result.scenario
    truths = result.rules[0].score.truths
    checks = "check" if len(scenario.checks) == 1 else "checks"
    click.echo(
        f"{scenario.terms.title} (seed {scenario.seed})\n"
        f"{instant_text(scenario.start_us)} to {instant_text(scenario.end_us)}, {scenario.agents} agents, "
        f"{len(scenario.checks)} {checks} every {scenario.check.every}: {result.scheduled:,} results, "
        f"{truths} true outages.\n"
    )
    write_table(COLUMNS, rows_of(result))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"Cannot write {path}: {error.strerror}.") from error
