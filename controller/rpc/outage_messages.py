"""Outages as messages."""

from controller.ports.remarks import Remark
from controller.rpc.counter_messages import counter_message
from controller.services.outages.outage_history import Entry
from controller.services.outages.outage_views import OutageView
from vedette.v1 import outage_pb2 as pb


def outage_message(view: OutageView) -> pb.Outage:
    """An outage."""
    body = view.body
    return pb.Outage(
        handle=view.handle,
        content_id=body.id,
        check=body.check,
        service=view.service,
        started_us=body.started_us,
        ended_us=body.ended_us,
        confirmed_us=body.confirmed_us,
        detected_us=view.detected_us,
        closed_known_us=view.closed_known_us,
        downtime_us=body.downtime_us,
        downtime_min_us=body.downtime_us_min,
        downtime_max_us=body.downtime_us_max,
        unknown_us=body.unknown_us,
        regions=body.regions,
        kinds=[kind for kind, _ in body.kinds],
        transients=body.transients,
        scope=body.scope,
        region=body.region,
        severity=view.severity.value,
        severities=[
            pb.Graded(from_us=one.from_us, to_us=one.to_us, severity=one.severity.value)
            for one in view.severities
        ],
        flapping=view.is_flapping,
        revision=view.revision,
        told_us=view.told_us,
        remarks=[remark_message(one) for one in view.remarks],
        counters=[counter_message(one) for one in view.counters],
        retraction=_retraction(view),
        notified_us=view.notified_us,
        held_us=view.held_us,
    )


def _retraction(view: OutageView) -> pb.Retraction | None:
    if view.retraction is None:
        return None
    return pb.Retraction(at_us=view.retraction.at_us, absorbed_by=view.retraction.absorbed_by)


def remark_message(remark: Remark) -> pb.Remark:
    """A remark."""
    return pb.Remark(
        kind=remark.kind.value,
        at_us=remark.at_us,
        who=remark.who,
        role=remark.role,
        peer=remark.peer,
        text=remark.text,
        from_us=remark.from_us,
    )


def event_message(entry: Entry) -> pb.OutageEvent:
    """An event, explained."""
    event = entry.event
    return pb.OutageEvent(
        sequence=event.sequence,
        revision=event.revision,
        kind=event.kind.value,
        recorded_us=event.recorded_us,
        words=entry.words,
        cause=event.cause.value,
        why=entry.why,
        changes=[
            pb.FieldChange(field=one.field, before=one.before, after=one.after)
            for one in entry.changes
        ],
        lines=[
            pb.CauseLine(
                agent=one.line.agent,
                epoch=one.line.epoch,
                stream=one.line.stream,
                seq=one.line.seq,
                at_us=one.line.at_us,
                said=one.line.said,
                late_us=one.late_us,
            )
            for one in entry.lines
        ],
        line_count=event.line_count,
        carried_from=event.carried_from,
        absorbed_by=f"OUT-{event.absorbed_by}" if event.absorbed_by else "",
    )
