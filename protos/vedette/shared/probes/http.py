"""The HTTP probe: a request and what its answer must be."""

import re
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from vedette.shared.limits import (
    BODY_BYTES_DEFAULT,
    BODY_BYTES_MAX,
    CA_CHARS_MAX,
    REDIRECTS_MAX,
    REQUEST_BODY_CHARS_MAX,
    REQUEST_HEADERS_MAX,
    URL_CHARS_MAX,
)
from vedette.shared.probes.host import url_problem
from vedette.shared.probes.part import DurationText, Expectations, Family, Finding, Part

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_HEADER_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_OWN_HEADERS: Final = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Redirects(Part, frozen=True):
    """Whether redirects are followed, and how many."""

    follow: bool = True
    max: Annotated[int, Meta(ge=0, le=REDIRECTS_MAX)] = 10


class PhaseTimeouts(Part, frozen=True):
    """How long each phase of a hop may take, within the check's timeout. No bound of its own if left out."""

    resolve: DurationText | None = None
    connect: DurationText | None = None
    tls: DurationText | None = None
    send: DurationText | None = None
    first_byte: DurationText | None = None
    transfer: DurationText | None = None


class HttpProbe(Part, frozen=True):
    """An HTTP request and what its answer must be."""

    url: Annotated[str, Meta(min_length=1, max_length=URL_CHARS_MAX)]
    method: Annotated[str, Meta(pattern=r"^[A-Z]{1,20}$")] = "GET"
    headers: Annotated[dict[str, str], Meta(max_length=REQUEST_HEADERS_MAX)] = {}
    body: Annotated[str, Meta(max_length=REQUEST_BODY_CHARS_MAX)] | None = None
    body_max: Annotated[int, Meta(ge=0, le=BODY_BYTES_MAX)] = BODY_BYTES_DEFAULT
    redirects: Redirects = Redirects()
    phase_timeouts: PhaseTimeouts = PhaseTimeouts()
    family: Family = Family.ANY
    verify: bool = True
    ca: Annotated[str, Meta(max_length=CA_CHARS_MAX, description="certificates, PEM")] | None = None
    server_name: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    expect: Expectations = []

    variables: ClassVar[frozenset[str]] = frozenset({
        "status", "reason", "version", "headers", "headers_all", "body", "body_size", "body_sha256",
        "json", "hops", "url", "addr", "tls", "phases", "took_ms",
    })  # fmt: skip

    @property
    def full_url(self) -> str:
        """The URL with its scheme in lower case; `http` where it has none."""
        match = _SCHEME.match(self.url)
        if match is None:
            return f"http://{self.url}"
        return match[0].lower() + self.url[match.end() :]

    @property
    def target(self) -> str:
        """What is probed, in one line for people."""
        return self.url

    def problems(self, timeout_us: int) -> list[Finding]:
        """What is wrong between its fields, in a check that has `timeout_us`."""
        found: list[Finding] = []
        wrong = url_problem(self.full_url)
        if wrong:
            found.append((("url",), wrong, repr(self.url)))
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name):
                found.append((("headers", name), "the name of a header", repr(name)))
            elif name.lower() in _OWN_HEADERS:
                found.append(
                    (("headers", name), "a header that the agent does not set itself", name)
                )
            elif not _HEADER_VALUE.fullmatch(value):
                found.append(
                    (("headers", name), "a value without control characters", "a control character")
                )
        if self.ca is not None and "-----BEGIN CERTIFICATE-----" not in self.ca:
            found.append(
                (("ca",), "certificates in PEM (-----BEGIN CERTIFICATE-----)", "other text")
            )
        if self.ca is not None and not self.verify:
            found.append((("ca",), "a CA together with verify: true", "verify: false"))
        return found
