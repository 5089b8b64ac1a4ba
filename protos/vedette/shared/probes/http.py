"""The HTTP probe: a request and what its answer must be."""

import re
from ipaddress import ip_address
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from vedette.shared.durations import Duration
from vedette.shared.limits import (
    BODY_BYTES_DEFAULT,
    BODY_BYTES_MAX,
    DNS_SERVERS_MAX,
    REDIRECTS_MAX,
    REQUEST_BODY_CHARS_MAX,
    REQUEST_HEADERS_MAX,
    URL_CHARS_MAX,
)
from vedette.shared.probes.endpoint import Endpoint
from vedette.shared.probes.host import shown_url, url_problem
from vedette.shared.probes.http_auth import Auth
from vedette.shared.probes.part import DurationText, Expectations, Family, Finding, Part
from vedette.shared.probes.tls import TlsDemands

HeaderValues = str | Annotated[tuple[str, ...], Meta(min_length=1, max_length=REQUEST_HEADERS_MAX)]
Url = Annotated[str, Meta(min_length=1, max_length=URL_CHARS_MAX)]

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_HEADER_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_LATIN: Final = re.compile(r"[\x00-\xff]*")
_OWN_HEADERS: Final = frozenset({
    "connection", "content-length", "keep-alive", "proxy-authorization", "proxy-connection", "te",
    "transfer-encoding", "upgrade",
})  # fmt: skip
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
    """An HTTP request and what its answer must be.

    A body stands in the definition itself, as text or, for bytes that are no text, in base64: an agent has
    no files of the person who wrote the check, and a revision would not say what was sent.
    """

    url: Url
    method: Annotated[
        str, Meta(pattern=r"^[A-Z]{1,20}$", description="a method in capital letters, such as GET")
    ] = "GET"
    version: Literal["HTTP/1.1", "HTTP/2", "auto"] = "HTTP/1.1"
    headers: Annotated[dict[str, HeaderValues], Meta(max_length=REQUEST_HEADERS_MAX)] = {}
    body: Annotated[str, Meta(max_length=REQUEST_BODY_CHARS_MAX)] | None = None
    body_base64: (
        Annotated[
            str,
            Meta(max_length=REQUEST_BODY_CHARS_MAX, pattern=r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\s*$", description="base64"),
        ]
        | None
    ) = None  # fmt: skip
    body_max: Annotated[int, Meta(ge=0, le=BODY_BYTES_MAX)] = BODY_BYTES_DEFAULT
    compression: Literal["gzip", "br", "deflate", "identity"] | None = None
    auth: Auth | None = None
    redirects: Redirects = Redirects()
    phase_timeouts: PhaseTimeouts = PhaseTimeouts()
    family: Family = Family.ANY
    addresses: Literal["any", "all"] = "any"
    resolver: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=255)], ...],
        Meta(max_length=DNS_SERVERS_MAX, description="name servers: addresses, with :port if not 53"),
    ] = ()  # fmt: skip
    proxy: Url | None = None
    tls: TlsDemands = TlsDemands()
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
        """What is probed, in one line for people: never a password, nor a value of the query."""
        return shown_url(self.full_url if "@" in self.url else self.url)

    @property
    def header_pairs(self) -> list[tuple[str, str]]:
        """Its headers, a repeated one as often as it has values."""
        return [
            (name, value)
            for name, values in self.headers.items()
            for value in ([values] if isinstance(values, str) else values)
        ]

    def problems(self, timeout_us: int) -> list[Finding]:
        """What is wrong between its fields, in a check that has `timeout_us`."""
        found: list[Finding] = []
        if wrong := url_problem(self.full_url):
            found.append((("url",), wrong, repr(shown_url(self.url))))
        if self.method == "CONNECT":
            expected = "a method that asks the target itself; for a proxy there is `proxy`"
            found.append((("method",), expected, "CONNECT"))
        found += _header_problems(self)
        found += _phase_problems(self.phase_timeouts, timeout_us)
        if self.body is not None and self.body_base64 is not None:
            found.append((("body_base64",), "body or body_base64", "both"))
        if self.auth is not None:
            found += [(("auth", *path), *rest) for path, *rest in self.auth.problems()]  # type: ignore[misc] # a Finding has three parts
            found += _auth_problems(self)
        found += [(("tls", *path), *rest) for path, *rest in self.tls.problems()]  # type: ignore[misc] # a Finding has three parts
        for place, server in enumerate(self.resolver):
            if not _is_address(server):
                expected = "an address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53"
                found.append((("resolver", place), expected, repr(server)))
        return found + _proxy_problems(self)


def _header_problems(probe: HttpProbe) -> list[Finding]:
    found: list[Finding] = []
    seen: set[str] = set()
    for name in probe.headers:
        if not _TOKEN.fullmatch(name):
            found.append((("headers", name), "the name of a header", repr(name)))
        elif name.lower() in _OWN_HEADERS:
            found.append((("headers", name), "a header that the agent does not set itself", name))
        elif name.lower() in seen:
            expected = "each header once; for several values write a list"
            found.append((("headers", name), expected, "it in two spellings"))
        elif name.lower() in ("host", "user-agent") and not isinstance(probe.headers[name], str):
            found.append((("headers", name), "one value", "a list"))
        seen.add(name.lower())
    found += [
        (("headers", name), "a value without control characters", "a control character")
        for name, value in probe.header_pairs
        if not _HEADER_VALUE.fullmatch(value)
    ]
    found += [
        (("headers", name), "a value of latin-1 characters", "another character")
        for name, value in probe.header_pairs
        if not _LATIN.fullmatch(value)
    ]
    if probe.compression is not None and "accept-encoding" in seen:
        expected = "no Accept-Encoding where `compression` says what is asked for"
        found.append((("compression",), expected, "both"))
    return found


def _phase_problems(timeouts: PhaseTimeouts, timeout_us: int) -> list[Finding]:
    texts = {name: getattr(timeouts, name) for name in PhaseTimeouts.__struct_fields__}
    return [
        (("phase_timeouts", name), "a time within the check's timeout", text)
        for name, text in texts.items()
        if text is not None and int(Duration.parse(text)) > timeout_us
    ]


def _auth_problems(probe: HttpProbe) -> list[Finding]:
    found: list[Finding] = []
    if any(name.lower() == "authorization" for name in probe.headers):
        found.append((("auth",), "auth or a header Authorization", "both"))
    if "@" in probe.full_url.partition("://")[2].partition("/")[0]:
        found.append((("auth",), "auth or a user in the url", "both"))
    return found


def _proxy_problems(probe: HttpProbe) -> list[Finding]:
    if probe.proxy is None:
        return []
    found: list[Finding] = []
    if wrong := url_problem(probe.proxy):
        found.append((("proxy",), wrong, "another address"))
    elif not probe.proxy.startswith("http://") or urlsplit(probe.proxy).path not in ("", "/"):
        expected = "a proxy such as http://proxy.example:3128"
        found.append((("proxy",), expected, "another scheme, or a path"))
    if probe.addresses == "all":
        expected = "addresses: any, because a proxy resolves the name itself"
        found.append((("addresses",), expected, "all"))
    if probe.version == "HTTP/2" and not probe.full_url.startswith("https:"):
        expected = "HTTP/1.1 to a plain http target behind a proxy"
        found.append((("version",), expected, "HTTP/2"))
    return found


def _is_address(server: str) -> bool:
    try:
        ip_address(Endpoint.parse(server).host)
    except ValueError:
        return False
    return True
