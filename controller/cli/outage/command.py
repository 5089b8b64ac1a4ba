"""The commands of `vedette outage`."""

from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.outage.explanation import write_explanation
from controller.cli.outage.explanation_document import explanation_document
from controller.cli.outage.facts import outage_document, write_facts, write_list
from controller.cli.outage.history import history_document, write_history
from controller.cli.outage.remarks import remark_document, write_remark
from controller.cli.output import InstantType, as_document, shown, write_json
from vedette.v1 import outage_pb2 as pb
from vedette.v1.outage_pb2_grpc import OutageServiceStub

_NOTE = "What to say with it."
_AT = "From when on, at most an hour ago.  [default: now]"
_AS_OF = "As it was known at this instant (the controller's time)."


@click.group()
def outage() -> None:
    """Outages and what decided them."""


@outage.command("list")
@click.option("--check", "check_id", default="", help="Only of this check.")
@click.option("--from", "from_us", type=InstantType(), help="Only those that end after this.")
@click.option("--to", "to_us", type=InstantType(), help="Only those that start before this.")
@click.option("--open", "open_only", is_flag=True, help="Only those that are open.")
@click.option("--as-of", "as_of_us", type=InstantType(), help=_AS_OF)
@click.option(
    "--scope",
    type=click.Choice(["global", "regional", "all"]),
    default="global",
    show_default=True,
    help="Of whole checks, of single regions, or both.",
)
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@shown
def list_(
    check_id: str,
    from_us: int | None,
    to_us: int | None,
    open_only: bool,
    as_of_us: int | None,
    scope: str,
    limit: int,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """List outages, newest first."""
    request = pb.ListOutagesRequest(
        check=check_id,
        from_us=from_us,
        to_us=to_us,
        open_only=open_only,
        limit=limit,
        as_of_us=as_of_us,
        scope=scope,
    )
    with connected() as connection:
        answer = OutageServiceStub(connection.channel).ListOutages(request, **connection.call)
    if as_json:
        write_json(
            {
                "outages": [outage_document(item) for item in answer.outages],
                "regional_not_shown": answer.regional,
                "cut": len(answer.outages) >= limit,
            }
        )
    else:
        write_list(answer, zone)


@outage.command("show")
@click.argument("handle")
@click.option("--as-of", "as_of_us", type=InstantType(), help=_AS_OF)
@shown
def show(handle: str, as_of_us: int | None, as_json: bool, zone: ZoneInfo) -> None:
    """Show one outage, such as OUT-12."""
    request = pb.ShowOutageRequest(handle=handle, as_of_us=as_of_us)
    with connected() as connection:
        answer = OutageServiceStub(connection.channel).ShowOutage(request, **connection.call)
    if as_json:
        write_json({"outage": outage_document(answer.outage)})
    else:
        write_facts(answer.outage, zone, as_of_us)


@outage.command("history")
@click.argument("handle")
@shown
def history(handle: str, as_json: bool, zone: ZoneInfo) -> None:
    """Show when what was learnt of an outage, and why."""
    request = pb.GetOutageHistoryRequest(handle=handle)
    with connected() as connection:
        answer = OutageServiceStub(connection.channel).GetOutageHistory(request, **connection.call)
    if as_json:
        write_json(history_document(answer))
    else:
        write_history(answer, zone)


@outage.command("explain")
@click.argument("handle")
@shown
def explain(handle: str, as_json: bool, zone: ZoneInfo) -> None:
    """Show how the regions voted in an outage, and the results behind the votes."""
    request = pb.GetOutageRequest(handle=handle)
    with connected() as connection:
        answer = OutageServiceStub(connection.channel).GetOutage(request, **connection.call)
    if as_json:
        write_json(explanation_document(answer))
    else:
        write_explanation(answer, zone)


@outage.command("ack")
@click.argument("handle")
@click.option("--note", default="", help=_NOTE)
@as_document
def ack(handle: str, note: str, as_json: bool) -> None:
    """Say that you are on an outage. It stands in the ledger, and cannot be taken back."""
    request = pb.AckOutageRequest(handle=handle, note=note)
    with connected() as connection:
        answer = OutageServiceStub(connection.channel).AckOutage(request, **connection.call)
    _said(handle, answer.remark, as_json=as_json)


@outage.command("annotate")
@click.argument("handle")
@click.argument("text")
@as_document
def annotate(handle: str, text: str, as_json: bool) -> None:
    """Say something about an outage. It stands in the ledger, and cannot be taken back."""
    request = pb.AnnotateOutageRequest(handle=handle, text=text)
    with connected() as connection:
        answer = OutageServiceStub(connection.channel).AnnotateOutage(request, **connection.call)
    _said(handle, answer.remark, as_json=as_json)


@outage.command("pause")
@click.argument("handle")
@click.option("--reason", required=True, help="Why: it stands beside every timer of the outage.")
@click.option("--at", "from_us", type=InstantType(), help=_AT)
@as_document
def pause(handle: str, reason: str, from_us: int | None, as_json: bool) -> None:
    """Have the clocks of an outage stand still: its response and resolution timers.

    It stands in the ledger with when it was said, and cannot be taken back; `resume` has them run again.
    """
    request = pb.PauseOutageRequest(handle=handle, reason=reason, from_us=from_us)
    with connected() as connection:
        answer = OutageServiceStub(connection.channel).PauseOutage(request, **connection.call)
    _said(handle, answer.remark, as_json=as_json)


@outage.command("resume")
@click.argument("handle")
@click.option("--reason", default="", help=_NOTE)
@click.option("--at", "from_us", type=InstantType(), help=_AT)
@as_document
def resume(handle: str, reason: str, from_us: int | None, as_json: bool) -> None:
    """Have the clocks of an outage run again."""
    request = pb.ResumeOutageRequest(handle=handle, reason=reason, from_us=from_us)
    with connected() as connection:
        answer = OutageServiceStub(connection.channel).ResumeOutage(request, **connection.call)
    _said(handle, answer.remark, as_json=as_json)


def _said(handle: str, remark: pb.Remark, *, as_json: bool) -> None:
    if as_json:
        write_json({"remark": remark_document(remark)})
    else:
        write_remark(handle, remark)
