"""What people are told of a contract: who it is for, what names it for ever, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from controller.core.wording import Level, Message, reference

RETRACTED: Final = ".retracted"
"""What the event that takes another back ends with."""
_CONTRACT: Final = "contract"


@dataclass(frozen=True, slots=True)
class SlaNotice:
    """One thing to tell of a contract. What has the same subject and ordinal is told once for ever.

    `series` names what it is about, within the contract, and `ordinal` counts what is told of that, from 1.
    It goes to the channels that chose `event` and whose filters the contract passes, and to `channels`, which
    are named whatever they chose. One that `follows` an ordinal goes to whoever was told of that, and to nobody
    else; if it `takes_back` what it follows, that is not sent any more where nothing was sent yet.
    """

    contract: str
    event: str
    series: str
    title: str
    lines: Sequence[str]
    level: Level
    facts: Mapping[str, Any] = field(default_factory=dict)
    ordinal: int = 1
    channels: Sequence[str] = ()
    follows: int | None = None
    takes_back: bool = False

    @property
    def subject(self) -> str:
        """What it is about, the same in every message about it."""
        return subject_of(self.contract, self.series)

    def key(self, channel: str) -> str:
        """What names the message to a channel."""
        return message_key(channel, self.subject, self.ordinal)


class Told(NamedTuple):
    """What was told last of a subject."""

    ordinal: int
    event: str
    at_us: int


def subject_of(contract: str, series: str) -> str:
    """What a series of a contract is called among everything that people are told of."""
    return f"{_CONTRACT}/{contract}/{series}"


def contract_of(subject: str) -> str | None:
    """The contract that a subject is about; None if it is about none."""
    parts = subject.split("/")
    return parts[1] if parts[0] == _CONTRACT and len(parts) > 1 else None


def message_key(channel: str, subject: str, ordinal: int) -> str:
    """What names the message of that ordinal about a subject, to a channel."""
    return f"{channel}/{subject}/{ordinal}"


def notice_message(notice: SlaNotice, channel: str, at_us: int) -> Message:
    """What a channel is sent."""
    key = notice.key(channel)
    return Message(
        event=notice.event,
        key=key,
        subject=notice.subject,
        at_us=at_us,
        level=notice.level,
        title=f"[{notice.contract}] {notice.title}",
        text="\n".join([*notice.lines, "", reference(notice.subject, key)]),
        facts=dict(notice.facts),
    )
