"""On which terms a site lets itself be probed from: ports, methods, kinds, sizes, rates, and its own switch.

Where probes may go is said by networks (agent.core.policy); this is the rest of the site's policy file. A
check that asks for more is refused in words, never cut down: a figure must not rest on another probe
than the one that was agreed on.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from vedette.shared.definitions import KINDS, Check
from vedette.shared.failure import Failure
from vedette.shared.limits import (
    BODY_BYTES_MAX,
    ICMP_COUNT_MAX,
    ICMP_PAYLOAD_BYTES_MAX,
    REQUEST_BODY_CHARS_MAX,
    SITE_CHECKS_MAX,
    SITE_RATE_ADDRESS,
    SITE_RATE_TARGET,
    SITE_RATE_TOTAL,
)
from vedette.shared.probes import DnsProbe, Endpoint, HttpProbe, IcmpProbe, TcpProbe

_RATE: Final = re.compile(r"([1-9][0-9]{0,6})/(s|m|h)")
_PERIODS_US: Final = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_PORTS: Final = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_WEB_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many runs in so long a time."""

    runs: int
    period_us: int

    @classmethod
    def of(cls, text: str) -> "Rate":
        """The rate that `text` says: 20/s, 300/m, 1000/h. ValueError if it says none."""
        match = _RATE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"expected a rate such as 20/s, 300/m or 1000/h, found {text!r}")
        return cls(int(match[1]), _PERIODS_US[match[2]])

    def __str__(self) -> str:
        unit = next(u for u, period_us in _PERIODS_US.items() if period_us == self.period_us)
        return f"{self.runs}/{unit}"


@dataclass(frozen=True, slots=True)
class Rates:
    """How often this site lets itself be used: in all, for one target by name, for one address."""

    total: Rate = Rate(SITE_RATE_TOTAL, 1_000_000)
    target: Rate = Rate(SITE_RATE_TARGET, 1_000_000)
    address: Rate = Rate(SITE_RATE_ADDRESS, 1_000_000)


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports from the first to the last, both included."""

    first: int
    last: int

    @classmethod
    def of(cls, text: str | int) -> "PortRange":
        """The ports that `text` says: 443, 8000-8100. ValueError if it says none."""
        match = _PORTS.fullmatch(str(text).strip())
        if match is not None:
            first, last = int(match[1]), int(match[2] or match[1])
            if 1 <= first <= last <= 65535:
                return cls(first, last)
        raise ValueError(f"expected a port or a range such as 8000-8100, found {text!r}")

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a probe may send and read."""

    response_body_bytes: int = BODY_BYTES_MAX
    request_body_bytes: int = REQUEST_BODY_CHARS_MAX
    icmp_payload_bytes: int = ICMP_PAYLOAD_BYTES_MAX
    icmp_count: int = ICMP_COUNT_MAX


