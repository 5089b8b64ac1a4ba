"""What is news of an outage: which events its next state makes of the one before.

That an open outage goes on is none, and neither is what people do not see.
"""

from controller.core.quorum import Verdict
from controller.ports.events import EventKind, OutageEvent
from controller.ports.storage import Transaction
from controller.services.outages.outage_body import OutageBody, decode_body
from controller.services.timeline.intervals import START_US


def news(
    old: OutageBody | None, new: OutageBody, *, is_confirmed: bool, is_past_changed: bool
) -> list[EventKind]:
    """What is to be told of an outage that was `old` and is `new`, in order.

    `is_confirmed`: that was told before. `is_past_changed`: so has what was known of the time of `old`,
    which is asked of outages that stay open.
    """
    told: list[EventKind] = []
    closed: list[EventKind] = []
    if old is None:
        told = [EventKind.OPENED]
        closed = [EventKind.CLOSED] if new.ended_us is not None else []
    elif old.ended_us is None and new.ended_us is not None:
        closed = [EventKind.CLOSED]
    elif old.ended_us is not None and new.ended_us is None:
        told = [EventKind.REOPENED]
    elif seen(old) != seen(new) or (new.ended_us is None and is_past_changed):
        told = [EventKind.REVISED]
    confirmed = [EventKind.CONFIRMED] if new.downtime_us_min > 0 and not is_confirmed else []
    return [*told, *confirmed, *closed]


def seen(body: OutageBody) -> tuple[object, ...]:
    """What people see of an outage and what does not change while it merely goes on."""
    lasting = (body.id, body.started_us, body.ended_us, body.confirmed_us)
    if body.ended_us is None:
        return lasting
    sums = (body.downtime_us, body.downtime_us_min, body.downtime_us_max, body.unknown_us)
    return (
        *lasting,
        *sums,
        tuple(body.regions),
        tuple(sorted(kind for kind, _ in body.kinds)),
        body.transients,
    )


def is_told(last: OutageEvent, body: OutageBody) -> bool:
    """The last event of an outage says the same of it already: what came in between was taken back."""
    return _whole(decode_body(last.body)) == _whole(body)


def _whole(body: OutageBody) -> tuple[object, ...]:
    return seen(body), body.until_us, body.downtime_us, body.unknown_us, tuple(body.regions)


def is_past_changed(tx: Transaction, old: OutageBody, new: OutageBody) -> bool:
    """What is known now of the time that `old` covered is something else, by the stored verdicts.

    Asked of an outage with the same start, whose verdicts were stored before.
    """
    if new.until_us < old.until_us or not set(old.regions) <= set(new.regions):
        return True
    if old.started_us < START_US or old.region:
        return False  # of single regions no verdicts are stored
    stored = tx.intervals(old.check, old.started_us, old.until_us)
    down_us = unknown_us = 0
    for place, one in enumerate(stored, start=1):
        # The last one is stored up to where it was last told of, and has gone on since.
        end_us = old.until_us if place == len(stored) else one.to_us
        part_us = end_us - max(one.from_us, old.started_us)
        down_us += part_us if one.verdict == Verdict.DOWN else 0
        unknown_us += part_us if one.verdict == Verdict.UNKNOWN else 0
    return (down_us, unknown_us) != (old.downtime_us, old.unknown_us)
