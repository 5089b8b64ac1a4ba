"""Events of outages become deliveries: to whom, held, suppressed, called off, caught up."""

from dataclasses import replace

import msgspec

from controller.core.channels import Channel, EventName
from controller.core.notices import (
    Course,
    Decision,
    DeliveryState,
    News,
    Past,
    Withheld,
    caught_up,
    decision,
    is_called_off,
    told,
)
from controller.core.wording import (
    Message,
    OutageNews,
    flapping_message,
    outage_facts,
    outage_message,
    steady_message,
)
from controller.ports.deliveries import Delivery
from controller.ports.events import OutageEvent
from controller.ports.incidents import Explained
from controller.ports.storage import Transaction
from controller.services.notify.notify_insight import Insight
from controller.services.notify.notify_progress import Flapping, Progress
from vedette.shared.limits import NOTIFY_HELD_AT_ONCE_MAX

_OVER = frozenset({EventName.CLOSED, EventName.RETRACTED})


class OutageTelling:
    """Writes deliveries of outages in one transaction; `progress` is changed in place."""

    def __init__(
        self,
        tx: Transaction,
        insight: Insight,
        progress: Progress,
        now_us: int,
        recorded_us: int,
    ) -> None:
        self._tx = tx
        self._insight = insight
        self._progress = progress
        self._now_us = now_us
        self._recorded_us = recorded_us

    def tell(self, event: OutageEvent) -> None:
        """Write what every channel is told of an event. ValueError if its body is damaged."""
        if not self._insight.channels:
            return
        news = self._news(event)
        explained = self._insight.explained(event.number)
        routed = News(
            event=news.event,
            check=event.check,
            service=news.service,
            scope=news.outage.scope,
            severity=news.severity,
            is_over=news.event in _OVER or news.outage.ended_us is not None,
            is_flapping=self._flaps(event.check),
            is_explained=explained is not None,
        )
        past = self._past(event.handle)
        for channel in self._insight.channels.values():
            own = past.get(channel.id, [])
            self._call_off(routed.event, own)
            found = decision(channel, routed, told(map(past_of, own)))
            if found.course is not Course.NONE:
                self._put(channel, found, news, _reason(found, routed, explained))

    def release(self, after: int) -> int:
        """Send what was held, where what it was held for is over, or hold it on.

        Looks at the next ones after that number; gives the last that was looked at, 0 after the last of all.
        """
        held = self._tx.withheld_deliveries(after, NOTIFY_HELD_AT_ONCE_MAX)
        for one in held:
            if message_of(one).facts["outage"]["check"] in self._progress.flapping:
                continue
            if self._insight.explained(_number(one.subject)) is None:
                self._change(one, DeliveryState.PENDING, None, "")
        return held[-1].number if len(held) == NOTIFY_HELD_AT_ONCE_MAX else 0

    def end_flapping(self, after: str) -> str:
        """Say of checks that flap no more that they do not, and what was not said meanwhile.

        Looks at the next ones after that check; gives the last that was looked at, nothing after the last of all.
        """
        ahead = sorted(check for check in self._progress.flapping if check > after)
        looked = ahead[:NOTIFY_HELD_AT_ONCE_MAX]
        for check in looked:
            if self._insight.flapping(check).is_flapping:
                continue
            flapping = self._progress.flapping.pop(check)
            self._say_steady(check, flapping)
            for subject in flapping.subjects:
                for own in self._past(subject).values():
                    place = caught_up([past_of(one) for one in own])
                    if place is not None:
                        self._change(own[place], DeliveryState.PENDING, None, "")
        return looked[-1] if len(ahead) > len(looked) else ""

    def _news(self, event: OutageEvent) -> OutageNews:
        return OutageNews(
            event=EventName(f"outage.{event.kind.value}"),
            handle=event.handle,
            revision=event.revision,
            sequence=event.sequence,
            recorded_us=event.recorded_us,
            service=self._insight.service(event.check),
            severity=self._insight.severity(event.body),
            outage=outage_facts(event.body),
            absorbed_by=f"OUT-{event.absorbed_by}" if event.absorbed_by else "",
        )

    def _past(self, subject: str) -> dict[str, list[Delivery]]:
        found: dict[str, list[Delivery]] = {}
        for one in self._tx.deliveries_about(subject):
            found.setdefault(one.channel, []).append(one)
        return found

    def _flaps(self, check: str) -> bool:
        if check not in self._progress.flapping and self._insight.flapping(check).is_flapping:
            self._progress.flapping[check] = Flapping(self._now_us)
        return check in self._progress.flapping

    def _call_off(self, event: EventName, own: list[Delivery]) -> None:
        for place, one in enumerate(own):
            if is_called_off(event, past_of(one)):
                reason = (
                    "It was retracted before it was sent."
                    if event is EventName.RETRACTED
                    else f"It was over before it was told: {one.reason}"
                )
                own[place] = self._change(one, DeliveryState.SUPPRESSED, Withheld.OVER, reason)

    def _put(self, channel: Channel, found: Decision, news: OutageNews, reason: str) -> None:
        key = f"{channel.id}/outage/{news.sequence}"
        if self._tx.has_delivery(key):
            return
        told_as = msgspec.structs.replace(news, event=found.event)
        self._insert(channel.id, outage_message(told_as, key), found, reason)
        if found.why is Withheld.FLAPPING:
            self._say_flapping(channel, news)

    def _say_flapping(self, channel: Channel, news: OutageNews) -> None:
        check = news.outage.check
        flapping = self._progress.flapping[check]
        if news.handle not in flapping.subjects:
            flapping.subjects.append(news.handle)
        key = _flapping_key(channel.id, check, flapping)
        if not self._tx.has_delivery(key):
            score = self._insight.flapping(check).score
            message = flapping_message(
                check, news.service, key=key, at_us=self._now_us,
                score=f"{int(score * 100)} %",
            )  # fmt: skip
            self._insert(channel.id, message)

    def _say_steady(self, check: str, flapping: Flapping) -> None:
        for one in self._tx.deliveries_about(f"check/{check}"):
            if one.key == _flapping_key(one.channel, check, flapping):
                key = f"{one.key}/end"
                message = steady_message(
                    check, self._insight.service(check), key=key, at_us=self._now_us,
                    open_outage=self._insight.open_outage(check),
                )  # fmt: skip
                self._insert(one.channel, message)

    def _insert(
        self, channel: str, message: Message, found: Decision | None = None, reason: str = ""
    ) -> None:
        state = _STATES[found.course] if found else DeliveryState.PENDING
        why = found.why if found else None
        put(self._tx, channel, message, self._now_us, state, why, reason, self._recorded_us)

    def _change(
        self, one: Delivery, state: DeliveryState, why: Withheld | None, reason: str
    ) -> Delivery:
        changed = replace(
            one,
            state=state,
            why=why,
            reason=reason,
            due_us=self._now_us,
            changed_us=self._recorded_us,
        )
        self._tx.put_delivery(changed)
        return changed


