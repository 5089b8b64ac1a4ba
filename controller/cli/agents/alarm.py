"""`vedette agent alarm`: what makes identities doubtful."""

from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import as_document, instant, shown, write_json, write_table
from vedette.v1 import access_pb2, access_pb2_grpc


@click.group()
def alarm() -> None:
    """Alarms about identities: clones, and too many recoveries."""


@alarm.command("list")
@click.option("--all", "include_cleared", is_flag=True, help="Those that were cleared, too.")
@shown
def list_(include_cleared: bool, as_json: bool, zone: ZoneInfo) -> None:
    """List alarms, newest first. Exit code 1 if there is one that nobody has cleared."""
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).ListAlarms(
            access_pb2.ListAlarmsRequest(include_cleared=include_cleared), **connection.call
        )
    if as_json:
        write_json({"alarms": [_document(item) for item in answer.alarms]})
    else:
        write_table(
            ["AGENT", "KIND", "FIRST", "LAST", "COUNT", "FROM", "WHAT"],
            [
                (
                    item.agent,
                    item.kind,
                    instant(item.first_us, zone),
                    instant(item.last_us, zone),
                    str(item.count),
                    item.peer,
                    item.detail,
                )
                for item in answer.alarms
            ],
        )
    if any(not item.HasField("cleared_us") for item in answer.alarms):
        raise SystemExit(1)


@alarm.command("clear")
@click.argument("agent")
@as_document
def clear(agent: str, as_json: bool) -> None:
    """Say that the alarms of AGENT were looked at. The next one is shown again."""
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).ClearAlarms(
            access_pb2.ClearAlarmsRequest(agent=agent), **connection.call
        )
    if as_json:
        write_json({"agent": agent, "cleared": answer.cleared})
        return
    click.echo(f"Cleared {answer.cleared} alarms of agent {agent}.")


def _document(item: access_pb2.Alarm) -> dict[str, object]:
    return {
        "agent": item.agent,
        "kind": item.kind,
        "first_us": item.first_us,
        "last_us": item.last_us,
        "count": item.count,
        "detail": item.detail,
        "peer": item.peer,
        "cleared_us": item.cleared_us if item.HasField("cleared_us") else None,
    }
