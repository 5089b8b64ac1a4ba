"""`vedette audit`: who did what, when, and from where."""

from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import NOTHING, instant, shown, write_json, write_table
from vedette.shared.limits import AUDIT_ACTS_SHOWN_MAX
from vedette.v1 import access_pb2, access_pb2_grpc


@click.group()
def audit() -> None:
    """The ledger of privileged acts, which is only ever appended to."""


@audit.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, AUDIT_ACTS_SHOWN_MAX),
    default=100,
    show_default=True,
    help="At most so many.",
)
@click.option("--before", type=click.IntRange(1), help="Acts before the one of this number.")
@shown
def list_(limit: int, before: int | None, as_json: bool, zone: ZoneInfo) -> None:
    """List acts, newest first. For admins and auditors."""
    with connected() as connection:
        answer = access_pb2_grpc.AccessServiceStub(connection.channel).ListAudit(
            access_pb2.ListAuditRequest(limit=limit, before=before or 0), **connection.call
        )
    if as_json:
        write_json({"acts": [_document(act) for act in answer.acts]})
        return
    write_table(
        ["NUMBER", "AT", "WHO", "ROLE", "ACT", "ON", "DETAIL", "FROM"],
        [
            (
                str(act.number),
                instant(act.at_us, zone),
                act.who,
                act.role,
                act.action,
                act.subject,
                act.detail or NOTHING,
                act.peer,
            )
            for act in answer.acts
        ],
    )


def _document(act: access_pb2.Act) -> dict[str, object]:
    return {
        "number": act.number,
        "at_us": act.at_us,
        "who": act.who,
        "role": act.role,
        "action": act.action,
        "subject": act.subject,
        "detail": act.detail,
        "peer": act.peer,
    }
