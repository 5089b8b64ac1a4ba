"""Probes: what a check asks of its target, as structs for YAML, JSON Schema and the wire.

Each struct refuses what is wrong in itself; `problems_of` finds what is wrong between fields, so that the
fleet file, an agent and a one-shot probe refuse the same things in the same words.
"""

import re
from enum import StrEnum
from typing import Annotated, Final, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta, field

from vedette.shared.durations import EXPECTED, PATTERN, Duration
from vedette.shared.limits import (
    BODY_BYTES_DEFAULT,
    BODY_BYTES_MAX,
    CA_CHARS_MAX,
    DNS_SERVERS_MAX,
    EXPECTATION_CHARS_MAX,
    EXPECTATIONS_MAX,
    ICMP_COUNT_MAX,
    REDIRECTS_MAX,
    REQUEST_BODY_CHARS_MAX,
    REQUEST_HEADERS_MAX,
    URL_CHARS_MAX,
)

DurationText = Annotated[str, Meta(pattern=PATTERN, description=EXPECTED)]
Expectations = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=EXPECTATION_CHARS_MAX)]],
    Meta(max_length=EXPECTATIONS_MAX, description="CEL expressions that must all be true"),
]
Finding = tuple[tuple[str | int, ...], str, str]
"""(path, expected, found): one thing that is wrong."""

RECORD_TYPES: Final = frozenset({
    "A", "AAAA", "AFSDB", "ANY", "APL", "CAA", "CDNSKEY", "CDS", "CERT", "CNAME", "CSYNC",
    "DHCID", "DLV", "DNAME", "DNSKEY", "DS", "EUI48", "EUI64", "HINFO", "HIP", "HTTPS",
    "IPSECKEY", "KEY", "KX", "LOC", "MX", "NAPTR", "NS", "NSEC", "NSEC3", "NSEC3PARAM",
    "OPENPGPKEY", "PTR", "RP", "RRSIG", "SMIMEA", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA",
    "TXT", "URI", "ZONEMD",
})  # fmt: skip
SCHEMES: Final = ("http", "https")

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_HEADER_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_OWN_HEADERS: Final = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f]")
_NUMBERED_TYPE: Final = re.compile(r"TYPE([0-9]{1,5})")
_LABEL_CHARS_MAX: Final = 63


class Family(StrEnum):
    """Which addresses of a name are used."""

    ANY = "any"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Part(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """A part of a check. Unknown keys are refused: a misspelt one must not silently do nothing."""


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

    @property
    def full_url(self) -> str:
        """The URL with its scheme in lower case; `http` where it has none."""
        match = _SCHEME.match(self.url)
        if match is None:
            return f"http://{self.url}"
        return match[0].lower() + self.url[match.end() :]


class DnsProbe(Part, frozen=True):
    """A DNS question and what its answer must be."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Annotated[str, Meta(pattern=r"^[A-Z0-9-]{1,20}$")] = "A"
    record_class: Literal["IN", "CH", "HS"] = field(default="IN", name="class")
    servers: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(max_length=DNS_SERVERS_MAX)
    ] = []
    port: Annotated[int, Meta(ge=1, le=65535)] = 53
    transport: Literal["udp", "tcp"] = "udp"
    recursion: bool = True
    expect: Expectations = []


class IcmpProbe(Part, frozen=True):
    """Echo requests and what share of them must come back."""

    host: Annotated[str, Meta(min_length=1, max_length=255)]
    count: Annotated[int, Meta(ge=1, le=ICMP_COUNT_MAX)] = 3
    spacing: DurationText = "200ms"
    size: Annotated[int, Meta(ge=16, le=1400)] = 56
    family: Family = Family.ANY
    expect: Expectations = []


Probe = HttpProbe | DnsProbe | IcmpProbe


def problems_of(probe: Probe, timeout_us: int) -> list[Finding]:
    """What is wrong with a well-formed probe of a check that has `timeout_us`."""
    if isinstance(probe, HttpProbe):
        return _http_problems(probe)
    if isinstance(probe, DnsProbe):
        return _dns_problems(probe)
    return _icmp_problems(probe, timeout_us)


def _http_problems(probe: HttpProbe) -> list[Finding]:
    found: list[Finding] = []
    wrong = _url_problem(probe.full_url)
    if wrong:
        found.append((("url",), wrong, repr(probe.url)))
    for name, value in probe.headers.items():
        if not _TOKEN.fullmatch(name):
            found.append((("headers", name), "the name of a header", repr(name)))
        elif name.lower() in _OWN_HEADERS:
            found.append((("headers", name), "a header that the agent does not set itself", name))
        elif not _HEADER_VALUE.fullmatch(value):
            found.append(
                (("headers", name), "a value without control characters", "a control character")
            )
    if probe.ca is not None and "-----BEGIN CERTIFICATE-----" not in probe.ca:
        found.append((("ca",), "certificates in PEM (-----BEGIN CERTIFICATE-----)", "other text"))
    if probe.ca is not None and not probe.verify:
        found.append((("ca",), "a CA together with verify: true", "verify: false"))
    return found


def _url_problem(url: str) -> str | None:
    """What `url` should have been, if it cannot be probed."""
    if _UNSAFE.search(url):
        return "a URL without spaces and control characters"
    try:
        parts: SplitResult = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        return f"a URL ({error})"
    if parts.scheme not in SCHEMES:
        return f"a URL that begins with {' or '.join(f'{s}://' for s in SCHEMES)}"
    if not host:
        return "a URL with a host"
    if port == 0:
        return "a port from 1 to 65535"
    return host_problem(host) and f"a URL whose host is {host_problem(host)}"


def host_problem(host: str) -> str | None:
    """What `host` should have been, if it is neither a name nor an address."""
    if ":" in host:
        return None if re.fullmatch(r"[0-9A-Fa-f:.]+(%[\w.-]+)?", host) else "an IPv6 address"
    labels = host.removesuffix(".").split(".")
    if _UNSAFE.search(host) or any(not 1 <= len(label) <= _LABEL_CHARS_MAX for label in labels):
        return "a name with labels of 1 to 63 characters, or an address"
    return "a name, without / @ [ ] % or \\" if re.search(r"[/@\[\]%\\]", host) else None


def _dns_problems(probe: DnsProbe) -> list[Finding]:
    found: list[Finding] = []
    number = _NUMBERED_TYPE.fullmatch(probe.type)
    if probe.type not in RECORD_TYPES and not (number and int(number[1]) <= 65535):
        expected = "a record type such as A, AAAA, MX, TXT, SOA, CAA or TYPE65"
        found.append((("type",), expected, repr(probe.type)))
    labels = probe.name.removesuffix(".").split(".") if probe.name != "." else ["."]
    if any(not 1 <= len(label.encode()) <= _LABEL_CHARS_MAX for label in labels):
        found.append((("name",), "a name with labels of 1 to 63 characters", repr(probe.name)))
    for place, server in enumerate(probe.servers):
        if wrong := host_problem(server):
            found.append((("servers", place), wrong, repr(server)))
    return found


def _icmp_problems(probe: IcmpProbe, timeout_us: int) -> list[Finding]:
    found: list[Finding] = []
    if wrong := host_problem(probe.host):
        found.append((("host",), wrong, repr(probe.host)))
    spread = Duration((probe.count - 1) * Duration.parse(probe.spacing))
    if spread >= timeout_us:
        expected = f"count and spacing that fit into the timeout ({Duration(timeout_us)})"
        found.append((("spacing",), expected, f"{probe.count} requests over {spread}"))
    return found
