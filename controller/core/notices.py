"""What a channel is told of an event, given what it was told before: routing, damping, suppression (S-16, S-18).

Everything here is a function of what is stored, so that the same ledger makes the same messages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from controller.core.channels import Channel, EventName


class DeliveryState(StrEnum):
    """How far a delivery is.

    HELD waits for what it is held for to end, PENDING for its time or for those of its subject before it,
    SENDING is on its way or was when the controller ended. DEAD was given up after a bound and can be tried
    again; DROPPED is dead and seen to. SUPPRESSED is not sent, for the reason that it has.
    """

    HELD = "held"
    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    SUPPRESSED = "suppressed"
    DEAD = "dead"
    DROPPED = "dropped"


class Withheld(StrEnum):
    """Why a delivery is held or suppressed.

    The check flaps; what it depends on is down; whoever would get it was not told of what it follows; it was
    over, or retracted, before it could be told.
    """

    FLAPPING = "flapping"
    PARENT = "parent"
    UNTOLD = "untold"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Past:
    """A delivery about the same subject to the same channel, before."""

    event: EventName
    state: DeliveryState
    attempts: int
    why: Withheld | None = None


class Told(StrEnum):
    """What a channel knows of an outage.

    NOTHING was ever written for it; WITHHELD it will not be told; HELD it may be told; UNSENT it will be, and
    no attempt was made; TOLD it was, or may have been; FAILED it was not, after all attempts.
    """

    NOTHING = "nothing"
    WITHHELD = "withheld"
    HELD = "held"
    UNSENT = "unsent"
    TOLD = "told"
    FAILED = "failed"


class Course(StrEnum):
    """What to do about an event for a channel: nothing at all, or a delivery that is sent, held or suppressed."""

    NONE = "none"
    SEND = "send"
    HOLD = "hold"
    SUPPRESS = "suppress"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, as which event, and why not if it is not sent."""

    course: Course
    event: EventName
    why: Withheld | None = None


@dataclass(frozen=True, slots=True)
class News:
    """An event of an outage, as routing sees it.

    `is_over`: as far as is known now, the outage has ended. `is_explained`: it is the mere consequence of
    another one (S-16).
    """

    event: EventName
    check: str
    service: str
    scope: str
    severity: str
    is_over: bool
    is_flapping: bool = False
    is_explained: bool = False


_DOWN: Final = frozenset({EventName.OPENED, EventName.REOPENED})
_OVER: Final = frozenset({EventName.CLOSED, EventName.RETRACTED})
_BETWEEN: Final = frozenset({EventName.CONFIRMED, EventName.REVISED})


def told(past: Iterable[Past]) -> Told:
    """What a channel knows of an outage after these deliveries."""
    found = Told.NOTHING
    for one in past:
        standing = _standing(one)
        if standing is Told.TOLD:
            return standing
        found = max(found, standing, key=_RANK.index)
    return found


_RANK: Final = (Told.NOTHING, Told.WITHHELD, Told.FAILED, Told.HELD, Told.UNSENT, Told.TOLD)


def _standing(one: Past) -> Told:
    match one.state:
        case DeliveryState.SENDING | DeliveryState.DELIVERED:
            return Told.TOLD
        case DeliveryState.PENDING:
            return Told.TOLD if one.attempts else Told.UNSENT
        case DeliveryState.HELD:
            return Told.HELD
        case DeliveryState.SUPPRESSED:
            return Told.WITHHELD
        case DeliveryState.DEAD | DeliveryState.DROPPED:
            return Told.FAILED
        case _:
            assert_never(one.state)


def decision(channel: Channel, news: News, known: Told) -> Decision:
    """What a channel is told of an event of an outage.

    Who was told of an outage is told the rest of it whatever the filters say by then, so that no ticket
    stays open because an outage became less severe. A retraction goes to whoever was told, and nobody else.
    """
    event = news.event
    if event is EventName.RETRACTED:
        if known is not Told.TOLD:
            return Decision(Course.NONE, event)
        return _unless_flapping(news)
    passes = known in (Told.TOLD, Told.UNSENT) or channel.passes(
        service=news.service, check=news.check, scope=news.scope, severity=news.severity
    )
    wants_opening = EventName.OPENED.value in channel.on
    if known is Told.NOTHING and event in _BETWEEN and not news.is_over and wants_opening:
        # It came within the filters only now, or the channel is younger than the outage.
        event = EventName.OPENED
    if event is EventName.CLOSED and known is Told.NOTHING and wants_opening:
        # It would have been told of the opening, but for a filter or because it is younger.
        return Decision(Course.NONE, event)
    if event.value not in channel.on:
        return Decision(Course.NONE, event)
    if not passes:
        return Decision(Course.NONE, event)
    if known is Told.HELD or (known is Told.WITHHELD and event not in _DOWN):
        return Decision(Course.SUPPRESS, event, Withheld.UNTOLD)
    if news.is_flapping:
        return Decision(Course.SUPPRESS, event, Withheld.FLAPPING)
    if known in (Told.NOTHING, Told.WITHHELD) and news.is_explained:
        # What is over need not wait for its reason to be over.
        course = Course.SUPPRESS if news.is_over else Course.HOLD
        return Decision(course, event, Withheld.PARENT)
    return Decision(Course.SEND, event)


def _unless_flapping(news: News) -> Decision:
    if news.is_flapping:
        return Decision(Course.SUPPRESS, news.event, Withheld.FLAPPING)
    return Decision(Course.SEND, news.event)


def is_called_off(event: EventName, one: Past) -> bool:
    """`event` makes a delivery before it pointless: what it tells of is over, and nobody can have heard of it.

    A retracted outage was none, so nothing that is not on its way yet is told of it. One that is closed was
    one, and is told of, unless it was held until then.
    """
    if event is EventName.RETRACTED:
        is_unsent = one.state is DeliveryState.PENDING and one.attempts == 0
        return is_unsent or one.state is DeliveryState.HELD
    return event is EventName.CLOSED and one.state is DeliveryState.HELD


def caught_up(past: Sequence[Past]) -> int | None:
    """Which suppressed delivery is to be sent after all, now that a check does not flap any more.

    It is the one that brings what the channel knows of the outage to what is so. None if it knows.
    """
    view: bool | None = None
    now: bool | None = None
    place: int | None = None
    for index, one in enumerate(past):
        if one.event not in _DOWN | _OVER:
            continue
        is_down = one.event in _DOWN
        now = is_down
        if one.state is not DeliveryState.SUPPRESSED:
            view = is_down
        elif one.why is Withheld.FLAPPING:
            place = index
    knows = view is now or (view is None and now is False)
    return None if knows else place
