"""`vedette agent show|label|drain|pause|resume|notices`: one agent, and what it is to do."""

from zoneinfo import ZoneInfo

import click

from controller.cli.agents.view import agent_document, clock_text, labels_text, state_text
from controller.cli.channel import connected
from controller.cli.output import NOTHING, as_document, instant, shown, write_json, write_table
from vedette.shared.identity import labels_of
from vedette.v1 import access_pb2, access_pb2_grpc


@click.command("show")
@click.argument("id")
@shown
def show(id: str, as_json: bool, zone: ZoneInfo) -> None:
    """Show everything about the agent ID: its clock, its spool, what its site refuses and why.

    Exit code 1 if there are checks that it cannot or may not run, or if nothing of it counts.
    """
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).GetAgent(
            access_pb2.GetAgentRequest(agent=id), **connection.call
        )
    if as_json:
        write_json(_document(answer))
    else:
        click.echo(_page(answer, zone))
    if answer.unrunnable_count or answer.agent.skewed or answer.agent.HasField("silent_since_us"):
        raise click.exceptions.Exit(1)


@click.command("label")
@click.argument("id")
@click.argument("labels", metavar="KEY=VALUE|KEY-...", nargs=-1, required=True)
@as_document
def label(id: str, labels: tuple[str, ...], as_json: bool) -> None:
    """Set labels of the agent ID, by which checks select agents; KEY- removes one."""
    remove = [text[:-1] for text in labels if text.endswith("-") and "=" not in text]
    try:
        changes = labels_of(text for text in labels if not text.endswith("-") or "=" in text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="LABEL") from error
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).LabelAgent(
            access_pb2.LabelAgentRequest(agent=id, set=changes, remove=remove), **connection.call
        )
    if as_json:
        write_json({"agent": id, "labels": dict(sorted(answer.labels.items()))})
        return
    click.echo(f"Agent {id} has the labels: {labels_text(answer.labels)}")


@click.command("drain")
@click.argument("id")
@click.option("--reason", default="", help="Stands in the ledger and in the list of agents.")
@as_document
def drain(id: str, reason: str, as_json: bool) -> None:
    """Have the agent ID finish and leave its slots to others, until `vedette agent resume`.

    For upgrades and moves. It stays connected and sends what it has.
    """
    _set_mode(id, access_pb2.AGENT_MODE_DRAIN, reason, as_json=as_json)


@click.command("pause")
@click.argument("id")
@click.option("--reason", default="", help="Stands in the ledger and in the list of agents.")
@as_document
def pause(id: str, reason: str, as_json: bool) -> None:
    """Have the agent ID probe nothing, until `vedette agent resume`."""
    _set_mode(id, access_pb2.AGENT_MODE_PAUSE, reason, as_json=as_json)


@click.command("resume")
@click.argument("id")
@as_document
def resume(id: str, as_json: bool) -> None:
    """Have the agent ID probe again."""
    _set_mode(id, access_pb2.AGENT_MODE_RUN, "", as_json=as_json)


@click.command("notices")
@click.option("--all", "include_ended", is_flag=True, help="Those that are over, too.")
@shown
def notices(include_ended: bool, as_json: bool, zone: ZoneInfo) -> None:
    """List agents that fell silent, newest first. Exit code 1 if one is silent now."""
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).ListNotices(
            access_pb2.ListNoticesRequest(include_ended=include_ended), **connection.call
        )
    if as_json:
        write_json(
            {
                "notices": [
                    {
                        "agent": one.agent,
                        "region": one.region,
                        "kind": one.kind,
                        "from_us": one.from_us,
                        "to_us": one.to_us if one.HasField("to_us") else None,
                        "detail": one.detail,
                    }
                    for one in answer.notices
                ]
            }
        )
    else:
        write_table(
            ["AGENT", "REGION", "KIND", "FROM", "TO", "WHAT"],
            [
                (
                    one.agent,
                    one.region,
                    one.kind,
                    instant(one.from_us, zone),
                    instant(one.to_us if one.HasField("to_us") else None, zone),
                    one.detail,
                )
                for one in answer.notices
            ],
        )
    if any(not one.HasField("to_us") for one in answer.notices):
        raise click.exceptions.Exit(1)