_STATES = {
    Course.SEND: DeliveryState.PENDING,
    Course.HOLD: DeliveryState.HELD,
    Course.SUPPRESS: DeliveryState.SUPPRESSED,
}


# Why a message is held back or suppressed: what it would say is told by another.
_EXPLAINED = frozenset({Withheld.PARENT, Withheld.FLAPPING})


def put(
    tx: Transaction,
    channel: str,
    message: Message,
    now_us: int,
    state: DeliveryState = DeliveryState.PENDING,
    why: Withheld | None = None,
    reason: str = "",
    recorded_us: int | None = None,
) -> Delivery:
    """Keep a new delivery, as of `recorded_us` if reports go by another clock than sending (S-21)."""
    kept_us = now_us if recorded_us is None else recorded_us
    made = Delivery(
        key=message.key,
        channel=channel,
        subject=message.subject,
        event=str(message.event),
        state=state,
        created_us=now_us,
        due_us=now_us,
        message=msgspec.json.encode(message),
        why=why,
        reason=reason,
        changed_us=kept_us,
        held_us=kept_us if why in _EXPLAINED else None,
    )
    return replace(made, number=tx.put_delivery(made))


def past_of(one: Delivery) -> Past:
    """A delivery as routing sees it."""
    return Past(EventName(one.event), one.state, one.attempts, one.why)


def message_of(one: Delivery) -> Message:
    """The message of a delivery."""
    return msgspec.json.decode(one.message, type=Message)


def _number(handle: str) -> int:
    return int(handle.removeprefix("OUT-"))


def _reason(found: Decision, news: News, explained: Explained | None) -> str:
    match found.why:
        case None:
            return ""
        case Withheld.PARENT:
            assert explained is not None
            return f"{explained.handle} explains it: {explained.reason}."
        case Withheld.FLAPPING:
            return f"{news.check} is flapping."
        case Withheld.UNTOLD:
            return "This channel was not told of the outage."
        case _:
            raise AssertionError(f"no decision is {found.why}")


def _flapping_key(channel: str, check: str, flapping: Flapping) -> str:
    return f"{channel}/check/{check}/flapping/{flapping.since_us}"