@dataclass(frozen=True, slots=True)
class Terms:
    """What a site agrees to besides networks. Without a word of it: everything within the bounds of checks."""

    kinds: frozenset[str] = frozenset(KINDS)
    ports_allowed: tuple[PortRange, ...] = ()
    ports_denied: tuple[PortRange, ...] = ()
    methods: frozenset[str] | None = None
    sizes: Sizes = Sizes()
    rates: Rates = Rates()
    checks_max: int = SITE_CHECKS_MAX
    is_paused: bool = False

    def __str__(self) -> str:
        """The terms in a few words, for people."""
        said = ["PAUSED"] if self.is_paused else []
        if self.kinds != frozenset(KINDS):
            said.append(f"{_named(sorted(self.kinds))} only")
        if self.ports_allowed:
            said.append(f"ports {_named(self.ports_allowed)}")
        if self.ports_denied:
            said.append(f"never ports {_named(self.ports_denied)}")
        if self.methods is not None:
            said.append(f"methods {_named(sorted(self.methods))}")
        rates = self.rates
        said.append(f"{rates.total} in all, {rates.target} a target, {rates.address} an address")
        said.append(f"{self.checks_max} checks")
        return "; ".join(said)

    def port_refusal(self, port: int) -> str | None:
        """Why the site does not agree to reach `port`, in words; None if it does."""
        for ports in self.ports_denied:
            if port in ports:
                return f"port {port} is one that this site denies"
        if self.ports_allowed and not any(port in ports for ports in self.ports_allowed):
            return (
                f"port {port} is none of those that this site allows ({_named(self.ports_allowed)})"
            )
        return None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a check is not run here: a kind of failure, and a sentence for people."""

    kind: Failure
    detail: str


def refusal_of(check: Check, terms: Terms) -> Refusal | None:
    """Why `terms` do not allow `check` as it is defined; None if they do.

    What only shows while it runs (addresses, ports of redirects) is judged at connect.
    """
    if terms.is_paused:
        return Refusal(Failure.POLICY_PAUSED, "this site has paused all probing")
    if check.kind not in terms.kinds:
        detail = f"this site runs no {check.kind} probes ({_named(sorted(terms.kinds))} only)"
        return Refusal(Failure.POLICY_KIND, detail)
    for port in ports_of(check):
        reason = terms.port_refusal(port)
        if reason is not None:
            return Refusal(Failure.POLICY_PORT, reason)
    if terms.methods is not None:
        for method in methods_of(check):
            if method not in terms.methods:
                allowed = _named(sorted(terms.methods))
                detail = f"this site sends no {method} requests ({allowed} only)"
                return Refusal(Failure.POLICY_METHOD, detail)
    too_much = next(_too_large(check, terms.sizes), None)
    return None if too_much is None else Refusal(Failure.POLICY_SIZE, too_much)


def ports_of(check: Check) -> Iterator[int]:
    """The ports that `check` names, or means by naming none."""
    match check.probe:
        case HttpProbe() as http:
            urls = [http.full_url, *([http.proxy] if http.proxy else [])]
            if http.auth is not None and http.auth.oauth2 is not None:
                urls.append(http.auth.oauth2.token_url)
            yield from map(_port_of_url, urls)
            yield from (_port_of_server(text, 53) for text in http.resolver)
        case DnsProbe() as dns:
            yield from (_port_of_server(text, dns.port_or_default) for text in dns.servers)
        case TcpProbe() as tcp:
            yield tcp.port
        case IcmpProbe():
            return


def methods_of(check: Check) -> Iterator[str]:
    """The HTTP methods that `check` can make this site send: its own, those of redirects and tokens."""
    probe = check.probe
    if not isinstance(probe, HttpProbe):
        return
    yield probe.method
    if probe.redirects.follow and probe.method not in ("GET", "HEAD"):
        yield "GET"
    if probe.auth is not None and probe.auth.oauth2 is not None:
        yield "POST"


def targets_of(check: Check) -> tuple[str, ...]:
    """Whom a run of `check` burdens, by name: what rates for one target are counted by."""
    match check.probe:
        case HttpProbe() as http:
            return (_host_of_url(http.full_url),)
        case DnsProbe() as dns if dns.servers:
            return tuple(dict.fromkeys(Endpoint.parse(text).host.lower() for text in dns.servers))
        case DnsProbe():
            return ("the site's name servers",)
        case TcpProbe(host=host) | IcmpProbe(host=host):
            return (host.lower().rstrip("."),)


def _too_large(check: Check, sizes: Sizes) -> Iterator[str]:
    probe = check.probe
    if isinstance(probe, HttpProbe):
        body = len(probe.body.encode()) if probe.body else len(probe.body_base64 or "") * 3 // 4
        if probe.body_max > sizes.response_body_bytes:
            yield _over("reads", sizes.response_body_bytes, "bytes of a body", probe.body_max)
        if body > sizes.request_body_bytes:
            yield _over("sends", sizes.request_body_bytes, "bytes of a body", body)
    elif isinstance(probe, IcmpProbe):
        if probe.size > sizes.icmp_payload_bytes:
            yield _over("sends", sizes.icmp_payload_bytes, "bytes in a packet", probe.size)
        if probe.count > sizes.icmp_count:
            yield _over("sends", sizes.icmp_count, "echo requests in a run", probe.count)


def _over(does: str, most: int, of_what: str, wanted: int) -> str:
    return f"this site {does} at most {most} {of_what}, and the check asks for {wanted}"


def _port_of_url(url: str) -> int:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return port or _WEB_PORTS.get(parts.scheme, 443)


def _host_of_url(url: str) -> str:
    return (urlsplit(url).hostname or "").lower().rstrip(".")


def _port_of_server(text: str, default: int) -> int:
    port = Endpoint.parse(text).port
    return default if port is None else port


def _named(words: Iterable[object]) -> str:
    return ", ".join(map(str, words)) or "none"