COMMANDS = (show, label, drain, pause, resume, notices)
_DONE = {
    access_pb2.AGENT_MODE_DRAIN: ("drain", "finishes and leaves its slots"),
    access_pb2.AGENT_MODE_PAUSE: ("pause", "probes nothing"),
    access_pb2.AGENT_MODE_RUN: ("run", "probes again"),
}


def _set_mode(
    id: str, mode: "access_pb2.AgentMode.ValueType", reason: str, *, as_json: bool
) -> None:
    with connected() as connection:
        answer = access_pb2_grpc.AgentServiceStub(connection.channel).SetAgentMode(
            access_pb2.SetAgentModeRequest(agent=id, mode=mode, reason=reason), **connection.call
        )
    word, does = _DONE[mode]
    if as_json:
        write_json(
            {
                "agent": id,
                "mode": word,
                "connected": answer.connected,
                "others": list(answer.others),
            }
        )
        return
    click.echo(f"Agent {id} {does}{'' if answer.connected else ', once it is connected'}.")
    if mode == access_pb2.AGENT_MODE_RUN:
        return
    if answer.others:
        click.echo(f"Its region goes on with {', '.join(answer.others)}.")
    else:
        click.echo("No other agent of its region probes: the region gives no evidence meanwhile.")


def _page(answer: access_pb2.GetAgentResponse, zone: ZoneInfo) -> str:
    item = answer.agent
    offset = clock_text(item)
    if item.HasField("clock_error_us"):
        offset += f" (+-{item.clock_error_us / 1000:.1f} ms), {answer.clock_steps} steps"
    if item.HasField("clock_synced"):
        offset += ", kept by its system" if item.clock_synced else ", and nothing keeps it"
    is_current = "current" if item.assignment_current else "OLD"
    rows = [
        ("agent", f"{item.id}, place {answer.place} of region {item.region}"),
        ("host", item.hostname or NOTHING),
        ("state", state_text(item, zone)),
        ("reason", item.mode_reason),
        ("seen", instant(item.seen_us if item.HasField("seen_us") else None, zone)),
        ("enrolled", instant(item.enrolled_us, zone)),
        ("certificate", f"until {instant(item.certificate_ends_us, zone)}"),
        ("version", f"{item.version or NOTHING}, protocol {answer.protocol}"),
        ("labels", labels_text(item.labels)),
        ("claimed", labels_text(answer.claimed)),
        ("others", ", ".join(answer.others) or f"none: region {item.region} hangs on this agent"),
        ("clock", offset),
        ("spool", f"{item.spool_lines} lines wait, {answer.spool_bytes} bytes"),
        ("lines", f"{item.lines} taken, {item.lost} lost, {answer.missed_slots} slots missed"),
        ("assignment", f"{answer.checks} checks, {answer.anchors} anchors, {is_current}"),
        ("site policy", answer.policy or NOTHING),
        ("refused", _refused(answer)),
    ]
    lines = [f"{name:<12} {value}" for name, value in rows if value]
    if answer.unrunnable_count:
        lines.append(f"\nOf the assigned checks {answer.unrunnable_count} cannot or may not run:")
        lines += [f"  {one.check}: {one.reason}" for one in answer.unrunnable]
        if answer.unrunnable_count > len(answer.unrunnable):
            lines.append("  ...")
    return "\n".join(lines)


def _refused(answer: access_pb2.GetAgentResponse) -> str:
    counts = [f"{count} {kind}" for kind, count in sorted(answer.refused.items())]
    if answer.refused_orders:
        counts.append(f"{answer.refused_orders} orders")
    return ", ".join(counts) or "nothing"


def _document(answer: access_pb2.GetAgentResponse) -> dict[str, object]:
    return {
        **agent_document(answer.agent),
        "claimed": dict(sorted(answer.claimed.items())),
        "place": answer.place,
        "others": list(answer.others),
        "assignment_revision": answer.assignment_revision or None,
        "assigned_revision": answer.assigned_revision,
        "checks": answer.checks,
        "anchors": answer.anchors,
        "policy": answer.policy or None,
        "refused_kinds": dict(sorted(answer.refused.items())),
        "refused_orders": answer.refused_orders,
        "unrunnable": [{"check": one.check, "reason": one.reason} for one in answer.unrunnable],
        "unrunnable_count": answer.unrunnable_count,
        "missed_slots": answer.missed_slots,
        "spool_bytes": answer.spool_bytes,
        "clock_steps": answer.clock_steps,
        "protocol": answer.protocol,
    }
