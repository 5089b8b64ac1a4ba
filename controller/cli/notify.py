"""`vedette notify`: what was told to whom, and whether it arrived."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import NOTHING, as_document, instant, shown, write_json, write_table
from vedette.v1 import notify_pb2 as pb
from vedette.v1 import notify_pb2_grpc

_STATES: Final = {
    "held": pb.DELIVERY_STATE_HELD,
    "pending": pb.DELIVERY_STATE_PENDING,
    "sending": pb.DELIVERY_STATE_SENDING,
    "delivered": pb.DELIVERY_STATE_DELIVERED,
    "suppressed": pb.DELIVERY_STATE_SUPPRESSED,
    "dead": pb.DELIVERY_STATE_DEAD,
    "dropped": pb.DELIVERY_STATE_DROPPED,
}
_WORDS: Final = {wire: word for word, wire in _STATES.items()}
_LIMIT: Final = 100
_NUMBER: Final = click.IntRange(1, 2**63 - 1)
# An attempt through apprise, its start included.
_TEST_SECONDS_MAX: Final = 60.0


@click.group()
def notify() -> None:
    """Messages to the channels of the fleet file, and whether they arrived."""


@notify.command("list")
@click.option("--dead", is_flag=True, help="Only what was given up: same as --state dead.")
@click.option("--state", "states", type=click.Choice(list(_STATES)), multiple=True)
@click.option("--channel", default="", help="Only to this channel.")
@click.option(
    "--about", default="", help="Only about this: OUT-12, agent/ID, check/ID or contract/ID."
)
@click.option("--before", type=_NUMBER, help="Only numbers below this: the next page.")
@click.option("--limit", type=click.IntRange(1, 1000), default=_LIMIT, show_default=True)
@shown
def list_(
    dead: bool,
    states: Sequence[str],
    channel: str,
    about: str,
    before: int | None,
    limit: int,
    as_json: bool,
    zone: ZoneInfo,
) -> None:
    """List deliveries, the newest first. With --dead, exit code 1 if there are any."""
    chosen = {*states, *(["dead"] if dead else [])}
    request = pb.ListDeliveriesRequest(
        states=[_STATES[word] for word in sorted(chosen)],
        channel=channel,
        subject=about,
        before=before,
        limit=limit,
    )
    with connected() as connection:
        answer = notify_pb2_grpc.NotifyServiceStub(connection.channel).ListDeliveries(
            request, **connection.call
        )
    if as_json:
        write_json({"deliveries": [_document(one) for one in answer.deliveries]})
    else:
        _write_list(answer.deliveries, zone)
    if dead and answer.deliveries:
        raise SystemExit(1)


@notify.command("show")
@click.argument("number", type=_NUMBER)
@shown
def show(number: int, as_json: bool, zone: ZoneInfo) -> None:
    """Show delivery NUMBER with its message."""
    with connected() as connection:
        answer = notify_pb2_grpc.NotifyServiceStub(connection.channel).GetDelivery(
            pb.GetDeliveryRequest(number=number), **connection.call
        )
    one = answer.delivery
    if as_json:
        message = {"title": answer.title, "text": answer.text, "webhook_id": answer.webhook_id}
        write_json({**_document(one), "message": message})
        return
    for label, text in (
        ("Delivery", f"{one.number} to channel {one.channel}, about {one.subject}"),
        ("Event", one.event),
        ("Key", one.key),
        ("Webhook id", answer.webhook_id),
        ("State", _WORDS.get(one.state, "?")),
        ("Reason", one.reason),
        ("Attempts", str(one.attempts)),
        ("Last error", one.error),
        ("Made", instant(one.created_us, zone)),
        ("Changed", instant(one.changed_us, zone)),
        ("Due", instant(one.due_us, zone) if one.HasField("due_us") else ""),
    ):
        if text:
            click.echo(f"{label + ':':<12} {text}")
    click.echo(f"\n{answer.title}\n\n{answer.text}")


@notify.command("retry")
@click.argument("number", type=_NUMBER)
@as_document
def retry(number: int, as_json: bool) -> None:
    """Send dead delivery NUMBER again."""
    with connected() as connection:
        answer = notify_pb2_grpc.NotifyServiceStub(connection.channel).RetryDelivery(
            pb.RetryDeliveryRequest(number=number), **connection.call
        )
    if as_json:
        write_json({"number": number, "later": [_document(one) for one in answer.later]})
        return
    click.echo(f"Delivery {number} is sent again.")
    if answer.later:
        told = ", ".join(f"{one.event} ({one.number})" for one in answer.later)
        click.echo(f"It comes after what the channel has got meanwhile: {told}.")


@notify.command("drop")
@click.argument("number", type=_NUMBER)
@as_document
def drop(number: int, as_json: bool) -> None:
    """Note that dead delivery NUMBER was seen to, so that nobody is reminded of it."""
    with connected() as connection:
        notify_pb2_grpc.NotifyServiceStub(connection.channel).DropDelivery(
            pb.DropDeliveryRequest(number=number), **connection.call
        )
    if as_json:
        write_json({"number": number, "dropped": True})
        return
    click.echo(f"Delivery {number} is dropped.")


@notify.command("test")
@click.argument("channel")
@as_document
def test(channel: str, as_json: bool) -> None:
    """Send a message to CHANNEL now. Exit code 1 if it is not taken."""
    with connected() as connection:
        answer = notify_pb2_grpc.NotifyServiceStub(connection.channel).TestChannel(
            pb.TestChannelRequest(channel=channel),
            **{**connection.call, "timeout": _TEST_SECONDS_MAX},
        )
    if as_json:
        write_json(
            {"channel": channel, "delivered": answer.delivered, "error": answer.error or None}
        )
    elif answer.delivered:
        click.echo(f"Channel {channel} took the message.")
    else:
        click.echo(f"Channel {channel} did not take the message: {answer.error}")
    if not answer.delivered:
        raise SystemExit(1)


def _write_list(deliveries: Sequence[pb.Delivery], zone: ZoneInfo) -> None:
    if not deliveries:
        click.echo("No such delivery.")
        return
    write_table(
        ["NUMBER", "CHANNEL", "ABOUT", "EVENT", "STATE", "ATTEMPTS", "CHANGED", "WHY"],
        [
            (
                str(one.number),
                one.channel,
                one.subject,
                one.event,
                _WORDS.get(one.state, "?"),
                str(one.attempts),
                instant(one.changed_us, zone),
                one.reason or one.error or NOTHING,
            )
            for one in deliveries
        ],
    )


def _document(one: pb.Delivery) -> dict[str, object]:
    return {
        "number": one.number,
        "key": one.key,
        "channel": one.channel,
        "subject": one.subject,
        "event": one.event,
        "state": _WORDS.get(one.state),
        "why": one.why or None,
        "reason": one.reason or None,
        "attempts": one.attempts,
        "created_us": one.created_us,
        "changed_us": one.changed_us,
        "due_us": one.due_us if one.HasField("due_us") else None,
        "error": one.error or None,
    }
