"""What messages say: a title that carries the handle, a text for people, the facts for programs."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from controller.core.channels import EventName
from controller.core.instants import instant_text

_SECOND_US: Final = 1_000_000
_KINDS_SHOWN_MAX: Final = 5


class Level(StrEnum):
    """How a message is to be taken; apprise has these four."""

    FAILURE = "failure"
    WARNING = "warning"
    SUCCESS = "success"
    INFO = "info"


class Message(msgspec.Struct, frozen=True):
    """A message as it is stored and sent. `facts` are named for what they are of: outage, check, agent, contract.

    `subject` names what it is about, the same in every message about it; `key` names this message, the same
    however often it is sent.
    """

    event: str
    key: str
    subject: str
    at_us: int
    level: Level
    title: str
    text: str
    facts: dict[str, Any]


class OutageFacts(msgspec.Struct, frozen=True):
    """An outage as its stored body has it. Times are integer microseconds."""

    id: str
    check: str
    started_us: int
    until_us: int
    ended_us: int | None
    confirmed_us: int
    downtime_us: int
    downtime_us_min: int
    downtime_us_max: int
    unknown_us: int
    regions: list[str]
    kinds: list[tuple[str, int]]
    transients: int = 0
    region: str = ""

    @property
    def scope(self) -> str:
        """Whom it concerns: everybody, or those of one region (S-14)."""
        return "regional" if self.region else "global"


class OutageNews(msgspec.Struct, frozen=True):
    """An event of an outage, with what stands beside the outage itself."""

    event: EventName
    handle: str
    revision: int
    sequence: int
    recorded_us: int
    service: str
    severity: str
    outage: OutageFacts
    absorbed_by: str = ""


_facts: Final = msgspec.json.Decoder(OutageFacts)


def outage_facts(body: bytes) -> OutageFacts:
    """The outage in a stored body. ValueError if it is damaged."""
    try:
        return _facts.decode(body)
    except msgspec.MsgspecError as error:
        raise ValueError(f"a stored outage is damaged: {error}") from error


def outage_message(news: OutageNews, key: str) -> Message:
    """What is said of an event of an outage."""
    outage = news.outage
    facts = msgspec.to_builtins(outage)
    facts |= {
        "handle": news.handle,
        "scope": outage.scope,
        "region": outage.region or None,
        "revision": news.revision,
        "service": news.service,
        "severity": news.severity or None,
        "absorbed_by": news.absorbed_by or None,
        "kinds": [kind for kind, _ in outage.kinds],
    }
    return Message(
        event=news.event,
        key=key,
        subject=news.handle,
        at_us=news.recorded_us,
        level=_LEVELS[news.event],
        title=f"[{news.handle}] {_outage_title(news)}",
        text="\n".join([*_outage_lines(news), "", reference(news.handle, key)]),
        facts={"outage": facts},
    )


_LEVELS: Final = {
    EventName.OPENED: Level.FAILURE,
    EventName.CONFIRMED: Level.FAILURE,
    EventName.REVISED: Level.WARNING,
    EventName.CLOSED: Level.SUCCESS,
    EventName.REOPENED: Level.FAILURE,
    EventName.RETRACTED: Level.SUCCESS,
}


def _outage_title(news: OutageNews) -> str:
    outage = news.outage
    what = f"{outage.check} in {outage.region}" if outage.region else outage.check
    mark = f"{news.severity} " if news.severity else ""
    lasted = spoken(outage.until_us - outage.started_us)
    match news.event:
        case EventName.OPENED if outage.ended_us is not None:
            return f"{mark}{what} was down for {lasted}, which is learnt now"
        case EventName.OPENED:
            return f"{mark}{what} is down"
        case EventName.CONFIRMED:
            return f"{mark}{what} is down, by every reading of the evidence"
        case EventName.REOPENED:
            return f"{mark}{what} is down again"
        case EventName.CLOSED:
            return f"{what} is up again after {lasted}"
        case EventName.RETRACTED if news.absorbed_by:
            return f"{what}: part of {news.absorbed_by} now"
        case EventName.RETRACTED:
            return f"{what} was not down after all"
        case _:
            return f"{mark}{what}: outage revised by late evidence"


def _outage_lines(news: OutageNews) -> Sequence[str]:
    outage = news.outage
    down = spoken(outage.downtime_us)
    low, high = spoken(outage.downtime_us_min), spoken(outage.downtime_us_max)
    if (low, high) != (down, down):
        down += f" (between {low} and {high})"
    lines = [
        f"Service: {news.service}",
        f"Check: {outage.check}" + (f", region {outage.region}" if outage.region else ""),
        *([f"Severity: {news.severity}"] if news.severity else []),
        f"Started: {instant_text(outage.started_us)}",
        f"Ended: {instant_text(outage.ended_us) if outage.ended_us is not None else 'not yet'}",
        f"Down for: {down}",
        f"Regions: {', '.join(outage.regions) or 'none'}",
    ]
    if outage.kinds:
        kinds = [kind for kind, _ in outage.kinds[:_KINDS_SHOWN_MAX]]
        lines.append(f"Failures: {', '.join(kinds)}")
    if news.event is EventName.RETRACTED:
        lines.append(
            f"Later evidence made it a part of {news.absorbed_by}."
            if news.absorbed_by
            else "Later evidence shows that it was none. What stands above is what was believed."
        )
    return lines


def flapping_message(check: str, service: str, *, key: str, at_us: int, score: str) -> Message:
    """Said once when a check begins to flap: nothing more comes until it ends."""
    what = (
        f"{check} changes between up and down so often (flap score {score}) that its outages are not told"
        " one by one from now on. There will be one message when this ends. Outages are recorded as ever,"
        " and no figure changes."
    )
    text = [f"Service: {service}", what, "", reference(_check_subject(check), key)]
    return _check_message(
        EventName.FLAPPING, check, service, key=key, at_us=at_us, level=Level.WARNING,
        title=f"[{check}] {check} is flapping", text=text, open_outage=None,
    )  # fmt: skip


def steady_message(
    check: str, service: str, *, key: str, at_us: int, open_outage: str | None
) -> Message:
    """Said once when a check flaps no more, with how it stands."""
    now = f"It is down: {open_outage}." if open_outage else "No outage of it is open."
    text = [f"Service: {service}", now, "", reference(_check_subject(check), key)]
    return _check_message(
        EventName.STEADY, check, service, key=key, at_us=at_us,
        level=Level.FAILURE if open_outage else Level.SUCCESS,
        title=f"[{check}] {check} flaps no more", text=text, open_outage=open_outage,
    )  # fmt: skip


def _check_message(
    event: EventName,
    check: str,
    service: str,
    *,
    key: str,
    at_us: int,
    level: Level,
    title: str,
    text: Sequence[str],
    open_outage: str | None,
) -> Message:
    facts = {"id": check, "service": service, "open_outage": open_outage}
    return Message(
        event, key, _check_subject(check), at_us, level, title, "\n".join(text), {"check": facts}
    )


def agent_message(
    event: EventName, agent: str, region: str, *, key: str, at_us: int, from_us: int, detail: str
) -> Message:
    """Said once when an agent falls silent, and once when that ends."""
    is_silent = event is EventName.SILENT
    title = f"[{agent}] " + ("agent is silent" if is_silent else "agent is missed no more")
    since = "Last heard" if is_silent else "Silent from"
    text = [detail, f"{since}: {instant_text(from_us)}", "", reference(f"agent/{agent}", key)]
    return Message(
        event=event,
        key=key,
        subject=f"agent/{agent}",
        at_us=at_us,
        level=Level.WARNING if is_silent else Level.SUCCESS,
        title=title,
        text="\n".join(text),
        facts={"agent": {"id": agent, "region": region, "from_us": from_us}},
    )


def trial_message(channel: str, *, key: str, at_us: int, by: str) -> Message:
    """Sent when a person asks whether a channel works."""
    return Message(
        event=EventName.TEST,
        key=key,
        subject=f"channel/{channel}",
        at_us=at_us,
        level=Level.INFO,
        title=f"[{channel}] test of this channel",
        text=f"{by} asked whether this channel works. It does.\n\n{reference(channel, key)}",
        facts={"channel": {"id": channel, "by": by}},
    )


def spoken(micros: int) -> str:
    """A duration to the second, rounded up, as people say it: 2d 3h, 4m 10s."""
    seconds = -(-micros // _SECOND_US)
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m")]
    words = [f"{count}{unit}" for count, unit in parts if count]
    if seconds % 60 or not words:
        words.append(f"{seconds % 60}s")
    return " ".join(words)


def reference(subject: str, key: str) -> str:
    """The last line of a message: by what it is found again."""
    return f"Reference: {subject} | {key}"


def _check_subject(check: str) -> str:
    return f"check/{check}"
