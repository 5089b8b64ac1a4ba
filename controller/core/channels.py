"""Channels: who is told of what, and how. The `notify:` section of the fleet file.

A secret stands in a channel as `${secret:name}` only: what is private in an address is never in the file.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta, field

from vedette.shared.definitions import Id
from vedette.shared.documents import Problem
from vedette.shared.durations import Duration
from vedette.shared.identity import ID_EXPECTED, is_id
from vedette.shared.limits import (
    CHANNEL_EVERY_US_MAX,
    CHANNEL_EVERY_US_MIN,
    CHANNEL_URL_CHARS_MAX,
    FILTER_NAMES_MAX,
)
from vedette.shared.probes import DurationText
from vedette.shared.probes.host import shown_url, url_problem
from vedette.shared.probes.part import Finding

_REFERENCE: Final = re.compile(r"\$\{secret:([^}]*)\}")
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f]")
# Stands for a secret where an address is looked at without knowing it.
PLACEHOLDER: Final = "5ecre7-0f-vede77e"


class EventName(StrEnum):
    """What a message tells of. Channels choose among those that are not told to all who were told before."""

    OPENED = "outage.opened"
    CONFIRMED = "outage.confirmed"
    REVISED = "outage.revised"
    CLOSED = "outage.closed"
    REOPENED = "outage.reopened"
    RETRACTED = "outage.retracted"
    FLAPPING = "check.flapping"
    STEADY = "check.steady"
    SILENT = "agent.silent"
    HEARD = "agent.heard"
    HEAD = "log.head"
    TEST = "channel.test"


Choice = Literal[
    "outage.opened",
    "outage.confirmed",
    "outage.revised",
    "outage.closed",
    "outage.reopened",
    "outage.retracted",
    "agent.silent",
    "agent.heard",
    "burn.page",
    "burn.ticket",
    "claim.due",
    "log.head",
]
Names = Annotated[list[Id], Meta(max_length=FILTER_NAMES_MAX)]
_DEFAULT_ON: Final[tuple[Choice, ...]] = ("outage.opened", "outage.closed", "outage.reopened")
_HEADS_EVERY: Final = "1h"
GRADE: Final = "grade."
"""What the events of grades begin with; a contract's action follows."""


