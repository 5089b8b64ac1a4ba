"""`vedette verify`: check a bundle by itself and the annex, offline; neither gRPC nor a database is needed."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from controller.cli.evidence.bundle_files import opened_bundle
from controller.cli.evidence.held_heads import held_heads
from controller.cli.evidence.verify_spread import spread
from controller.cli.sources import read_file
from controller.core.bundle.annex import BadAnnex, parsed_annex
from controller.core.bundle.statements import Holds, Statement, exit_code
from controller.core.bundle.verify import opened_claim, statements
from controller.errors import BadInput
from vedette.shared.note import Verifier

_TONES = {
    Holds.PASS: "green",
    Holds.FAIL: "red",
    Holds.INCOMPLETE: "yellow",
    Holds.NOT_CHECKED: "yellow",
}
_ENDS = {0: "OK", 1: "NOT OK", 2: "INCOMPLETE"}


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    required=True,
    help="The annex of the contract: the keys that the parties agreed on.",
)
@click.option(
    "--since",
    "held",
    type=click.Path(path_type=Path),
    multiple=True,
    help="What you hold of the log: an older bundle, a head of it, an agent's log/seen.json. Repeatable.",
)
@click.option("--recompute", is_flag=True, help="Compute the verdicts and the figures anew, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(bundle: Path, trust: Path, held: Sequence[Path], recompute: bool, as_json: bool) -> None:
    """Check a bundle (a folder or a zip), offline, by nothing but the keys of the annex.

    Exit code 0: everything that was looked at holds. 1: something does not. 2: something is not
    there, or cannot be checked.
    """
    try:
        annex = parsed_annex(read_file(trust).decode("utf-8-sig"))
    except (BadAnnex, UnicodeDecodeError) as error:
        raise BadInput(f"{trust} is no annex: {error}.") from error
    log = Verifier(annex.origin, annex.log_key)
    since = [held_heads(path, log) for path in held]
    with opened_bundle(bundle) as files:
        # A zip is read at one place at a time: processes would move it under one another.
        found = list(statements(files, annex, since, spread if bundle.is_dir() else map))
        if recompute and exit_code(found) != 1:
            # Here, because nothing else needs it: an auditor reads less without.
            from controller.cli.evidence.paper_again import paper_again
            from controller.core.bundle.recompute import recomputed

            claim = opened_claim(files, log)
            found[-1:-1] = [*recomputed(files, claim), *paper_again(files, claim)]
    code = exit_code(found)
    if as_json:
        listed = [{"holds": one.holds.value, "text": one.text} for one in found]
        said = {"version": 1, "bundle": str(bundle), "is_valid": code == 0, "statements": listed}
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        _write(found, code)
    if code:
        raise click.exceptions.Exit(code)


def _write(found: list[Statement], code: int) -> None:
    for one in found:
        click.echo(f"{click.style(f'{one.holds.value:<11}', fg=_TONES[one.holds])}  {one.text}")
    click.echo(_ENDS[code])
