"""What is sent, what a check demands of every hop, and what a hop showed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from agent.probers.network.fault import Fault
from agent.probers.network.tls import TlsPolicy
from agent.probers.transport.answer import Answer
from vedette.shared.probes import Family

USER_AGENT: Final = "vedette-agent"
"""Who asks, where nobody says more precisely."""

Version = Literal["HTTP/1.1", "HTTP/2", "auto"]
_ALPN: Final[Mapping[str, tuple[str, ...]]] = {
    "HTTP/1.1": ("http/1.1",),
    "HTTP/2": ("h2",),
    "auto": ("h2", "http/1.1"),
}


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy listens, and what it is told of who asks."""

    host: str
    port: int
    authorization: str | None = None

    @property
    def where(self) -> str:
        """Its place for people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Trust:
    """What one origin has to show over TLS."""

    policy: TlsPolicy = field(default_factory=TlsPolicy)
    server_name: str | None = None
    pins: tuple[str, ...] = ()

    @property
    def elsewhere(self) -> "Trust":
        """The same, for a host that is not the check's own: what names or identifies is left out."""
        return Trust(replace(self.policy, client=None))


@dataclass(frozen=True, slots=True)
class Wants:
    """What a check demands of every hop."""

    tls: Trust = field(default_factory=Trust)
    own_host: str | None = None
    version: Version = "HTTP/1.1"
    family: Family = Family.ANY
    resolver: tuple[tuple[str, int], ...] = ()
    proxy: Proxy | None = None
    body_bytes_max: int = 0
    limits_us: Mapping[str, int] = field(default_factory=dict)

    @property
    def alpn(self) -> tuple[str, ...]:
        """The protocols that are offered over TLS."""
        return _ALPN[self.version]

    def trust_of(self, host: str) -> Trust:
        """What `host` has to show: the check's own host everything, another one only that it can be trusted."""
        return self.tls if self.own_host in (None, host) else self.tls.elsewhere


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent."""

    method: str
    scheme: str
    host: str
    port: int
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    @property
    def authority(self) -> str:
        """Host and port, as they stand in CONNECT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def head(self, proxy: Proxy | None = None) -> bytes:
        """The request line and headers. The connection is for this one request.

        A proxy is given the whole address.
        """
        target = self.target if proxy is None else f"http://{self.authority}{self.target}"
        lines = [f"{self.method} {target} HTTP/1.1\r\n".encode("latin-1")]
        lines += [b"%s: %s\r\n" % header for header in self.headers]
        if proxy is not None and proxy.authorization is not None:
            lines.append(f"Proxy-Authorization: {proxy.authorization}\r\n".encode("latin-1"))
        lines.append(b"Connection: close\r\n\r\n")
        return b"".join(lines)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Addresses that a name was resolved to before, and how long that took."""

    addresses: tuple[str, ...]
    took_us: int


@dataclass(slots=True)
class Hop:
    """What one hop showed, as far as it came. `fault` is set where it was not completed."""

    url: str
    addr: str | None = None
    phases_us: dict[str, int] = field(default_factory=dict)
    response: Answer | None = None
    tls_version: str = ""
    tls_cipher: str = ""
    tls_verified: bool = False
    chain: list[bytes] = field(default_factory=list)
    fault: Fault | None = None

    @property
    def is_tls(self) -> bool:
        """Something of TLS was seen."""
        return bool(self.tls_version or self.chain)

    @property
    def took_us(self) -> int:
        """Time of all its phases."""
        return sum(self.phases_us.values())