class Struct(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A part of a channel. Unknown keys are refused."""


class Webhook(Struct, frozen=True):
    """A server that takes signed JSON. `secret` names the shared key, as `${secret:name}`."""

    url: str
    secret: str


class Channel(Struct, frozen=True):
    """Somebody who is told: by apprise at `url`, or by a signed webhook.

    A filter that is left out lets everything pass, but for `scopes`: outages of a single region are told to
    whoever asks for them. `scopes` and `severities` are about outages, `contracts` about contracts, `services`
    and `checks` about both: messages about agents pass them all.

    `on` has events of `Choice`, and the grades of the file's contracts. Heads of the log are told `every` so often
    at most, and when a report was sealed.
    """

    id: Id
    url: str | None = None
    webhook: Webhook | None = None
    on: list[str] = field(default_factory=lambda: list(_DEFAULT_ON))
    services: Names = field(default_factory=list)
    checks: Names = field(default_factory=list)
    contracts: Names = field(default_factory=list)
    scopes: list[Literal["global", "regional"]] = field(default_factory=lambda: ["global"])
    severities: list[Literal["P1", "P2", "P3", "P4"]] = field(default_factory=list)
    every: DurationText | None = None

    @property
    def every_us(self) -> int:
        """How long to wait at least between two heads of the log, in microseconds."""
        return Duration.parse(self.every or _HEADS_EVERY)

    @property
    def secret_names(self) -> frozenset[str]:
        """The secrets that it names."""
        return secret_names(*self._texts)

    @property
    def _texts(self) -> tuple[str, ...]:
        if self.webhook is not None:
            return self.webhook.url, self.webhook.secret
        return (self.url or "",)

    def passes(self, *, service: str, check: str, scope: str, severity: str) -> bool:
        """An outage with these passes the filters."""
        return (
            (not self.services or service in self.services)
            and (not self.checks or check in self.checks)
            and scope in self.scopes
            and (not self.severities or severity in self.severities)
        )

    def hears(
        self, event: str, contract: str, services: Collection[str], checks: Collection[str]
    ) -> bool:
        """It chose an event of a contract, which passes its filters; of the checks one has to."""
        return (
            event in self.on
            and (not self.contracts or contract in self.contracts)
            and (not self.services or not set(services).isdisjoint(self.services))
            and (not self.checks or not set(checks).isdisjoint(self.checks))
        )


def secret_names(*texts: str) -> frozenset[str]:
    """The secrets that texts name."""
    return frozenset(name for text in texts for name in _REFERENCE.findall(text))


def revealed(text: str, values: Mapping[str, str]) -> str:
    """`text` with values in place of the names. KeyError for a name without one.

    A name that is the whole text gives the value as it is; inside a longer text, which is an address, the
    value is percent-encoded so that it cannot change the rest.
    """
    whole = _REFERENCE.fullmatch(text)
    if whole is not None:
        return values[whole[1]]
    return _REFERENCE.sub(lambda match: quote(values[match[1]], safe=""), text)


def masked(text: str, values: Mapping[str, str]) -> str:
    """`text` with the name of a secret wherever its value stands, as it is or percent-encoded."""
    for name, value in values.items():
        for shape in {value, quote(value, safe=""), quote(value)}:
            text = text.replace(shape, f"secret:{name}")
    return text


def sketched(text: str) -> str | None:
    """`text` with a placeholder for each secret; None if it is nothing but a secret."""
    if _REFERENCE.fullmatch(text):
        return None
    return _REFERENCE.sub(PLACEHOLDER, text)


class Named(NamedTuple):
    """What there is in a file that a channel may name; `actions` are those of the contracts' grades."""

    services: Collection[str]
    checks: Collection[str]
    contracts: Collection[str]
    actions: Collection[str]


def channel_findings(channel: Channel, named: Named) -> Iterable[Finding]:
    """What is wrong between the fields of a channel, and with the names in it. Shows nothing private."""
    if (channel.url is None) == (channel.webhook is None):
        found = "neither" if channel.url is None else "both"
        yield (), "exactly one of url (for apprise) and webhook", found
    if channel.url is not None:
        yield from _text_findings(("url",), channel.url)
    if channel.webhook is not None:
        yield from _webhook_findings(channel.webhook)
    for key in ("on", "services", "checks", "contracts", "scopes", "severities"):
        chosen: list[Any] = getattr(channel, key)
        if not chosen and key in ("on", "scopes"):
            yield (key,), "at least one", "an empty list"
        for place, name in enumerate(chosen):
            if name in chosen[:place]:
                yield (key, place), "each of them once", f"{name!r} again"
    yield from _every_findings(channel)
    yield from _name_findings(channel, named)


def unrevealing(problem: Problem) -> Problem:
    """What is said of an address or key that is no text, without showing it."""
    is_private = problem.path.endswith((".url", ".secret"))
    return replace(problem, found="another kind of value") if is_private else problem


def one_of(noun: str, known: Iterable[str]) -> str:
    """What is expected where a name of the file is."""
    names = sorted(known)
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"a {noun} of this file ({shown or 'there is none'})"


def _every_findings(channel: Channel) -> Iterable[Finding]:
    if channel.every is None:
        return
    if EventName.HEAD.value not in channel.on:
        expected = f"{EventName.HEAD.value} in `on`: it says how often that is told"
        yield ("every",), expected, "a channel without it"
    if not CHANNEL_EVERY_US_MIN <= channel.every_us <= CHANNEL_EVERY_US_MAX:
        shortest, longest = Duration(CHANNEL_EVERY_US_MIN), Duration(CHANNEL_EVERY_US_MAX)
        yield ("every",), f"a duration from {shortest} to {longest}", channel.every


def _name_findings(channel: Channel, named: Named) -> Iterable[Finding]:
    events = sorted([*get_args(Choice), *(f"{GRADE}{action}" for action in named.actions)])
    for place, event in enumerate(channel.on):
        if event not in events:
            yield ("on", place), f"one of {', '.join(events)}", repr(event)
    for noun, chosen, known in (
        ("service", channel.services, named.services),
        ("check", channel.checks, named.checks),
        ("contract", channel.contracts, named.contracts),
    ):
        for place, name in enumerate(chosen):
            if name not in known:
                yield (f"{noun}s", place), one_of(noun, known), repr(name)


def _webhook_findings(webhook: Webhook) -> Iterable[Finding]:
    yield from _text_findings(("webhook", "url"), webhook.url)
    sketch = sketched(webhook.url)
    if sketch is not None:
        if wrong := url_problem(sketch):
            yield ("webhook", "url"), wrong, repr(shown_url(sketch))
        elif "@" in urlsplit(sketch).netloc:
            expected = "no user in the address: the signature says who sends"
            yield ("webhook", "url"), expected, "one"
    match = _REFERENCE.fullmatch(webhook.secret)
    if match is None:
        expected = "${secret:NAME}, with the value entered by `vedette secret set NAME`"
        yield ("webhook", "secret"), expected, "other text, which does not belong in a file"
    else:
        yield from _text_findings(("webhook", "secret"), webhook.secret)


def _text_findings(path: tuple[str, ...], text: str) -> Iterable[Finding]:
    if not 1 <= len(text) <= CHANNEL_URL_CHARS_MAX:
        yield path, f"text of 1 to {CHANNEL_URL_CHARS_MAX} characters", f"{len(text)}"
    if _CONTROL.search(text):
        yield path, "an address without blanks and control characters", "one of them"
    for name in secret_names(text):
        if not is_id(name):
            yield path, f"in ${{secret:...}} {ID_EXPECTED}", repr(name[:80])
    if "${" in _REFERENCE.sub("", text):
        yield path, "secrets as ${secret:NAME}", "another ${"
