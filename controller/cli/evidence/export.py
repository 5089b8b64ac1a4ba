"""`vedette evidence export` and `annex`: a bundle for the other side, and the keys to check it by."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress

from controller.cli.channel import connected
from controller.cli.evidence.bundle_writing import refuse_output, write_bundle
from controller.cli.evidence.held_heads import newest_head
from controller.cli.output import write_json
from controller.core.bundle.layout import MANIFEST, PAPER
from controller.errors import BadInput, Unreachable
from vedette.shared.limits import BUNDLE_SECONDS_MAX
from vedette.v1 import evidence_pb2 as pb
from vedette.v1.evidence_pb2_grpc import EvidenceServiceStub

# The paper comes last, where the controller could make one.
_LAST: Final = frozenset({MANIFEST, PAPER})


@click.command()
def annex() -> None:
    """Print the keys that bundles are checked by: for the annex of a contract, before there is a dispute."""
    with connected() as connection:
        stub = EvidenceServiceStub(connection.channel)
        answer = stub.GetAnnex(pb.GetAnnexRequest(), **connection.call)
    click.echo(answer.text, nl=False)


@click.command()
@click.option("--contract", default="", help="Id of a contract.")
@click.option("--period", default="", help="A period of it: 2026-06.")
@click.option("--outage", default="", help="An outage, in place of a contract: OUT-3.")
@click.option(
    "--since",
    "held",
    type=click.Path(path_type=Path),
    multiple=True,
    help="What the reader holds of the log: an older bundle, a head of it. Repeatable.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="A new folder for the bundle, or a new file that ends in .zip.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def export(
    contract: str, period: str, outage: str, held: Sequence[Path], output: Path, as_json: bool
) -> None:
    """Hand over the evidence of a contract and a period, or of an outage: lines, seals, rules, proofs, figures.

    The claim in it is entered in the log. `vedette verify` and the verify.sh in it check it. An outage that is
    open is handed over as it is known now. With `--since` the bundle also proves that the log goes on from what
    the reader holds.
    """
    if (bool(contract) != bool(period)) or bool(outage) == bool(contract):
        raise BadInput("Expected --contract and --period together, or --outage alone.")
    refuse_output(output)
    since = [pb.HeldHead(size=one.size, root=one.root) for one in map(newest_head, held)]
    about = {"outage": outage} if outage else {"contract": contract, "period": period}
    request = pb.ExportBundleRequest(**about, since=since)
    with connected() as connection:
        call = {**connection.call, "timeout": BUNDLE_SECONDS_MAX}
        answers = EvidenceServiceStub(connection.channel).ExportBundle(request, **call)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            count = write_bundle(output, _parts(answers, progress))
    if as_json:
        write_json({"bundle": str(output), **about, "files": count})
        return
    click.echo(f"{output}: {count} files; its MANIFEST.note names every one that is evidence.")
    click.echo(f"Check it with: vedette verify {output} --trust annex.txt --recompute")


def _parts(
    answers: Iterator[pb.ExportBundleResponse], progress: Progress
) -> Iterator[tuple[str, bytes | None]]:
    task = progress.add_task("bundle", total=None)
    name = ""
    for answer in answers:
        progress.update(task, completed=answer.done, total=answer.total)
        for part in answer.parts:
            name = part.name
            yield name, None if part.joined else part.content
    if name not in _LAST:
        raise Unreachable("The controller ended before the bundle was whole: try again.")
