"""`vedette evidence counter`: what the other side says against an outage or a period, and lists of it."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import instant, plain, shown, write_json
from controller.errors import BadInput
from vedette.shared.limits import COUNTER_BYTES_MAX, COUNTER_FILE_BYTES_MAX
from vedette.v1 import dispute_pb2 as pb
from vedette.v1.dispute_pb2_grpc import DisputeServiceStub

_READ_BYTES = 1024 * 1024


@click.command()
@click.argument("outage", default="")
@click.option("--contract", default="", help="Id of the contract; with --period, or of the outage.")
@click.option("--period", default="", help="A period of it: 2026-06.")
@click.option(
    "--text", default="", help="What is wrong; without it what was said before is listed."
)
@click.option(
    "--file", "file", type=click.Path(path_type=Path, dir_okay=False),
    help="A file that it rests on: its hash is kept, and up to 64 KiB of it itself.",
)  # fmt: skip
@shown
def counter(
    outage: str,
    contract: str,
    period: str,
    text: str,
    file: Path | None,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """Say something against OUTAGE, or a period of a contract. It is kept for good, and changes no figure."""
    if not text:
        if file is not None:
            raise BadInput("Expected --text with --file: what the file is to show.")
        asked = pb.ListCountersRequest(outage=outage, contract=contract, period=period)
        _list(asked, zone, as_json=as_json)
        return
    request = pb.AddCounterRequest(
        outage=outage, contract=contract, period=period, text=text, **(_file(file) if file else {})
    )
    with connected() as connection:
        answer = DisputeServiceStub(connection.channel).AddCounter(request, **connection.call)
    if as_json:
        write_json({"counter": counter_document(answer.counter)})
        return
    kept = answer.counter
    click.echo(f"Kept against {plain(kept.subject)}, as a leaf of the log. It changes no figure.")
    if kept.file_name and not kept.is_kept:
        click.echo(
            f"{plain(kept.file_name)} is larger than {COUNTER_BYTES_MAX} bytes: only its SHA-256 ({kept.sha256}) is kept."
            " Keep the file yourself."
        )


def counter_document(one: pb.Counter) -> dict[str, Any]:
    """Counter-evidence for programs."""
    return {
        "subject": one.subject,
        "at_us": one.at_us,
        "who": one.who,
        "role": one.role,
        "text": one.text,
        "file": one.file_name or None,
        "size": one.size,
        "sha256": one.sha256 or None,
        "is_kept": one.is_kept,
    }


def counter_lines(items: Iterable[pb.Counter], zone: ZoneInfo) -> list[str]:
    """Counter-evidence for people, a line each; what is below the first line of one is indented."""
    found: list[str] = []
    for one in items:
        first, *rest = plain_lines(one.text)
        found.append(f"{instant(one.at_us, zone)} {plain(one.who)} ({one.role}): {first}")
        found += [f"  {line}" for line in rest]
        if one.file_name:
            kept = "kept" if one.is_kept else "not kept here"
            found.append(
                f"  {plain(one.file_name)}, {one.size} bytes, {kept}, SHA-256 {one.sha256}"
            )
    return found


def plain_lines(text: str) -> list[str]:
    """The lines of a text, without what a terminal would obey."""
    return [plain(line) for line in text.split("\n")]


def _list(asked: pb.ListCountersRequest, zone: ZoneInfo, *, as_json: bool) -> None:
    with connected() as connection:
        answer = DisputeServiceStub(connection.channel).ListCounters(asked, **connection.call)
    if as_json:
        write_json({"counters": [counter_document(one) for one in answer.counters]})
        return
    lines = counter_lines(answer.counters, zone)
    click.echo("\n".join(lines) or "Nothing was said against it. --text says something.")


def _file(path: Path) -> dict[str, Any]:
    """Name, size and hash of a file, and the file itself if it is small. BadInput if it cannot be read."""
    digest, size, content = hashlib.sha256(), 0, b""
    try:
        with path.open("rb") as opened:
            while part := opened.read(_READ_BYTES):
                digest.update(part)
                size += len(part)
                content = content + part if size <= COUNTER_BYTES_MAX else b""
                if size > COUNTER_FILE_BYTES_MAX:
                    raise BadInput(f"{path}: expected at most {COUNTER_FILE_BYTES_MAX} bytes.")
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror}.") from error
    return {
        "file_name": path.name, "size": size, "sha256": digest.hexdigest(), "content": content,
    }  # fmt: skip
