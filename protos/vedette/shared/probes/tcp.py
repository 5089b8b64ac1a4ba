"""The TCP probe: a connection, TLS in it or not, and a dialogue over it."""

import re
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from vedette.shared.durations import Duration
from vedette.shared.limits import (
    DIALOGUE_SEND_CHARS_MAX,
    DIALOGUE_STEPS_MAX,
    PATTERN_CHARS_MAX,
)
from vedette.shared.patterns import BadPattern, pattern_of
from vedette.shared.probes.host import host_problem
from vedette.shared.probes.part import DurationText, Expectations, Family, Finding, Part
from vedette.shared.probes.tls import TlsDemands

PLACEHOLDER: Final = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*|[0-9]{1,3})\})")
"""`${name}` stands for what a pattern captured, `$$` for a dollar sign."""

_BYTES: Final = re.compile(r"(?:[0-9A-Fa-f]{2}\s*)*")
_DOING: Final = ("expect", "expect_bytes", "send", "line", "hex", "starttls")

PatternText = Annotated[str, Meta(min_length=1, max_length=PATTERN_CHARS_MAX)]
SendText = Annotated[str, Meta(max_length=DIALOGUE_SEND_CHARS_MAX)]


class StartTls(StrEnum):
    """Protocols that begin in plain text and whose way to TLS the agent knows."""

    SMTP = "smtp"
    IMAP = "imap"
    FTP = "ftp"


class Step(Part, frozen=True):
    """One step of a dialogue: it expects something, sends something, or starts TLS.

    `expect` is a pattern (RE2) searched in each line that comes, until one matches; `expect_bytes` in all
    that has come since the last match, for protocols without lines. `send` is sent as it stands, `line` with
    a line end (CR LF), `hex` as bytes. What a pattern captures can be sent later as `${name}` or `${1}`.
    """

    expect: PatternText | None = None
    expect_bytes: PatternText | None = None
    send: SendText | None = None
    line: SendText | None = None
    hex: SendText | None = None
    starttls: bool = False
    within: DurationText | None = None

    @property
    def pattern(self) -> str | None:
        """What it expects, if it expects."""
        return self.expect if self.expect is not None else self.expect_bytes

    @property
    def text(self) -> str | None:
        """What it sends, captures not yet filled in, if it sends text."""
        return self.send if self.send is not None else self.line

    @property
    def name(self) -> str:
        """What it does, in a word: the key that stands in the definition."""
        return next((d for d in _DOING if getattr(self, d) not in (None, False)), _DOING[0])


class TcpProbe(Part, frozen=True):
    """A connection, TLS in it or not, and a dialogue over it."""

    host: Annotated[str, Meta(min_length=1, max_length=255)]
    port: Annotated[int, Meta(ge=1, le=65535)]
    family: Family = Family.ANY
    tls: Annotated[
        TlsDemands | None,
        Meta(
            description="TLS from the first byte on, or from where starttls says; `tls: {}` is enough"
        ),
    ] = None
    starttls: Annotated[
        StartTls | None, Meta(description="plain at first, then TLS, as this protocol does it")
    ] = None
    dialogue: Annotated[list[Step], Meta(max_length=DIALOGUE_STEPS_MAX)] = []
    expect: Expectations = []

    variables: ClassVar[frozenset[str]] = frozenset({
        "connected", "banner", "captures", "tls", "phases", "addr", "took_ms",
    })  # fmt: skip

    @property
    def target(self) -> str:
        """What is probed, in one line for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_implicit_tls(self) -> bool:
        """TLS is spoken from the first byte on."""
        return self.tls is not None and self.starttls is None and not self._steps_starting_tls

    @property
    def speaks_tls(self) -> bool:
        """TLS is spoken, from the first byte on or later."""
        return self.is_implicit_tls or self.starttls is not None or self._steps_starting_tls > 0

    @property
    def demands(self) -> TlsDemands:
        """What is demanded of TLS, wherever it begins."""
        return TlsDemands() if self.tls is None else self.tls

    @property
    def _steps_starting_tls(self) -> int:
        return sum(step.starttls for step in self.dialogue)

    def problems(self, timeout_us: int) -> list[Finding]:
        """What is wrong between its fields, in a check that has `timeout_us`."""
        found: list[Finding] = []
        if wrong := host_problem(self.host):
            found.append((("host",), wrong, repr(self.host)))
        found += self._tls_problems()
        captured: set[str] = set()
        for place, step in enumerate(self.dialogue):
            found += [
                (("dialogue", place, *path), expected, seen)
                for path, expected, seen in _step_problems(step, captured, timeout_us)
            ]
        return found

    def _tls_problems(self) -> list[Finding]:
        beginnings = self._steps_starting_tls + (self.starttls is not None)
        found: list[Finding] = []
        if beginnings > 1:
            expected = "one beginning of TLS: starttls, or one step starttls"
            found.append((("starttls",), expected, f"{beginnings} of them"))
        found += [
            (("tls", *path), expected, seen) for path, expected, seen in self.demands.problems()
        ]
        return found


def _step_problems(step: Step, captured: set[str], timeout_us: int) -> list[Finding]:
    """What is wrong with `step` after the steps that captured `captured`, to which it adds its own."""
    found: list[Finding] = []
    doing = [d for d in _DOING if getattr(step, d) not in (None, False)]
    if len(doing) != 1:
        found.append(((), f"exactly one of {', '.join(_DOING)}", " and ".join(doing) or "none"))
    if step.pattern is not None:
        try:
            captured |= set(pattern_of(step.pattern).groups)
        except BadPattern as error:
            path = (step.name,)
            found.append((path, f"a regular expression ({error})", repr(step.pattern)))
    if step.text is not None:
        for match in PLACEHOLDER.finditer(step.text):
            if match[1] is not None and match[1] not in captured:
                known = ", ".join(sorted(captured)) or "nothing"
                expected = f"a capture of an earlier step ({known})"
                found.append(((step.name,), expected, match[0]))
    if step.hex is not None and not _BYTES.fullmatch(step.hex):
        found.append((("hex",), "bytes as pairs of hexadecimal digits", repr(step.hex[:60])))
    if step.within is not None:
        if step.pattern is None:
            found.append((("within",), "within only where something is expected", step.name))
        elif not 0 < Duration.parse(step.within) <= timeout_us:
            expected = f"a time up to the timeout ({Duration(timeout_us)})"
            found.append((("within",), expected, step.within))
    return found
