"""What the log says of rules and outages: the entries of a bundle's config/, each with its place and its time."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from controller.core.paper.gathering import BadPaper, Gathered

_NAME: Final = re.compile(r"config/([0-9]{1,19})\.note")
_ENTRY: Final = re.compile(
    rb"vedette\.([a-z]{1,32})/v1\ntime ([0-9]{1,18})\nsubject ([^\n]+)\ndata ([^\n]+)\n"
)
# Claims that were made before are texts of another form.
_CLAIM: Final = b"vedette.claim/v1\n"
OUTAGE: Final = "outage"
EXCLUSION: Final = "exclusion"
KEY: Final = "key"
FLEET: Final = "fleet"
CHECK: Final = "check"
REPORT: Final = "report"
REMARK: Final = "remark"
COUNTER: Final = "counter"
_RETRACTED: Final = "retracted"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: the number of its leaf, when the controller signed it by its own clock, and what it says of whom."""

    leaf: int
    at_us: int
    kind: str
    subject: str
    data: dict[str, Any]


class Vote(msgspec.Struct, frozen=True):
    """What a region said when an outage began, and since when that was certain."""

    region: str
    label: str
    confirmed_us: int | None = None


class OutageSaid(msgspec.Struct, frozen=True):
    """An outage as an entry has it; `region` is set where it is of that region alone."""

    check: str
    started_us: int
    ended_us: int | None
    downtime_us_min: int
    downtime_us_max: int
    regions: tuple[str, ...]
    kinds: tuple[tuple[str, int], ...]
    votes: tuple[Vote, ...]
    region: str = ""


@dataclass(frozen=True, slots=True)
class LoggedOutage:
    """An outage by its handle: what the last entry says of it, and every entry with what happened then."""

    handle: str
    said: OutageSaid
    entries: Sequence[tuple[Entry, str]]

    @property
    def is_retracted(self) -> bool:
        """Later evidence took it back."""
        return self.entries[-1][1] == _RETRACTED


def entries_of(gathered: Gathered) -> list[Entry]:
    """Every entry but earlier claims, by its place in the log. BadPaper if one cannot be read."""
    found = [
        _entry(name, int(match[1]), note)
        for name in gathered.names()
        if (match := _NAME.fullmatch(name)) and not (note := gathered.read(name)).startswith(_CLAIM)
    ]
    return sorted(found, key=lambda one: one.leaf)


def _entry(name: str, leaf: int, note: bytes) -> Entry:
    match = _ENTRY.match(note)
    if match is None:
        raise BadPaper(f"{name}: expected an entry of the log, found another text.")
    try:
        subject = msgspec.json.decode(match[3], type=str)
        data = msgspec.json.decode(match[4], type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadPaper(f"{name}: expected an entry of the log: {error}.") from error
    return Entry(leaf, int(match[2]), match[1].decode(), subject, data)


def logged_outages(entries: Sequence[Entry]) -> list[LoggedOutage]:
    """The outages of whole checks, by when they were entered first. BadPaper if one cannot be read."""
    by_handle: dict[str, list[Entry]] = {}
    for one in entries:
        if one.kind == OUTAGE:
            by_handle.setdefault(one.subject, []).append(one)
    found = [
        LoggedOutage(handle, _said(own[-1]), list(_told(own))) for handle, own in by_handle.items()
    ]
    return [one for one in found if not one.said.region]


def _told(entries: Sequence[Entry]) -> Iterator[tuple[Entry, str]]:
    for one in entries:
        yield one, str(one.data.get("kind", ""))


def _said(entry: Entry) -> OutageSaid:
    try:
        return msgspec.json.decode(str(entry.data.get("body", "")), type=OutageSaid)
    except msgspec.MsgspecError as error:
        raise BadPaper(f"config/{entry.leaf}.note: expected an outage: {error}.") from error
